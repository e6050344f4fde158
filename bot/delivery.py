"""Delivery: says what is in the outbox, in order per conversation, and never twice.

It leases partitions, and gives each conversation that is due one step (saying.py) at a time. A reply whose fate is
unknown holds its conversation until our own timeline, looked at twice with a delay, tells.
"""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import CollectorRegistry

from bot.brakes import Brakes, Pace
from bot.channels.channel import Outlet, SendRules
from bot.clock import Clock
from bot.metrics import DeliveryMetrics
from bot.pauses import pause
from bot.saying import CaseFor, Saying
from handoff.leases import Leases
from handoff.ledger import Ledger
from handoff.outbox import Outbox
from handoff.scripts import AWAY_OR_FULL

log = structlog.get_logger()

LEASE_MARGIN_S = 0.5


class Delivery:
    """Works on the conversations of the partitions it leases."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        ledger: Ledger,
        leases: Leases,
        outlet: Outlet,
        rules: SendRules,
        case_for: CaseFor,
        clock: Clock,
        pace: Pace,
        metrics: DeliveryMetrics | None = None,
    ) -> None:
        """`leases`: role `delivery`, with a grace of at least the outlet's longest call.

        `metrics`: exported by nobody unless given.
        """
        if leases.grace_s < outlet.call_limit_s:
            raise ValueError(f"The grace of the leases must be at least {outlet.call_limit_s:g} s, the longest call.")
        self._outbox = outbox
        self._ledger = ledger
        self._leases = leases
        self._clock = clock
        self._pace = pace
        self._brakes = Brakes(clock=clock, pace=pace)
        self._saying = Saying(
            outbox=outbox,
            ledger=ledger,
            outlet=outlet,
            rules=rules,
            case_for=case_for,
            clock=clock,
            pace=pace,
            brakes=self._brakes,
            may_call=self._may_call,
            metrics=metrics or DeliveryMetrics(CollectorRegistry()),
        )
        self._leased_until = 0.0
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._slot_free = asyncio.Event()
        self._is_crowded = False
        self._turn = 0
        self._troubles: dict[str, str] = {"lease": "It has not started yet."}

    @property
    def trouble(self) -> str | None:
        """Why replies do not go out as they should, in one line; None while all is well."""
        troubles = self._troubles | self._brakes.troubles
        return "; ".join(f"{what}: {why}" for what, why in sorted(troubles.items())) or None

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop` is set, then ends the calls in hand and gives its leases back."""
        ended = asyncio.Event()
        renewing = asyncio.create_task(self._renew_until(ended))
        try:
            while not stop.is_set() and not renewing.done():
                self._slot_free.clear()
                await self.start_what_is_due()
                await pause(self._slot_free, self._pace.poll_s)
        finally:
            await self.finish_in_hand()
            ended.set()
            await renewing
            await self._give_up_leases()

    async def start_what_is_due(self) -> None:
        """Gives each conversation that is due, and not in hand, one step; `finish_in_hand` waits for their ends."""
        if not self._lease_holds():
            return
        try:
            for partition, fence in self._partitions_in_turn():
                for conversation in await self._outbox.due(partition, self._clock.now()):
                    if len(self._in_hand) >= self._pace.side_by_side:
                        self._is_crowded = True
                        return
                    if conversation not in self._in_hand:
                        self._start(conversation, fence)
            self._is_crowded = False
            self._troubles.pop("outbox", None)
        except AWAY_OR_FULL as error:
            self._troubles["outbox"] = f"the ledger does not answer ({type(error).__name__})"

    async def finish_in_hand(self) -> None:
        """Waits until no step is under way."""
        await asyncio.gather(*self._in_hand.values(), return_exceptions=True)

    def _start(self, conversation: str, fence: int) -> None:
        task = asyncio.create_task(self._deliver_safely(conversation, fence))
        self._in_hand[conversation] = task
        task.add_done_callback(lambda _: self._ended(conversation))

    def _ended(self, conversation: str) -> None:
        self._in_hand.pop(conversation, None)
        if self._is_crowded:
            self._slot_free.set()  # somebody waits: look at once

    def _partitions_in_turn(self) -> list[tuple[str, int]]:
        """Each look begins with another partition, so that a full one cannot starve the rest."""
        held = list(self._leases.held.items())
        self._turn = (self._turn + 1) % max(len(held), 1)
        return held[self._turn :] + held[: self._turn]

    async def _deliver_safely(self, conversation: str, fence: int) -> None:
        """Whatever fails here leaves the entry in `sending`, and it is looked for before it is sent again."""
        try:
            await self._saying.step(conversation, fence)
        except AWAY_OR_FULL as error:
            log.warning("delivery_interrupted", conversation=conversation, error=type(error).__name__)
        except Exception:  # the edge of the loop
            log.exception("delivery_failed", conversation=conversation)

    def _lease_holds(self) -> bool:
        return asyncio.get_running_loop().time() + LEASE_MARGIN_S < self._leased_until

    def _may_call(self, conversation: str, fence: int) -> bool:
        """Whether a call may begin: it ends within the grace that any next holder waits for."""
        partition = self._ledger.partition_of(conversation)
        return self._lease_holds() and self._leases.held.get(partition) == fence

    async def _renew_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await self.renew()
            await pause(ended, self._pace.renew_s)

    async def renew(self) -> None:
        """Renews the leases; those of conversations in hand are kept in any case."""
        began = asyncio.get_running_loop().time()
        try:
            await self._leases.renew(self._clock.now(), busy=self._busy)
        except AWAY_OR_FULL as error:
            self._troubles["lease"] = f"the ledger does not answer ({type(error).__name__})"
            return
        self._leased_until = began + self._leases.ttl_s
        self._troubles.pop("lease", None)

    def _busy(self) -> set[str]:
        return {self._ledger.partition_of(conversation) for conversation in self._in_hand}

    async def _give_up_leases(self) -> None:
        try:
            await self._leases.release_all(self._clock.now())
        except AWAY_OR_FULL as error:
            log.warning("leases_left_to_expire", error=type(error).__name__)
