"""A ledger on a real Redis, and the values that tests put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis

from handoff.announcing import Announcing
from handoff.connection import connect
from handoff.desk import Desk
from handoff.leases import Leases
from handoff.ledger import Ledger, Turn
from handoff.outbox import Outbox
from handoff.scripts import Transitions
from handoff.words import Customer, Entry, Message, NewCase, Outcome, Place, Reason

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PARTITIONS = 4


@dataclass(frozen=True, kw_only=True)
class House:
    """The parts of one ledger."""

    redis: Redis
    transitions: Transitions
    ledger: Ledger
    desk: Desk
    outbox: Outbox
    announcing: Announcing

    def leases(self, role: str, holder: str, *, ttl_s: float = 30.0, grace_s: float = 0.0) -> Leases:
        return Leases(
            self.redis,
            self.transitions,
            role=role,
            holder=holder,
            partitions=self.ledger.partitions,
            ttl_s=ttl_s,
            grace_s=grace_s,
        )

    async def fence(self, role: str, conversation: str, holder: str = "one") -> int:
        """The fence of a fresh or renewed lease on the conversation's partition."""
        held = await self.leases(role, holder).renew(NOON)
        return held[self.ledger.partition_of(conversation)]

    async def give_up(self, role: str, holder: str) -> None:
        """The holder ends in good order: its leases are free at once."""
        leases = self.leases(role, holder)
        await leases.renew(NOON)
        await leases.release_all(NOON)


@asynccontextmanager
async def house_on(
    url: str, *, time_limit_s: float = 5.0, patience_s: float = 20.0, partitions: int = PARTITIONS
) -> AsyncIterator[House]:
    redis = connect(url, time_limit_s=time_limit_s)
    transitions = Transitions(redis, patience_s=patience_s)
    try:
        yield House(
            redis=redis,
            transitions=transitions,
            ledger=Ledger(redis, transitions, partitions=partitions),
            desk=Desk(redis, transitions, partitions=partitions),
            outbox=Outbox(redis, transitions, partitions=partitions),
            announcing=Announcing(redis, transitions, partitions=partitions),
        )
    finally:
        await redis.aclose()


def a_customer(number: int = 1) -> Customer:
    return Customer(id=str(1000 + number), handle=f"customer{number}", name=f"Customer {number}")


def a_message(
    number: int = 1,
    *,
    customer: Customer | None = None,
    text: str = "Where is my bag?",
    place: Place = Place.PUBLIC,
    sent_at: datetime = NOON,
    summons_us: bool = True,
) -> Message:
    kind = "post" if place is Place.PUBLIC else "dm"
    return Message(
        id=f"{kind}:{number}",
        customer=customer or a_customer(),
        place=place,
        text=text,
        sent_at=sent_at,
        thread=f"{number}",
        summons_us=summons_us,
    )


def an_entry(conversation: str, number: int = 1, *, author: str = "bot", place: Place = Place.PUBLIC) -> Entry:
    return Entry(
        id=f"e{number}",
        conversation=conversation,
        author=author,
        place=place,
        text=f"Answer number {number}.",
        reply_to="1" if place is Place.PUBLIC else None,
        customer_id=conversation.partition(":")[2],
        created_at=NOON,
    )


def a_case(reason: Reason = Reason.COMPLAINT, *, priority: int = 50) -> NewCase:
    return NewCase(reason=reason, priority=priority, packet='{"schema_version": 1}')


def a_turn(
    conversation: str,
    messages: list[str],
    *,
    fence: int,
    epoch: int = 1,
    entries: tuple[Entry, ...] = (),
    case: NewCase | None = None,
    outcome: Outcome | None = None,
) -> Turn:
    ended = outcome or (Outcome.CASE_OPENED if case else Outcome.ANSWERED)
    return Turn(
        turn_id="t-" + "-".join(messages),
        conversation=conversation,
        fence=fence,
        epoch=epoch,
        messages=tuple(messages),
        outcome=ended,
        entries=entries,
        case=case,
        tracker='{"events": []}',
        memory="{}",
    )


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)
