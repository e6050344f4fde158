"""A channel without a network: it remembers what was said, and fails as it is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.channels.channel import (
    Absent,
    FetchResult,
    Halted,
    LookResult,
    Page,
    Refused,
    Search,
    SendResult,
    Sent,
    TryLater,
    Unknown,
)
from bot.channels.x.snowflake import id_at, moment_of
from bot.clock import Clock
from handoff.words import Entry, Message, Place


@dataclass(frozen=True, kw_only=True)
class Said:
    """Something of ours that customers can read."""

    id: str
    entry: Entry
    at: datetime


@dataclass(kw_only=True)
class MemoryChannel:
    """What customers wrote, what we said, and what goes wrong next."""

    clock: Clock
    page_size: int = 2
    call_limit_s: float = 1.0
    name: str = "memory"
    feeds: Mapping[str, Place] = field(default_factory=lambda: {"public": Place.PUBLIC, "private": Place.PRIVATE})
    written: list[Message] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    closed_to: set[str] = field(default_factory=set)
    send_faults: deque[str] = field(default_factory=deque)
    """For each send to come: ok, lost_before, lost_after, not_sent, halted, crash_before, crash_after."""
    look_faults: deque[str] = field(default_factory=deque)
    """For each look to come: ok, fails, lags (once what was said last is not shown yet)."""
    _number: int = 0

    def cursor_at(self, moment: datetime) -> str:
        return id_at(moment)

    def cursor_before(self, cursor: str, seconds: float) -> str:
        return id_at(moment_of(cursor) - timedelta(seconds=seconds))

    async def fetch(self, feed: str, since: str, older: str | None = None) -> FetchResult:
        found = [m for m in self.written if m.place == feed and int(m.platform_id) > int(since)]
        found.sort(key=lambda message: int(message.platform_id), reverse=True)
        start = int(older or 0)
        shown = found[start : start + self.page_size]
        more = start + self.page_size < len(found)
        return Page(
            messages=tuple(shown),
            newest_id=shown[0].platform_id if shown else None,
            older=str(start + self.page_size) if more else None,
        )

    async def send(self, entry: Entry) -> SendResult:
        fault = self.send_faults.popleft() if self.send_faults else "ok"
        match fault:
            case "lost_before":
                return Unknown(detail="lost")
            case "not_sent":
                return TryLater(detail="refused connection")
            case "halted":
                return Halted(detail="no credits")
            case "crash_before":
                raise RuntimeError("the process dies before the call")
        refused = self._refusal(entry)
        if refused:
            return refused
        said = Said(id=self.new_id(), entry=entry, at=self.clock.now())
        self.said.append(said)
        if fault == "crash_after":
            raise RuntimeError("the process dies after the call")
        return Unknown(detail="lost") if fault == "lost_after" else Sent(external_id=said.id)

    async def find_sent(self, search: Search) -> LookResult:
        fault = self.look_faults.popleft() if self.look_faults else "ok"
        if fault == "fails":
            return TryLater(detail="no answer")
        shown = self.said[:-1] if fault == "lags" else self.said
        for said in shown:
            if said.at >= search.since and said.id not in search.known and _says_the_same(said.entry, search.entry):
                return Sent(external_id=said.id)
        return Absent()

    def new_id(self) -> str:
        """An id of this moment, newer than any before."""
        self._number += 1
        return str(int(id_at(self.clock.now())) + self._number)

    def _refusal(self, entry: Entry) -> Refused | None:
        if entry.place is Place.PRIVATE:
            closed = entry.customer_id in self.closed_to
            return Refused(rule="dm_closed", detail="closed") if closed else None
        twice = any(
            said.entry.text == entry.text and said.entry.customer_id == entry.customer_id
            for said in self.said
            if said.entry.place is Place.PUBLIC
        )
        return Refused(rule="duplicate", detail="said already") if twice else None


def _says_the_same(one: Entry, other: Entry) -> bool:
    return (one.reply_to, one.customer_id, one.text) == (other.reply_to, other.customer_id, other.text)
