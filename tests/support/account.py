"""Ingress and delivery on a real ledger, and ways to wait for what they do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.brakes import Pace
from bot.channels.channel import Inlet, Outlet
from bot.channels.ingress import Cadence, Ingress
from bot.channels.x.rules import XRules
from bot.clock import SystemClock
from bot.delivery import Delivery
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.words import Entry, Message, NewCase, Outcome, Place, Reason
from tests.support.ledger import House, a_turn

QUICK_CADENCE = Cadence(
    every_s={"mentions": 0.05, "direct": 0.05},
    overlap_s=60.0,
    renew_s=0.1,
    first_pause_s=0.05,
    longest_pause_s=0.2,
    halt_pause_s=0.2,
)
QUICK_PACE = Pace(
    poll_s=0.02, renew_s=0.1, look_after_s=0.15, first_pause_s=0.05, longest_pause_s=0.2, halt_pause_s=0.2
)


async def until(condition: Callable[[], Awaitable[Any]], *, limit_s: float = 15.0) -> Any:
    """Waits for what must come true; its last value."""
    async with asyncio.timeout(limit_s):
        while not (found := await condition()):  # noqa: ASYNC110 - what is waited for lies in Redis or in the sandbox
            await asyncio.sleep(0.01)
        return found


@dataclass(kw_only=True)
class Desk:
    """Whoever gets what could not be said."""

    told: list[tuple[str, str]] = field(default_factory=list)

    async def case_for(self, entry: Entry, rule: str, detail: str, now: datetime) -> NewCase | None:
        self.told.append((entry.id, rule))
        return NewCase(reason=Reason.NOT_DELIVERED, packet=json.dumps({"rule": rule}))


def ingress_of(house: House, inlet: Inlet, *, holder: str = "one", cadence: Cadence = QUICK_CADENCE) -> Ingress:
    leases = Leases(
        house.redis, house.transitions, role="ingress", holder=holder, partitions=[ACCOUNT], ttl_s=2.0, grace_s=0.0
    )
    return Ingress(inlet=inlet, ledger=house.ledger, leases=leases, clock=SystemClock(), cadence=cadence)


def delivery_of(
    house: House,
    outlet: Outlet,
    *,
    holder: str = "one",
    desk: Desk | None = None,
    pace: Pace = QUICK_PACE,
    ttl_s: float = 2.0,
) -> Delivery:
    return Delivery(
        outbox=house.outbox,
        ledger=house.ledger,
        leases=house.leases("delivery", holder, ttl_s=ttl_s, grace_s=outlet.call_limit_s),
        outlet=outlet,
        rules=XRules(),
        case_for=(desk or Desk()).case_for,
        clock=SystemClock(),
        pace=pace,
    )


@asynccontextmanager
async def running(*parts: Ingress | Delivery) -> AsyncIterator[None]:
    """The parts at work, stopped in good order at the end of the block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(part.run(stop)) for part in parts]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def waiting_messages(house: House, conversation: str) -> list[Message]:
    snapshot = await house.ledger.snapshot(conversation)
    return list(snapshot.waiting) if snapshot else []


async def answer(house: House, message: Message, *texts: str, author: str = "bot", **more: Any) -> list[Entry]:
    """The bot's turn about a message that waits, with these replies in the outbox."""
    conversation = message.conversation
    await house.ledger.receive(message, datetime.now(UTC))
    entries = tuple(
        Entry(
            id=f"{message.platform_id}-{number}",
            conversation=conversation,
            author=author,
            place=message.place,
            text=text,
            reply_to=message.platform_id if message.place is Place.PUBLIC else None,
            customer_id=message.customer.id,
            created_at=datetime.now(UTC),
            **more,
        )
        for number, text in enumerate(texts)
    )
    fence = await house.fence("responder", conversation)
    snapshot = await house.ledger.snapshot(conversation)
    assert snapshot is not None
    turn = a_turn(
        conversation,
        [waiting.id for waiting in snapshot.waiting],
        fence=fence,
        epoch=snapshot.conversation.epoch,
        entries=entries,
        outcome=Outcome.ANSWERED,
    )
    ruling = await house.ledger.commit_turn(turn, datetime.now(UTC))
    assert ruling.result == "committed", ruling
    return list(entries)


async def state_of(house: House, entry: Entry) -> str:
    return (await house.outbox.record(entry.id, entry.conversation)).get("state", "")


async def until_state(house: House, entry: Entry, *states: str, limit_s: float = 15.0) -> dict[str, str]:
    """The entry's record once it stands in one of these states."""

    async def reached() -> dict[str, str] | None:
        record = await house.outbox.record(entry.id, entry.conversation)
        return record if record.get("state") in states else None

    found: dict[str, str] = await until(reached, limit_s=limit_s)
    return found


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(milliseconds=1)
