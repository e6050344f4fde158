"""The audit: does the ledger say, message by message and reply by reply, what the sandbox has seen?"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from redis.asyncio import Redis

from bot.crowd import Said
from handoff.ledger import Ledger
from handoff.outbox import Outbox
from handoff.words import FINAL_STATES, Entry, EntryState, Outcome

MOST_EVIDENCE = 20


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record of the journal."""

    at_ms: int
    """By Redis's own clock, when it was stored."""
    kind: str
    conversation: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An outbox entry as the ledger keeps it."""

    id: str
    conversation: str
    author: str
    state: str
    seq: int
    """Its place in the conversation."""
    external_id: str = ""
    detail: str = ""

    @property
    def is_of_a_turn(self) -> bool:
        """Whether the bot's turn wrote it, and no person: at most one of these may answer a post."""
        return self.author in ("bot", "desk") and self.id.startswith("t")


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The counts; the first three must be 0."""

    lost: int
    """Messages without an outcome, and replies `sent` that the sandbox does not have."""
    duplicated: int
    """Messages received or ended twice, and posts of ours that no entry explains or that answer a post again."""
    order_violations: int
    """Neighbours in a conversation that were received, ended or answered in the wrong order."""
    evidence: tuple[str, ...]
    """The first of each, by id."""
    received: int
    outcomes: Mapping[str, int]
    silent_rules: Mapping[str, int]
    reasons: Mapping[str, int]
    """Cases opened, by reason."""
    intents: Mapping[str, int]
    """Turns, by what was understood."""
    entries: Mapping[str, int]
    """Outbox entries by state."""
    blocked: Mapping[str, int]
    """Entries that were not said, by the rule that forbade it."""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.order_violations)


class JournalReader:
    """Reads the journal of every partition on from where it stopped."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._after = dict.fromkeys(ledger.partitions, "-")
        self.records: list[Record] = []
        """Everything read so far, in order within each conversation."""
        self.ended: set[str] = set()
        """Ids of the messages that have an outcome."""

    async def read_on(self) -> int:
        """Reads what is new; returns how many records."""
        before = len(self.records)
        for partition in self._ledger.partitions:
            while found := await self._ledger.journal(partition, after=self._after[partition]):
                self._after[partition] = found[-1][0]
                self.records += [_record(stream_id, fields) for stream_id, fields in found]
        fresh = self.records[before:]
        self.ended |= {str(record.facts["message"]) for record in fresh if record.kind == "outcome"}
        return len(fresh)


async def kept_entries(outbox: Outbox, journal: Iterable[Record]) -> list[Kept]:
    """Every entry that was ever queued, as it stands now."""
    queued = {str(record.facts["entry"]): record.conversation for record in journal if record.kind == "entry_queued"}
    return [_kept(entry_id, await outbox.record(entry_id, where)) for entry_id, where in queued.items()]


async def nothing_waits(redis: Redis, partitions: Iterable[str]) -> bool:
    """Whether inbox and outbox are empty in every partition."""
    async with redis.pipeline(transaction=False) as pipe:
        for partition in partitions:
            pipe.zcard(f"{partition}:inbox")
            pipe.zcard(f"{partition}:outbox")
        return not any(await pipe.execute())


def audit(
    *, expected: Iterable[str], journal: Sequence[Record], entries: Sequence[Kept], said: Sequence[Said]
) -> Audit:
    """Compares what was written to us (ids such as `post:1900…`) with the ledger, and the ledger with what we said."""
    lost = [*_unanswered(set(expected), journal), *_never_said(entries, said)]
    duplicated = [*_handled_twice(journal), *_unexplained(entries, said), *_answered_twice(entries, said)]
    disordered = [*_handled_out_of_order(journal), *_said_out_of_order(entries)]
    outcomes = [record.facts for record in journal if record.kind == "outcome"]
    turns = {str(facts["turn"]): facts for facts in outcomes}.values()
    return Audit(
        lost=len(lost),
        duplicated=len(duplicated),
        order_violations=len(disordered),
        evidence=(*lost[:MOST_EVIDENCE], *duplicated[:MOST_EVIDENCE], *disordered[:MOST_EVIDENCE]),
        received=len(_ids(journal, "message_received")),
        outcomes={outcome: sum(facts["outcome"] == outcome for facts in outcomes) for outcome in Outcome},
        silent_rules=_counted(facts.get("rule") for facts in outcomes if facts["outcome"] == Outcome.SILENT),
        reasons=_counted(record.facts["reason"] for record in journal if record.kind == "case_opened"),
        intents=_counted(facts.get("intent") or "(not asked)" for facts in turns),
        entries=_counted(entry.state for entry in entries),
        blocked=_counted(entry.detail for entry in entries if entry.state in (EntryState.BLOCKED, EntryState.DEAD)),
    )


