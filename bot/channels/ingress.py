"""Ingress: reads what customers write into the inbox, oldest first, each message once.

A feed's cursor moves only after everything up to it is in the inbox, so a crash reads again instead of losing. Each
read begins a little before the cursor: platforms show some messages late, behind newer ones.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import CollectorRegistry

from bot.channels.channel import Halted, Inlet, Page, TryLater
from bot.clock import Clock
from bot.metrics import IngressMetrics
from bot.pauses import Pauses, pause
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.ledger import Ledger
from handoff.scripts import AWAY_OR_FULL
from handoff.words import Message

log = structlog.get_logger()

RESUMES_BEFORE_A_FRESH_START = 3
"""A page token may have expired: after so many failures in a row a backlog is read from its beginning again."""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """How often and how far back a channel is read."""

    every_s: Mapping[str, float]
    """Feed -> seconds between two reads."""
    overlap_s: float = 90.0
    """How late a message may appear behind newer ones and still be seen."""
    oldest_s: float = 24 * 3600.0
    """At the very first start: how far back to read."""
    remembered: int = 50_000
    """Ids of stored messages that are kept in mind, so that the overlap costs the ledger nothing."""
    renew_s: float = 1.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    halt_pause_s: float = 60.0
    """How often to see whether a refused account is let in again."""

    @classmethod
    def of_x(cls) -> Cadence:
        """X allows 300 reads of mentions and 15 of direct messages in 15 minutes."""
        return cls(every_s={"mentions": 12.0, "direct": 65.0})

    @classmethod
    def of_sandbox(cls) -> Cadence:
        """Often enough that a demo feels alive."""
        return cls(every_s={"mentions": 0.7, "direct": 0.7}, overlap_s=60.0, longest_pause_s=5.0, halt_pause_s=5.0)


class _Backlog:
    """What was read of a feed since its cursor, newest first, before it goes into the inbox oldest first."""

    def __init__(self, since: str, began: datetime) -> None:
        """`began`: when its first page was asked for; what was written later may be missing."""
        self.since = since
        self.began = began
        self.messages: dict[str, Message] = {}
        self.newest_id: str | None = None
        self.older: str | None = None
        self.failures = 0

    def add(self, page: Page) -> None:
        for message in page.messages:
            self.messages.setdefault(message.id, message)
        if page.newest_id and (self.newest_id is None or int(page.newest_id) > int(self.newest_id)):
            self.newest_id = page.newest_id
        self.older, self.failures = page.older, 0

    def oldest_first(self) -> list[Message]:
        return sorted(self.messages.values(), key=lambda message: int(message.platform_id))


class Ingress:
    """Reads every feed of a channel while this process is the one reader of the account."""

    def __init__(
        self,
        *,
        inlet: Inlet,
        ledger: Ledger,
        leases: Leases,
        clock: Clock,
        cadence: Cadence,
        metrics: IngressMetrics | None = None,
    ) -> None:
        """`leases`: role `ingress` on the account alone. `metrics`: exported by nobody unless given."""
        self._metrics = metrics or IngressMetrics(CollectorRegistry())
        self._inlet = inlet
        self._ledger = ledger
        self._leases = leases
        self._clock = clock
        self._cadence = cadence
        self._leased_until = 0.0
        self._stored: OrderedDict[str, None] = OrderedDict()
        self._backlogs: dict[str, _Backlog] = {}
        self._troubles: dict[str, str] = {"lease": "It has not started yet."}

    @property
    def trouble(self) -> str | None:
        """Why the account is not being read as it should, in one line; None while all is well."""
        return "; ".join(f"{what}: {why}" for what, why in sorted(self._troubles.items())) or None

    async def run(self, stop: asyncio.Event) -> None:
        """Reads until `stop` is set, then gives the account to the next reader."""
        feeds = [asyncio.create_task(self._read_on(feed, stop)) for feed in self._inlet.feeds]
        try:
            while not stop.is_set():
                await self._renew()
                await pause(stop, self._cadence.renew_s)
        finally:
            await asyncio.gather(*feeds)
            await self._give_up_lease()

    async def read(self, feed: str) -> TryLater | Halted | None:
        """Reads a feed once, to its end: everything new is in the inbox, and then the cursor moves."""
        backlog = self._backlogs.get(feed)
        if backlog is None:
            backlog = self._backlogs[feed] = _Backlog(await self._since(feed), self._clock.now())
        failure = await self._collect(feed, backlog)
        if failure is not None:
            backlog.failures += 1
            if backlog.older is None or backlog.failures >= RESUMES_BEFORE_A_FRESH_START:
                del self._backlogs[feed]
            return failure
        del self._backlogs[feed]
        for message in backlog.oldest_first():
            await self._store(message)
        if backlog.newest_id:
            await self._ledger.set_cursor(feed, backlog.newest_id, self._clock.now())
        await self._ledger.mark_read(self._inlet.feeds[feed], backlog.began, self._clock.now())
        return None

    async def _collect(self, feed: str, backlog: _Backlog) -> TryLater | Halted | None:
        while True:
            result = await self._inlet.fetch(feed, backlog.since, backlog.older)
            if not isinstance(result, Page):
                return result
            backlog.add(result)
            if result.older is None:
                return None

    async def _since(self, feed: str) -> str:
        cursor = await self._ledger.cursor(feed)
        if cursor is None:
            now = self._clock.now()
            cursor = self._inlet.cursor_at(now - timedelta(seconds=self._cadence.oldest_s))
            await self._ledger.set_cursor(feed, cursor, now)
        return self._inlet.cursor_before(cursor, self._cadence.overlap_s)

    async def _store(self, message: Message) -> None:
        if message.id in self._stored:
            return
        now = self._clock.now()
        ruling = await self._ledger.receive(message, now)
        if ruling.result == "stored":
            self._metrics.received(message, now)
            log.info("message_received", conversation=message.conversation, message=message.id, place=message.place)
        self._stored[message.id] = None
        while len(self._stored) > self._cadence.remembered:
            self._stored.popitem(last=False)

    async def _read_on(self, feed: str, stop: asyncio.Event) -> None:
        pauses = Pauses(first_s=self._cadence.first_pause_s, longest_s=self._cadence.longest_pause_s)
        while not stop.is_set():
            if not self._is_reader:
                await pause(stop, self._cadence.renew_s / 4)
                continue
            await pause(stop, await self._read_once(feed, pauses))

    async def _read_once(self, feed: str, pauses: Pauses) -> float:
        """One read whatever happens; returns the seconds until the next."""
        try:
            failure = await self.read(feed)
        except AWAY_OR_FULL as error:
            self._troubles[feed] = f"the ledger does not answer ({type(error).__name__})"
            self._metrics.read_failed(feed, "ledger")
            return pauses.next_s()
        except Exception:  # the edge of this loop: one bad answer must not end the reading
            log.exception("ingress_failed", feed=feed)
            self._troubles[feed] = "a fault of ours; see the log"
            self._metrics.read_failed(feed, "fault")
            return pauses.next_s()
        if failure is None:
            pauses.succeeded()
            self._troubles.pop(feed, None)
            self._metrics.read(feed, self._clock.now())
            return self._cadence.every_s[feed]
        self._troubles[feed] = failure.detail
        self._metrics.read_failed(feed, "halted" if isinstance(failure, Halted) else "later")
        log.warning("ingress_waits", feed=feed, why=type(failure).__name__, detail=failure.detail)
        if isinstance(failure, Halted):
            return self._cadence.halt_pause_s
        return self._until(failure.at) if failure.at else pauses.next_s()

    def _until(self, moment: datetime) -> float:
        return max((moment - self._clock.now()).total_seconds(), 0.1)

    @property
    def _is_reader(self) -> bool:
        return ACCOUNT in self._leases.held and asyncio.get_running_loop().time() < self._leased_until

    async def _renew(self) -> None:
        began = asyncio.get_running_loop().time()
        try:
            await self._leases.renew(self._clock.now())
        except AWAY_OR_FULL as error:
            self._troubles["lease"] = f"the ledger does not answer ({type(error).__name__})"
            return
        except Exception:  # the edge of this loop: without a lease nothing is read, and operators are told
            log.exception("ingress_lease_failed")
            self._troubles["lease"] = "a fault of ours; see the log"
            return
        self._leased_until = began + self._leases.ttl_s
        self._troubles.pop("lease", None)

    async def _give_up_lease(self) -> None:
        try:
            await self._leases.release_all(self._clock.now())
        except AWAY_OR_FULL as error:
            log.warning("lease_left_to_expire", error=type(error).__name__)
