"""One customer's data: all of it shown, and all of it gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import time

import pytest

from actions.attempt_count import RedisAttemptCount
from handoff.connection import connect
from handoff.customers import NobodyFound, SeveralFound, exported, find
from handoff.erasure import Erasure, StillGoingOut
from handoff.ledger import Turn
from handoff.outbox import Outbox
from handoff.retention import Retention
from handoff.words import Customer, Entry, EntryState, Outcome, Place, Reason
from tests.support.cases import House
from tests.support.desk import open_office
from tests.support.held import keys_that_tell_of

PARTITIONS = 4
RETENTION = Retention(purge_at=time(3, 30), transcripts=30, cases=60, customers=90, journal=100, tombstones=10)
ZOE = Customer(id="900700500300100", handle="zoe_flies", name="Zoë Hartmann-Quill")
BEN = Customer(id="900700500300101", handle="ben_waits", name="Ben Other")
SECRET = 'my passport is PQ-77-ÄÖ "quoted"'


@pytest.fixture
async def house(redis_url: str) -> AsyncIterator[House]:
    redis = connect(redis_url)
    yield House(redis, partitions=PARTITIONS)
    await redis.aclose()


def an_erasure(house: House) -> Erasure:
    return Erasure(house.redis, house.transitions, partitions=PARTITIONS, retention=RETENTION)


def an_outbox(house: House) -> Outbox:
    return Outbox(house.redis, house.transitions, partitions=PARTITIONS)


async def a_fence(house: House, customer: Customer = ZOE) -> int:
    arguments = {"role": "delivery", "holder": "test", "ttl_ms": 600_000, "grace_ms": 0}
    partition = house.ledger.partition_of(f"x:{customer.id}")
    return (await house.transitions.run("lease", partition, house.now(), arguments)).fence or 0


async def is_said(house: House, customer: Customer = ZOE) -> None:
    """Delivery says what is due."""
    outbox, fence = an_outbox(house), await a_fence(house, customer)
    while claim := await outbox.claim(f"x:{customer.id}", fence, house.now()):
        await outbox.settle(claim.entry, fence, EntryState.SENT, house.now(), external_id="1234567")


async def a_life(house: House, customer: Customer = ZOE) -> tuple[str, list[str]]:
    """Answered in both places, once a case, now in Ana's hands with a note and words on their way."""
    first = await house.writes("where does flight KA12 stand, says " + customer.name, customer=customer)
    await house.bot_turn(customer, says="Your flight, dear unmistakable Zoë, is on time.")
    await is_said(house, customer)
    case = await house.opens_case(SECRET, customer=customer, place=Place.PRIVATE, rich=True)
    await is_said(house, customer)
    taken = await house.desk.take(case, "ana", await epoch(house, customer), house.now())
    await house.desk.resolve(case, "ana", taken.epoch or 0, 999, house.now())
    case = await house.opens_case("and again, unheard", customer=customer, reason=Reason.LEGAL)
    taken = await house.desk.take(case, "ana", await epoch(house, customer), house.now())
    await house.desk.note(case, "ana", "she sounds desperate, call back", house.now())
    entry = Entry(
        id="reply-1", conversation=first.conversation, author="agent:ana", place=Place.PUBLIC, text="Unsent words, Zoë",
        reply_to=first.platform_id, customer_id=customer.id, created_at=house.now(),
    )  # fmt: skip
    ruling = await house.desk.reply(case, "ana", entry, taken.epoch or 0, 999, house.now())
    assert ruling.result == "queued"
    await house.queue.mark_seen(first.conversation, "ana", 3)
    await RedisAttemptCount(house.redis).failed("KA-482913", customer.id, "attempt")
    last = await house.writes("still waiting", customer=customer)
    return case, [first.id, last.id]


async def epoch(house: House, customer: Customer = ZOE) -> int:
    snapshot = await house.ledger.snapshot(f"x:{customer.id}")
    assert snapshot is not None
    return snapshot.conversation.epoch


NEEDLES = [
    ZOE.id, ZOE.handle, ZOE.name, "where does flight KA12 stand", "unmistakable", SECRET, "and again, unheard",
    "desperate", "Unsent words", "still waiting",
]  # fmt: skip