def unfinished(entries: Iterable[Kept]) -> int:
    """How many entries are still on their way."""
    return sum(entry.state not in FINAL_STATES for entry in entries)


def percentiles(values: Iterable[int]) -> dict[str, int] | None:
    """The 50th, 95th and 99th of a hundred, by nearest rank; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {f"p{share}": ordered[-(-len(ordered) * share // 100) - 1] for share in (50, 95, 99)}


def _unanswered(expected: set[str], journal: Sequence[Record]) -> list[str]:
    return [f"{message} has no outcome" for message in sorted(expected - set(_ids(journal, "outcome")))]


def _never_said(entries: Sequence[Kept], said: Sequence[Said]) -> list[str]:
    there = {one.id for one in said}
    claims = Counter(entry.external_id for entry in entries if entry.state == EntryState.SENT)
    return [
        f"entry {entry.id} is sent as {entry.external_id or 'nothing'}, which the sandbox "
        + ("gave to another" if entry.external_id in there else "does not have")
        for entry in entries
        if entry.state == EntryState.SENT and (entry.external_id not in there or claims[entry.external_id] > 1)
    ]


def _handled_twice(journal: Sequence[Record]) -> list[str]:
    return [
        f"{message} has {count} {what} records"
        for what in ("message_received", "outcome")
        for message, count in _ids(journal, what).items()
        for _ in range(count - 1)
    ]


def _unexplained(entries: Sequence[Kept], said: Sequence[Said]) -> list[str]:
    explained = {entry.external_id for entry in entries if entry.state == EntryState.SENT}
    return [f"no entry explains {one.id}, which we wrote" for one in said if one.id not in explained]


def _answered_twice(entries: Sequence[Kept], said: Sequence[Said]) -> list[str]:
    """Two automated answers to one post, whatever they say."""
    by_turns = {entry.external_id for entry in entries if entry.is_of_a_turn and entry.external_id}
    answers = Counter(one.in_reply_to for one in said if one.in_reply_to and one.id in by_turns)
    return [f"post {post} has {count} automated answers" for post, count in answers.items() for _ in range(count - 1)]


def _handled_out_of_order(journal: Sequence[Record]) -> list[str]:
    received, ended = _by_conversation(journal, "message_received"), _by_conversation(journal, "outcome")
    found: list[str] = []
    for conversation, messages in received.items():
        came = {message: place for place, message in enumerate(messages)}
        known = [message for message in ended.get(conversation, ()) if message in came]
        found += [f"{later} ended before {one}" for later, one in pairwise(known) if came[later] > came[one]]
        for kind in ("post", "dm"):
            ids = [message for message in messages if message.startswith(f"{kind}:")]
            found += [
                f"{one} was received before {other}" for one, other in pairwise(ids) if _number(one) > _number(other)
            ]
    return found


def _said_out_of_order(entries: Sequence[Kept]) -> list[str]:
    """Later words of a conversation that came before earlier ones; ids of a platform grow with time."""
    conversations: dict[str, list[Kept]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.seq):
        if entry.state == EntryState.SENT and entry.external_id:
            conversations[entry.conversation].append(entry)
    return [
        f"entry {one.id} was said after {other.id}"
        for queued in conversations.values()
        for one, other in pairwise(queued)
        if int(one.external_id) > int(other.external_id)
    ]


def _by_conversation(journal: Sequence[Record], kind: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for record in journal:
        if record.kind == kind:
            found[record.conversation].append(str(record.facts["message"]))
    return found


def _ids(journal: Sequence[Record], kind: str) -> Counter[str]:
    return Counter(str(record.facts["message"]) for record in journal if record.kind == kind)


def _number(message: str) -> int:
    return int(message.partition(":")[2])


def _counted(values: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(value or "(none)" for value in values).most_common())


def _record(stream_id: str, fields: Mapping[str, str]) -> Record:
    return Record(
        at_ms=int(stream_id.partition("-")[0]),
        kind=fields["kind"],
        conversation=fields["conversation"],
        facts=json.loads(fields["facts"]),
    )


def _kept(entry_id: str, fields: Mapping[str, str]) -> Kept:
    entry = Entry.model_validate_json(fields["json"])
    return Kept(
        id=entry_id,
        conversation=entry.conversation,
        author=entry.author,
        state=fields["state"],
        seq=int(fields["seq"]),
        external_id=fields.get("external_id", ""),
        detail=fields.get("detail", ""),
    )
