"""Saying: one step for one conversation, that sends its next reply or looks for one whose fate is unknown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.brakes import Brakes, Pace
from bot.channels.channel import Absent, Halted, Outlet, Refused, Search, SendResult, SendRules, Sent, TryLater, Unknown
from bot.clock import Clock
from bot.metrics import DeliveryMetrics
from handoff.ledger import Ledger
from handoff.outbox import Claim, Outbox
from handoff.scripts import AWAY_OR_FULL
from handoff.words import Entry, EntryState, Message, NewCase

log = structlog.get_logger()

ABSENT_ONCE = "absent_once"

CaseFor = Callable[[Entry, str, str, datetime], Awaitable[NewCase | None]]
"""Entry, rule, detail, now -> the case that a person gets because it was not said."""


@dataclass(frozen=True, kw_only=True)
class _Hand:
    """A claim, and the lease under which it was made."""

    claim: Claim
    fence: int

    @property
    def entry(self) -> Entry:
        return self.claim.entry


class Saying:
    """Claims, sends or looks, and settles. Whatever fails in between leaves the entry to be looked for."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        ledger: Ledger,
        outlet: Outlet,
        rules: SendRules,
        case_for: CaseFor,
        clock: Clock,
        pace: Pace,
        brakes: Brakes,
        may_call: Callable[[str, int], bool],
        metrics: DeliveryMetrics,
    ) -> None:
        """`may_call`: whether the lease under this fence still covers a call for this conversation."""
        self._outbox = outbox
        self._ledger = ledger
        self._outlet = outlet
        self._rules = rules
        self._case_for = case_for
        self._clock = clock
        self._pace = pace
        self._brakes = brakes
        self._may_call = may_call
        self._metrics = metrics

    async def step(self, conversation: str, fence: int) -> None:
        """One step for a conversation: its first unfinished entry is sent, or looked for."""
        now = self._clock.now()
        stopped = await self._outbox.is_stopped()
        claim = await self._outbox.claim(
            conversation, fence, now, look_after_s=self._pace.look_after_s, stopped=stopped
        )
        if claim is None:
            return
        hand = _Hand(claim=claim, fence=fence)
        if claim.must_look:
            await self._look(hand)
        else:
            await self._say(hand)

    async def _say(self, hand: _Hand) -> None:
        entry, now = hand.entry, self._clock.now()
        paused_until = self._brakes.paused_until(entry.place)
        if paused_until:
            await self._settle(hand, EntryState.RETRY_AT, due_at=paused_until, detail="paused")
            return
        refused = self._rules.refusal(entry, await self._target(entry))
        if refused:
            await self._give_up(hand, EntryState.BLOCKED, refused.rule, refused.detail)
        elif entry.is_automated and await self._may_be_stopped():  # since it was claimed: the last look
            await self._settle(hand, EntryState.RETRY_AT, due_at=now, detail="stopped")
        elif not self._may_call(entry.conversation, hand.fence):
            await self._settle(hand, EntryState.RETRY_AT, due_at=now, detail="lease_ends")
        else:
            await self._record(hand, await self._outlet.send(entry))

    async def _record(self, hand: _Hand, result: SendResult) -> None:
        place, now = hand.entry.place, self._clock.now()
        match result:
            case Sent():
                self._brakes.went_well(place)
                await self._settle(hand, EntryState.SENT, external_id=result.external_id)
            case TryLater():
                brakes = self._brakes
                until = brakes.limited(place, result.at) if result.at else brakes.failed(place, result.detail)
                await self._settle(hand, EntryState.RETRY_AT, due_at=until, detail=result.detail)
            case Unknown():
                self._brakes.failed(place, result.detail)
                await self._settle(hand, EntryState.UNKNOWN, due_at=self._next_look(now), detail=result.detail)
            case Halted():
                await self._settle(
                    hand, EntryState.RETRY_AT, due_at=self._brakes.halt(result.detail), detail=result.detail
                )
            case Refused(rule="duplicate"):
                await self._record_duplicate(hand, result)
            case Refused():
                self._brakes.went_well(place)
                await self._give_up(hand, EntryState.BLOCKED, result.rule, result.detail)

    async def _record_duplicate(self, hand: _Hand, refused: Refused) -> None:
        """The platform has these words of ours already: from an earlier sending of this entry, or from another."""
        found = await self._find(hand)
        if isinstance(found, Sent):
            await self._settle(hand, EntryState.SENT, external_id=found.external_id, detail="found_after_duplicate")
        elif hand.claim.doubts > 0:
            due_at = self._next_look(self._clock.now())
            await self._settle(hand, EntryState.UNKNOWN, due_at=due_at, detail=refused.rule)
        elif not isinstance(found, Absent):
            due_at = self._next_look(self._clock.now())
            await self._settle(hand, EntryState.RETRY_AT, due_at=due_at, detail=found.detail)
        else:
            # Varying the words to slip past the duplicate rule would be evasion: a person decides.
            await self._give_up(hand, EntryState.BLOCKED, refused.rule, refused.detail)

    async def _look(self, hand: _Hand) -> None:
        """Two clean looks in a row that do not find it allow another sending."""
        claim, now = hand.claim, self._clock.now()
        result = await self._find(hand)
        if isinstance(result, Sent | Absent):
            self._brakes.went_well(hand.entry.place)
        match result:
            case Sent():
                await self._settle(hand, EntryState.SENT, external_id=result.external_id, detail="found")
            case Absent() if claim.detail != ABSENT_ONCE:
                await self._settle(hand, EntryState.UNKNOWN, due_at=self._next_look(now), detail=ABSENT_ONCE)
            case Absent() if claim.doubts >= self._pace.most_doubts:
                await self._give_up(hand, EntryState.DEAD, "never_certain", f"{claim.doubts} sendings got lost")
            case Absent():
                await self._settle(hand, EntryState.RETRY_AT, due_at=now, detail="absent_twice")
            case Halted():
                await self._settle(
                    hand, EntryState.UNKNOWN, due_at=self._brakes.halt(result.detail), detail=result.detail
                )
            case _ if claim.looks >= self._pace.most_looks:
                await self._give_up(hand, EntryState.DEAD, "cannot_look", result.detail)
            case _:
                until = result.at if isinstance(result, TryLater) and result.at else self._next_look(now)
                await self._settle(hand, EntryState.UNKNOWN, due_at=until, detail=result.detail)

    async def _find(self, hand: _Hand) -> Sent | Absent | TryLater | Unknown | Halted:
        since = datetime.fromtimestamp(hand.claim.queued_ms / 1000, UTC)  # it cannot have been said before
        search = Search(
            entry=hand.entry,
            since=since - timedelta(seconds=self._pace.clock_skew_s),
            known=await self._outbox.said(hand.entry.conversation),
        )
        return await self._outlet.find_sent(search)

    async def _give_up(self, hand: _Hand, state: EntryState, rule: str, detail: str) -> None:
        """It will not be said: whoever has the conversation sees that, and the bot gives it to a person."""
        await self._settle(hand, state, detail=rule, case=await self._case(hand.entry, rule, detail))

    async def _case(self, entry: Entry, rule: str, detail: str) -> NewCase | None:
        """The case for an entry; None leaves it to the transcript, where it stands as refused or given up."""
        try:
            return await self._case_for(entry, rule, detail, self._clock.now())
        except AWAY_OR_FULL:
            raise  # nothing is lost: the entry is looked at again
        except Exception:
            # Without this the entry would come back for ever and hold up its conversation.
            log.exception("no_case_for_entry", conversation=entry.conversation, entry=entry.id)
            return None

    async def _settle(
        self,
        hand: _Hand,
        state: EntryState,
        *,
        due_at: datetime | None = None,
        external_id: str | None = None,
        detail: str | None = None,
        case: NewCase | None = None,
    ) -> None:
        now = self._clock.now()
        ruling = await self._outbox.settle(
            hand.entry, hand.fence, state, now, due_at=due_at, external_id=external_id, detail=detail, case=case
        )
        waited_ms = int(now.timestamp() * 1000) - hand.claim.queued_ms
        if ruling.result == "settled":
            self._metrics.settled(hand.entry.place, state, waited_ms / 1000)
        log.info(
            "entry_settled",
            conversation=hand.entry.conversation,
            entry=hand.entry.id,
            place=hand.entry.place,
            state=state,
            detail=detail,
            external_id=external_id,
            case=ruling.case,
            result=ruling.result,
            waited_ms=waited_ms,
        )

    async def _may_be_stopped(self) -> bool:
        """Whether there is a stop; while nobody can tell, nothing automated is said."""
        try:
            return await self._outbox.is_stopped()
        except AWAY_OR_FULL:
            return True

    async def _target(self, entry: Entry) -> Message | None:
        if entry.reply_to is None:
            return None
        record = await self._ledger.message_record(entry.conversation, f"post:{entry.reply_to}")
        return Message.model_validate_json(record["json"]) if record else None

    def _next_look(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._pace.look_after_s)