async def test_after_an_erasure_no_key_tells_of_the_customer(house: House) -> None:
    case, messages = await a_life(house)
    needles = [*NEEDLES, *messages]
    before = await keys_that_tell_of(house.redis, needles)
    assert all(before.values()), "the search finds what is there"
    kinds = {key.partition(":")[2].partition(":")[0] for key in before[ZOE.id]}
    assert kinds >= {"conv", "message", "entry", "case", "journal", "done", "order"}

    held = await find(house.redis, "@Zoe_Flies", partitions=PARTITIONS)
    erased = await an_erasure(house).erase(held.conversation, house.now)
    await RedisAttemptCount(house.redis).forget(held.id)

    assert erased.case == case
    assert erased.counts["messages"] == 4
    assert (erased.counts["entries"], erased.counts["unsent"], erased.counts["cases"]) == (4, 2, 2)
    after = await keys_that_tell_of(house.redis, needles)
    assert {needle: keys for needle, keys in after.items() if keys} == {}


async def test_a_neighbour_loses_nothing(house: House) -> None:
    await a_life(house)
    await house.writes("hello", customer=BEN)
    await house.bot_turn(BEN, says="Hello Ben.")
    before = await exported(
        house.redis, await find(house.redis, BEN.id, partitions=PARTITIONS), house.now(),
        partitions=PARTITIONS, wrong_tries=0,
    )  # fmt: skip

    await an_erasure(house).erase(f"x:{ZOE.id}", house.now)

    after = await exported(
        house.redis, await find(house.redis, BEN.id, partitions=PARTITIONS), house.now(),
        partitions=PARTITIONS, wrong_tries=0,
    )  # fmt: skip
    assert {**before, "exported_at": ""} == {**after, "exported_at": ""}


async def test_what_accounting_needs_is_kept_as_numbers(house: House) -> None:
    await a_life(house)
    partition = house.ledger.partition_of(f"x:{ZOE.id}")

    erased = await an_erasure(house).erase(f"x:{ZOE.id}", house.now)

    numbers = await house.redis.hgetall(f"{partition}:erased")
    kinds = {str(field).partition(" ")[2]: int(count) for field, count in numbers.items()}
    assert sum(kinds.values()) == erased.counts["journal"]
    assert (kinds["message_received"], kinds["outcome answered"], kinds["outcome case_opened"]) == (4, 1, 2)
    last = [fields for _, fields in await house.ledger.journal(partition)][-1]
    assert (last["kind"], last["conversation"]) == ("customer_erased", "")
    assert '"messages":4' in last["facts"]


async def test_the_count_of_wrong_tries_outlives_who_tried(house: House) -> None:
    counts = RedisAttemptCount(house.redis)
    await counts.failed("KA-1", ZOE.id, "one")
    await counts.failed("KA-1", BEN.id, "two")

    assert await counts.tries_of(ZOE.id) == 1
    assert await counts.forget(ZOE.id) == 1

    assert await counts.count("KA-1") == 2
    assert (await counts.tries_of(ZOE.id), await counts.tries_of(BEN.id)) == (0, 1)


async def test_a_reply_that_may_be_going_out_is_waited_for(house: House) -> None:
    await house.writes("hello", customer=ZOE)
    await house.bot_turn(ZOE, says="Hello Zoë.")
    outbox, fence, key = an_outbox(house), await a_fence(house), f"x:{ZOE.id}"
    claim = await outbox.claim(key, fence, house.now())
    assert claim is not None
    with pytest.raises(StillGoingOut, match="Nothing was erased"):
        await an_erasure(house).erase(key, house.now, wait_s=0)
    assert len(await house.texts(ZOE)) == 1

    told = asyncio.Event()
    erasing = asyncio.create_task(an_erasure(house).erase(key, house.now, waits=told.set, look_s=0.01))
    await told.wait()
    await outbox.settle(claim.entry, fence, EntryState.SENT, house.now(), external_id="55")

    assert (await erasing).counts["entries"] == 1
    assert await house.ledger.snapshot(key) is None


async def test_who_writes_again_begins_anew_and_the_erased_is_not_taken_in_again(house: House) -> None:
    _, messages = await a_life(house)
    key = f"x:{ZOE.id}"
    old = await house.ledger.transcript(key)
    await an_erasure(house).erase(key, house.now)

    again = [line.message for line in old if line.message]
    assert {(await house.ledger.receive(message, house.now())).result for message in again} == {"duplicate"}
    await house.writes("good morning", customer=ZOE)

    snapshot = await house.ledger.snapshot(key)
    assert snapshot is not None
    assert (snapshot.conversation.owner.kind, snapshot.conversation.epoch, snapshot.conversation.case) == (
        "bot",
        1,
        None,
    )
    assert [message.text for message in snapshot.waiting] == ["good morning"]
    assert messages


