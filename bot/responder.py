"""START HERE: one message from inbox to outbox.

A responder leases partitions, sees which conversations have waiting messages, and gives each burst one turn: it
reads the conversation, decides (turns.py), and stores everything the turn changed by one script. A crash before
that script leaves the messages waiting as if nothing had happened; after it they are done.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from bot.burst import Gathering, first_burst
from bot.clock import Clock
from bot.ending import beside
from bot.metrics import ResponderMetrics
from bot.pauses import pause
from bot.turns import Turns
from handoff.changes import Changes
from handoff.leases import Leases
from handoff.ledger import Ledger, Snapshot
from handoff.scripts import AWAY_OR_FULL, LOST, LedgerAway

log = structlog.get_logger()


class Responder:
    """Handles the messages of one conversation in order, different conversations side by side."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        leases: Leases,
        turns: Turns,
        clock: Clock,
        arrivals: Changes,
        poll_s: float = 0.25,
        renew_s: float = 1.0,
        side_by_side: int = 16,
        most_failures: int = 3,
        gathering: Gathering | None = None,
        metrics: ResponderMetrics | None = None,
    ) -> None:
        """`arrivals`: what saves waiting for the next look at the inbox, every `poll_s`; `renew_s`: of the leases.

        `metrics`: exported by nobody unless given.
        """
        self._metrics = metrics or ResponderMetrics(CollectorRegistry())
        self._ledger = ledger
        self._leases = leases
        self._turns = turns
        self._clock = clock
        self._poll_s = poll_s
        self._renew_s = renew_s
        self._slots = asyncio.Semaphore(side_by_side)
        self._arrivals = arrivals
        self._is_working = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._arrived: set[str] = set()
        """Conversations in which a message came in while they were being answered."""
        self._unstored: set[str] = set()
        self._most_failures = most_failures
        self._gathering = gathering or Gathering()
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        """Conversations whose last turn could not be stored."""
        self._troubles: dict[str, str] = {"lease": "It has not started yet."}

    @property
    def trouble(self) -> str | None:
        """Why it cannot work as it should, in one line; None while all is well."""
        troubles = dict(self._troubles)
        if self._unstored:
            troubles["turns"] = f"Turns of {len(self._unstored)} conversations could not be stored; messages wait."
        return " ".join(troubles[what] for what in sorted(troubles)) or None

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then finishes the turns in hand and gives its leases back."""
        renewing = asyncio.create_task(self._renew(stop))
        self._is_working = True
        try:
            async with beside(self._arrivals.follow(self._hear)):
                while not stop.is_set():
                    await self._look()
                    await pause(stop, self._poll_s)
        finally:
            self._is_working = False
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            await asyncio.gather(renewing, return_exceptions=True)
            await self._give_up_leases()

    async def respond(self, conversation: str, fence: int) -> str:
        """Gives the oldest waiting burst of a conversation its turn; returns what the ledger ruled."""
        began = asyncio.get_running_loop().time()
        snapshot = await self._ledger.snapshot(conversation)
        if snapshot is None or not snapshot.waiting:
            return "nothing"
        now = self._clock.now()
        left_s = self._gathering.left_s(snapshot, await self._read_until_ms(snapshot), now)
        if left_s > 0:
            self._not_before[conversation] = began + left_s
            asyncio.get_running_loop().call_at(began + left_s, self._hear, conversation)
            return "gathering"
        if self._failures.get(conversation, 0) >= self._most_failures:
            turn = self._turns.give_up(snapshot, fence, now)
        else:
            turn = await self._turns.decide(first_burst(snapshot), fence, now)
        ruling = await self._ledger.commit_turn(turn, self._clock.now())  # not `now`: a turn takes its time
        self._metrics.turn_ended(turn, ruling.result, asyncio.get_running_loop().time() - began)
        log.info(
            "turn",
            conversation=conversation,
            messages=list(turn.messages),
            turn=turn.turn_id,
            outcome=turn.outcome,
            rule=turn.rule,
            reason=turn.case.reason if turn.case else None,
            intent=turn.intent,
            result=ruling.result,
        )
        return ruling.result

    async def _read_until_ms(self, snapshot: Snapshot) -> int:
        return await self._ledger.read_until_ms(snapshot.waiting[-1].place) if self._gathering.quiet_s else 0

    async def _look(self) -> None:
        try:
            waiting = await self._ledger.waiting(list(self._leases.held))
        except (*LOST, LedgerAway) as error:
            self._say_trouble("inbox", f"Redis does not answer ({type(error).__name__}); messages wait.")
            return
        self._troubles.pop("inbox", None)
        self._unstored.intersection_update(waiting)
        now_s = asyncio.get_running_loop().time()
        self._not_before = {key: at for key, at in self._not_before.items() if at > now_s}
        for conversation in waiting:
            self._begin(conversation)

    def _hear(self, conversation: str) -> None:
        """A message came in, or the quiet after one is over; of EVERYTHING the next look tells."""
        if conversation in self._running:
            self._arrived.add(conversation)
        elif self._is_working and self._ledger.partition_of(conversation) in self._leases.held:
            self._begin(conversation)

    def _begin(self, conversation: str) -> None:
        if conversation in self._running or self._is_gathering(conversation):
            return
        task = asyncio.create_task(self._respond_to_all(conversation))
        self._running[conversation] = task
        task.add_done_callback(partial(self._forget, conversation))

    def _is_gathering(self, conversation: str) -> bool:
        return self._not_before.get(conversation, 0.0) > asyncio.get_running_loop().time()

    def _forget(self, conversation: str, _: asyncio.Task[None]) -> None:
        self._running.pop(conversation, None)
        if conversation in self._arrived:
            self._arrived.discard(conversation)
            self._hear(conversation)

    async def _respond_to_all(self, conversation: str) -> None:
        """Turn after turn until nothing of this conversation waits, or the lease is gone."""
        async with self._slots:
            while (fence := self._leases.held.get(self._ledger.partition_of(conversation))) is not None:
                result = await self._respond_safely(conversation, fence)
                if result == "lease_lost":
                    self._leases.forget(self._ledger.partition_of(conversation), fence)
                if result in ("nothing", "gathering", "lease_lost", "not_stored"):
                    return

    async def _respond_safely(self, conversation: str, fence: int) -> str:
        """One turn; when nothing could be stored the messages still wait, and are tried again after a pause."""
        try:
            result = await self.respond(conversation, fence)
        except AWAY_OR_FULL as error:
            log.warning("turn_not_stored", conversation=conversation, error=type(error).__name__)
            self._metrics.turn_failed("ledger")
        except Exception:
            self._failures[conversation] = self._failures.get(conversation, 0) + 1
            log.exception("turn_not_stored", conversation=conversation, failures=self._failures[conversation])
            self._metrics.turn_failed("fault")
        else:
            self._unstored.discard(conversation)
            self._failures.pop(conversation, None)
            return result
        self._unstored.add(conversation)
        await asyncio.sleep(self._renew_s)
        return "not_stored"

    async def _renew(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._leases.renew(self._clock.now())
                self._troubles.pop("lease", None)
            except AWAY_OR_FULL as error:
                self._say_trouble("lease", f"Leases cannot be renewed ({type(error).__name__}).")
            except Exception:  # the edge of this loop: without leases nobody is answered
                log.exception("leases_not_renewed")
                self._say_trouble("lease", "Leases cannot be renewed; see the log.")
            await pause(stop, self._renew_s)

    async def _give_up_leases(self) -> None:
        try:
            await self._leases.release_all(self._clock.now())
        except AWAY_OR_FULL:
            log.warning("leases_not_released", remedy="they end by themselves")

    def _say_trouble(self, what: str, why: str) -> None:
        if self._troubles.get(what) != why:
            log.warning("responder_in_trouble", what=what, why=why)
        self._troubles[what] = why
