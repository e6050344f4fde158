"""Whatever goes wrong between us and the platform: each reply is said exactly once, or visibly is not."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.brakes import Pace
from bot.channels.x.rules import XRules
from bot.delivery import Delivery
from handoff.words import FINAL_STATES, Entry, Message, Outcome, Place
from tests.support.account import Desk
from tests.support.ledger import NOON, House, a_customer, a_message, a_turn, house_on
from tests.support.memory_channel import MemoryChannel

SEND_FAULTS = ["ok", "ok", "lost_before", "lost_after", "not_sent", "halted", "crash_before", "crash_after"]
LOOK_FAULTS = ["ok", "ok", "fails"]
PACE = Pace(look_after_s=5.0, most_looks=12, most_doubts=3)
customers = count(1)


@dataclass
class VirtualClock:
    """Moves only when it is told to."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


def an_answer(message: Message, number: int, text: str) -> Entry:
    return Entry(
        id=f"{message.platform_id}-{number}",
        conversation=message.conversation,
        author="bot",
        place=message.place,
        text=text,
        reply_to=message.platform_id if message.place is Place.PUBLIC else None,
        customer_id=message.customer.id,
        created_at=NOON,
        expires_at=NOON + timedelta(hours=2),
    )


async def queue(house: House, texts: list[str], place: Place) -> list[Entry]:
    number = next(customers)
    message = a_message(number, customer=a_customer(number), place=place)
    await house.ledger.receive(message, NOON)
    entries = [an_answer(message, n, text) for n, text in enumerate(texts)]
    fence = await house.fence("responder", message.conversation)
    turn = a_turn(message.conversation, [message.id], fence=fence, entries=tuple(entries), outcome=Outcome.ANSWERED)
    assert (await house.ledger.commit_turn(turn, NOON)).result == "committed"
    return entries


async def deliver_everything(house: House, channel: MemoryChannel, clock: VirtualClock, entries: list[Entry]) -> Desk:
    desk = Desk()
    delivery = Delivery(
        outbox=house.outbox,
        ledger=house.ledger,
        leases=house.leases("delivery", "one", grace_s=1.0),
        outlet=channel,
        rules=XRules(),
        case_for=desk.case_for,
        clock=clock,
        pace=PACE,
    )
    await delivery.renew()
    for _ in range(400):
        await delivery.start_what_is_due()
        await delivery.finish_in_hand()
        await asyncio.sleep(0)  # what ended leaves the hand
        records = [await house.outbox.record(entry.id, entry.conversation) for entry in entries]
        if all(record["state"] in FINAL_STATES for record in records):
            return desk
        clock.moment += timedelta(seconds=1)
    raise AssertionError([record["state"] for record in records])


async def check(url: str, texts: list[str], place: Place, sends: list[str], looks: list[str], *, closed: bool) -> None:
    clock = VirtualClock()
    channel = MemoryChannel(clock=clock, send_faults=deque(sends), look_faults=deque(looks))
    async with house_on(url) as house:
        await house.redis.flushall()
        entries = await queue(house, texts, place)
        if closed:
            channel.closed_to.add(entries[0].customer_id)
        desk = await deliver_everything(house, channel, clock, entries)
        said = [item.entry.id for item in channel.said]
        assert said == sorted(set(said), key=said.index), "said twice"
        assert said == [entry.id for entry in entries if entry.id in said], "out of order"
        for entry in entries:
            record = await house.outbox.record(entry.id, entry.conversation)
            times = said.count(entry.id)
            match record["state"]:
                case "sent":
                    assert times == 1
                    assert record["external_id"] == next(s.id for s in channel.said if s.entry.id == entry.id)
                case "blocked" | "cancelled":
                    assert times == 0
                case "dead":
                    assert (entry.id, record["detail"]) in desk.told
        if any(
            state == "blocked"
            for state in [(await house.outbox.record(e.id, e.conversation))["state"] for e in entries]
        ):
            assert await house.desk.open_cases()


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["Yes.", "No.", "Perhaps."]), min_size=1, max_size=3),
    place=st.sampled_from(list(Place)),
    sends=st.lists(st.sampled_from(SEND_FAULTS), max_size=8),
    looks=st.lists(st.sampled_from(LOOK_FAULTS), max_size=8),
    closed=st.booleans(),
)
def test_each_reply_is_said_exactly_once_or_visibly_not(
    redis_server: str, texts: list[str], place: Place, sends: list[str], looks: list[str], closed: bool
) -> None:
    asyncio.run(check(redis_server, texts, place, sends, looks, closed=closed))


def test_a_timeline_that_shows_a_reply_late_does_not_make_it_double(redis_url: str) -> None:
    asyncio.run(check(redis_url, ["Yes."], Place.PRIVATE, ["lost_after"], ["lags"], closed=False))


def test_failed_looks_between_two_clean_ones_begin_the_count_anew(redis_url: str) -> None:
    looks = ["lags", "fails", "lags", "fails", "ok"]
    asyncio.run(check(redis_url, ["Yes."], Place.PRIVATE, ["crash_after"], looks, closed=False))


def test_what_may_have_gone_out_is_never_said_in_other_words(redis_url: str) -> None:
    looks = ["lags", "lags", "lags"]  # so late that it is sent again, and refused as said already
    asyncio.run(check(redis_url, ["Yes."], Place.PUBLIC, ["lost_after"], looks, closed=False))
