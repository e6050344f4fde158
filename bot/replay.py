"""A replay: a recording is posted to a stack of its own, and every message is followed to its outcome."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from redis.exceptions import RedisError

from bot import wiring
from bot.audit import Audit, JournalReader, Record, audit, kept_entries, nothing_waits, percentiles, unfinished
from bot.crowd import Crowd, Said
from bot.own_stack import Interrupted
from bot.replay_file import Recording, posts_of
from bot.settings import Settings

BATCH = 20
"""Posts that are posted together."""
MOST_WAITING = 60
"""With so many messages under way the next batch waits, so that the times measured are those of a busy day."""
LOOK_S = 0.2
FINAL_KINDS = frozenset({"entry_sent", "entry_blocked", "entry_cancelled", "entry_dead"})


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a replay has come."""

    rows: int
    posted: int
    ended: int
    """Messages that have an outcome."""
    queued: int
    """Replies that were written."""
    settled: int
    """Replies that were said, or never will be."""


Show = Callable[[Progress], None]


class Replay:
    """One replay, from an empty store to the counts."""

    def __init__(self, recording: Recording, settings: Settings, *, authors: int | None, show: Show) -> None:
        """`authors`: how many handles the recorded authors are folded onto; None gives each their own."""
        self._recording = recording
        self._posts = list(posts_of(recording.rows, account=settings.account, authors=authors))
        self._settings = settings
        self._show = show
        self._posted = 0
        self._expected: dict[str, None] = {}
        self._began = self._moved = time.monotonic()

    async def run(self, stop: threading.Event) -> dict[str, Any]:
        """Posts, waits for the last outcome and the last reply, and counts. Raises Interrupted, CrowdRefused."""
        parts = wiring.ledger_parts(self._settings)
        journal = JournalReader(parts.ledger)
        self._began = self._moved = time.monotonic()
        try:
            async with ClientSession(timeout=ClientTimeout(total=60)) as session:
                crowd = Crowd(session, self._settings.sandbox_address)
                await self._post_all(crowd, journal, stop)
                complete = await self._wait(parts, journal, stop)
                return await self._report(parts, crowd, journal, complete)
        finally:
            await parts.redis.aclose()

    async def _post_all(self, crowd: Crowd, journal: JournalReader, stop: threading.Event) -> None:
        while self._posted < len(self._posts) and not self._is_stuck:
            if len(self._expected) - len(journal.ended) <= MOST_WAITING - BATCH:
                batch = self._posts[self._posted : self._posted + BATCH]
                ids = await crowd.post_all(batch)
                self._expected.update(dict.fromkeys(f"post:{post_id}" for post_id in ids))
                self._posted += len(batch)
            else:
                await asyncio.sleep(LOOK_S)
            await self._look(journal, stop)

    async def _wait(self, parts: wiring.LedgerParts, journal: JournalReader, stop: threading.Event) -> bool:
        """Until everything has ended and stays so for a while; False when nothing moves any more."""
        quiet_since = time.monotonic()
        while not self._is_stuck:
            await self._look(journal, stop)
            all_ended = self._expected.keys() <= journal.ended and self._posted == len(self._posts)
            if not (all_ended and await _is_empty(parts)):
                quiet_since = time.monotonic()
            if time.monotonic() - quiet_since > self._quiet_s:
                return True
            await asyncio.sleep(LOOK_S)
        return False

    async def _look(self, journal: JournalReader, stop: threading.Event) -> None:
        if stop.is_set():
            raise Interrupted
        try:
            if await journal.read_on():
                self._moved = time.monotonic()
        except RedisError:  # it is started again; if it never comes back, nothing moves and the replay ends
            return
        kinds = [record.kind for record in journal.records]
        progress = Progress(
            rows=len(self._posts),
            posted=self._posted,
            ended=len(journal.ended),
            queued=kinds.count("entry_queued"),
            settled=sum(kind in FINAL_KINDS for kind in kinds),
        )
        self._show(progress)

    @property
    def _is_stuck(self) -> bool:
        """Whether nothing has moved for long: under X's limits a window lasts 15 minutes."""
        return time.monotonic() - self._moved > (120.0 if self._settings.mentions_poll_s is None else 1000.0)

    @property
    def _quiet_s(self) -> float:
        """Two reads of the account: what is delivered a second time has come by then."""
        return max(2.0, 2 * (self._settings.mentions_poll_s or 0.0))

    async def _report(
        self, parts: wiring.LedgerParts, crowd: Crowd, journal: JournalReader, complete: bool
    ) -> dict[str, Any]:
        entries = await kept_entries(parts.outbox, journal.records)
        said, written_ms = await crowd.said(), await crowd.written_ms()
        found = audit(expected=self._expected, journal=journal.records, entries=entries, said=said)
        seconds = max(self._moved - self._began, 0.001)
        not_posted = len({post.key for post in self._posts}) - len(self._expected)
        lost = found.lost + not_posted
        return {
            "faultless": complete and not (lost or found.duplicated or found.order_violations),
            "rows": len(self._posts),
            "repeated": len(self._posts) - len({post.key for post in self._posts}),
            "skipped_lines": len(self._recording.bad_lines),
            "customers": len({post.author for post in self._posts}),
            "received": found.received,
            **{str(outcome): count for outcome, count in found.outcomes.items()},
            "lost": lost,
            "duplicated": found.duplicated,
            "order_violations": found.order_violations,
            "latency_ms": percentiles(_outcome_latencies(journal.records, written_ms)),
            "reply_latency_ms": percentiles(_reply_latencies(said, written_ms)),
            "seconds": round(seconds, 1),
            "messages_per_s": round(len(journal.ended) / seconds, 1),
            "complete": complete,
            "unfinished_replies": unfinished(entries),
            **_details(found),
        }


def _details(found: Audit) -> dict[str, Any]:
    return {
        "reasons": dict(found.reasons),
        "silent_rules": dict(found.silent_rules),
        "intents": dict(found.intents),
        "entries": dict(found.entries),
        "blocked": dict(found.blocked),
        "evidence": list(found.evidence),
    }


async def _is_empty(parts: wiring.LedgerParts) -> bool:
    try:
        return await nothing_waits(parts.redis, parts.ledger.partitions)
    except RedisError:
        return False


def _outcome_latencies(records: Sequence[Record], written_ms: Mapping[str, int]) -> list[int]:
    """From the post's creation at the sandbox to the moment its outcome was stored, by the clock of this machine."""
    ended = [(str(record.facts["message"]), record.at_ms) for record in records if record.kind == "outcome"]
    return [
        at_ms - written_ms[post_id] for message, at_ms in ended if (post_id := message.partition(":")[2]) in written_ms
    ]


def _reply_latencies(said: Sequence[Said], written_ms: Mapping[str, int]) -> list[int]:
    """From a post's creation to that of our answer to it."""
    written = [(one.at_ms, written_ms.get(one.in_reply_to or "")) for one in said]
    return [at_ms - asked_ms for at_ms, asked_ms in written if asked_ms is not None]