async def test_a_turn_decided_before_the_erasure_stores_nothing_after_it(house: House) -> None:
    message = await house.writes("hello", customer=ZOE)
    await house.writes("hello", customer=BEN)
    await house.bot_turn(BEN)
    arguments = {"role": "responder", "holder": "test", "ttl_ms": 600_000, "grace_ms": 0}
    partition = house.ledger.partition_of(message.conversation)
    fence = (await house.transitions.run("lease", partition, house.now(), arguments)).fence or 0
    turn = Turn(
        turn_id="t1", conversation=message.conversation, fence=fence, epoch=1, messages=(message.id,),
        outcome=Outcome.SILENT, rule="thanks",
    )  # fmt: skip

    await an_erasure(house).erase(message.conversation, house.now)

    assert (await house.ledger.commit_turn(turn, house.now())).result == "stale_epoch"
    await house.writes("hello again", customer=ZOE)
    assert (await house.ledger.commit_turn(turn, house.now())).result == "not_waiting"


async def test_an_erasure_that_was_cut_off_is_ended_by_the_next(house: House) -> None:
    await a_life(house)
    key = f"x:{ZOE.id}"
    arguments = {"conversation": key, "tombstones_ms": 1000}
    await house.transitions.run("erase", house.ledger.partition_of(key), house.now(), arguments)
    assert (await keys_that_tell_of(house.redis, [ZOE.id]))[ZOE.id]

    assert await an_erasure(house).end_begun(house.now()) == 1
    await RedisAttemptCount(house.redis).forget(ZOE.id)

    assert await keys_that_tell_of(house.redis, [ZOE.id]) == {ZOE.id: []}
    assert await an_erasure(house).end_begun(house.now()) == 0


async def test_agents_see_why_a_case_is_gone(redis_url: str) -> None:
    async with open_office(redis_url) as office:
        case, _ = await a_life(office.house)
        ana = await office.agent("ana")
        page = await ana.case(case)
        assert page.status == 200
        await an_erasure(office.house).erase(f"x:{ZOE.id}", office.house.now)

        gone = await ana.case(case)
        refused = await ana.replies(case, page, "too late")

        assert gone.status == refused.status == 410
        assert "its customer's data were erased" in gone.text
        assert (await ana.opens("/console/")).status == 200
        stored = await office.house.desk.case(case)
        assert stored is not None
        assert (stored.state, stored.resolution) == ("resolved", "erased")
        ruling = await office.house.desk.note(case, "ana", "what happened?", office.house.now())
        assert ruling.result == "erased"


async def test_an_export_shows_everything_held(house: House) -> None:
    case, messages = await a_life(house)
    held = await find(house.redis, ZOE.id, partitions=PARTITIONS)

    told = await exported(house.redis, held, house.now(), partitions=PARTITIONS, wrong_tries=1)

    assert told["customer"] == ZOE.model_dump()
    assert told["counts"] | {"journal": 0, "events": 0} == {
        "messages": 4, "entries": 4, "events": 0, "cases": 2, "journal": 0, "wrong_verification_tries": 1,
    }  # fmt: skip
    assert [message["json"]["text"] for message in told["messages"]][1:3] == [SECRET, "and again, unheard"]
    assert [entry["state"] for entry in told["entries"]] == ["sent", "sent", "queued", "queued"]
    assert told["cases"][1]["id"] == case
    assert told["cases"][1]["packet"]["transcript"][1]["text"].startswith("Your flight")
    assert "she sounds desperate, call back" in [event.get("text") for event in told["events"]]
    assert told["conversation"]["read_by_agents"] == {"ana": "3"}
    assert {line["conversation"] for line in told["journal"]} == {held.conversation}
    assert told["messages"][0]["received_at"].startswith("20")
    assert messages[0] == told["messages"][0]["id"]


async def test_a_customer_is_found_by_id_or_handle_and_by_nothing_else(house: House) -> None:
    numbered = Customer(id="5", handle=ZOE.id)
    for customer in (ZOE, BEN, numbered):
        await house.writes("hello", customer=customer)

    for who in ("zoe_flies", "@ZOE_FLIES"):
        assert (await find(house.redis, who, partitions=PARTITIONS)).customer == ZOE
    assert (await find(house.redis, f"@{ZOE.id}", partitions=PARTITIONS)).customer == numbered
    with pytest.raises(SeveralFound, match=f"5.*{ZOE.id}"):
        await find(house.redis, ZOE.id, partitions=PARTITIONS)
    for nobody in ("zoe", "12", "", "@", "*"):
        with pytest.raises(NobodyFound):
            await find(house.redis, nobody, partitions=PARTITIONS)
