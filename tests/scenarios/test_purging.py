"""What the purge forgets, and what it leaves alone."""

from datetime import datetime, time, timedelta

import pytest

from handoff.purge import Purge, Purged
from handoff.retention import Retention
from handoff.words import EntryState, Place
from tests.support.ledger import NOON, PARTITIONS, House, a_case, a_customer, a_message, a_turn, an_entry

RETENTION = Retention(purge_at=time(3, 30), transcripts=30, cases=60, customers=90, journal=100, tombstones=10)


def days(number: float) -> datetime:
    return NOON + timedelta(days=number)


def a_purge(house: House) -> Purge:
    return Purge(house.redis, house.transitions, partitions=PARTITIONS, retention=RETENTION)


async def purged(house: House, at: datetime, *, only_count: bool = False) -> Purged:
    return await a_purge(house).run(at, only_count=only_count)


async def says(house: House, text: str, number: int, at: datetime = NOON, *, customer: int = 1) -> str:
    """A customer writes, the bot answers and is heard; returns the conversation."""
    message = a_message(number, customer=a_customer(customer), text=text)
    key = message.conversation
    await house.ledger.receive(message, at)
    fence = await house.fence("responder", key)
    turn = a_turn(key, [message.id], fence=fence, entries=(an_entry(key, number),))
    await house.ledger.commit_turn(turn, at)
    await is_heard(house, key, at)
    return key


async def is_heard(house: House, key: str, at: datetime) -> None:
    fence = await house.fence("delivery", key)
    while claim := await house.outbox.claim(key, fence, at):
        await house.outbox.settle(claim.entry, fence, EntryState.SENT, at, external_id="77")


async def everything(house: House) -> list[str]:
    return sorted([str(key) async for key in house.redis.scan_iter()])


async def test_old_words_go_and_young_ones_stay(house: House) -> None:
    key = await says(house, "an old question", 1)
    await says(house, "a young question", 2, days(29))

    run = await purged(house, days(31))

    texts = [line.message.text for line in await house.ledger.transcript(key) if line.message]
    assert texts == ["a young question"]
    assert {kind: n for kind, n in run.counts.items() if n} == {"messages": 1, "entries": 1}
    assert await house.ledger.message_record(key, "post:1") == {}
    assert await house.outbox.record("e1", key) == {}


async def test_a_count_changes_nothing_and_tells_what_a_purge_then_does(house: House) -> None:
    for customer in (1, 2, 3):
        await says(house, "a question", customer, customer=customer)
    before = await everything(house)

    counted = await purged(house, days(120), only_count=True)

    assert await everything(house) == before
    assert await purged(house, days(120)) == counted
    assert counted.counts["messages"] == counted.counts["entries"] == counted.counts["customers"] == 3


async def test_nobody_at_work_is_disturbed(house: House) -> None:
    waiting = a_message(1, customer=a_customer(1))
    await house.ledger.receive(waiting, NOON)
    unsaid = a_message(2, customer=a_customer(2))
    await house.ledger.receive(unsaid, NOON)
    fence = await house.fence("responder", unsaid.conversation)
    await house.ledger.commit_turn(
        a_turn(unsaid.conversation, [unsaid.id], fence=fence, entries=(an_entry(unsaid.conversation),)), NOON
    )
    in_hands = a_message(3, customer=a_customer(3))
    await house.ledger.receive(in_hands, NOON)
    fence = await house.fence("responder", in_hands.conversation)
    await house.ledger.commit_turn(a_turn(in_hands.conversation, [in_hands.id], fence=fence, case=a_case()), NOON)

    run = await purged(house, days(99))

    assert (run.looked_at, run.left_alone) == (3, 3)
    assert not any(run.counts.values())


async def test_a_closed_case_goes_with_its_packet_after_its_own_days(house: House) -> None:
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)
    ruling = await house.ledger.commit_turn(a_turn(key, [message.id], fence=fence, case=a_case()), NOON)
    taken = await house.desk.take(str(ruling.case), "ana", ruling.epoch or 0, NOON)
    await house.desk.resolve(str(ruling.case), "ana", taken.epoch or 0, 99, NOON)

    await purged(house, days(31))
    assert await house.ledger.transcript(key) == []
    assert await house.ledger.cases_of(key) == [ruling.case]
    await purged(house, days(61))
    assert await house.ledger.cases_of(key) == []
    assert await house.desk.case(str(ruling.case)) is None
    await purged(house, days(91))
    assert await house.ledger.snapshot(key) is None


async def test_what_the_bot_remembers_goes_with_the_words_it_is_made_of(house: House) -> None:
    key = await says(house, "a question", 1)

    await purged(house, days(31))

    snapshot = await house.ledger.snapshot(key)
    assert snapshot is not None
    assert (snapshot.conversation.tracker, snapshot.conversation.memory) == (None, "{}")


async def test_who_wrote_stop_is_never_forgotten(house: House) -> None:
    key = await says(house, "STOP", 1)
    await house.redis.hset(f"{house.ledger.partition_of(key)}:conv:{key}", "opted_out", "1")

    await purged(house, days(1000))

    snapshot = await house.ledger.snapshot(key)
    assert snapshot is not None
    assert snapshot.conversation.opted_out
    assert await house.ledger.transcript(key) == []


async def test_a_purged_message_is_not_taken_in_again(house: House) -> None:
    await says(house, "a question", 1)
    await purged(house, days(100))

    ruling = await house.ledger.receive(a_message(1, text="a question"), days(100))

    assert ruling.result == "duplicate"
    assert (await house.ledger.receive(a_message(2), days(100))).result == "stored"


async def test_tombstones_end_by_themselves(house: House) -> None:
    key = await says(house, "a question", 1)
    await purged(house, days(100))

    [stone] = [name for name in await everything(house) if ":gone:" in name]

    assert 9 * 86_400_000 < await house.redis.pttl(stone) <= 10 * 86_400_000
    assert "post:1" not in stone
    assert stone.startswith(house.ledger.partition_of(key))


async def test_the_journal_is_trimmed_by_time_and_tells_of_the_purge_in_numbers(house: House) -> None:
    key = await says(house, "a question", 1)
    await says(house, "another", 2, days(99))
    partition = house.ledger.partition_of(key)

    run = await purged(house, days(101))

    records = [fields for _, fields in await house.ledger.journal(partition)]
    assert run.counts["journal"] == 4
    assert [fields["kind"] for fields in records] == [
        "message_received", "outcome", "entry_queued", "entry_sent", "purged",
    ]  # fmt: skip
    assert records[-1]["conversation"] == ""
    assert '"messages":1' in records[-1]["facts"]


async def test_a_long_conversation_is_purged_in_steps(house: House) -> None:
    key = await says(house, "a question", 1)
    partition = house.ledger.partition_of(key)
    line = '{"kind": "event", "what": "note", "at_ms": 1, "seq": 1, "text": "old"}'
    await house.redis.lpush(f"{partition}:conv:{key}:transcript", *[line] * 1200)

    run = await purged(house, days(31))

    assert run.counts["events"] == 1200
    assert await house.ledger.transcript(key) == []


async def test_an_interrupted_purge_is_ended_by_the_next(house: House) -> None:
    for customer in range(1, 8):
        await says(house, "a question", customer, customer=customer)

    class Killed(Exception):
        """The process died here."""

    steps = 0

    class Dying:
        async def run(self, *arguments: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps > 3:
                raise Killed
            return await house.transitions.run(*arguments, **more)  # type: ignore[arg-type]

    dying = Purge(house.redis, Dying(), partitions=PARTITIONS, retention=RETENTION)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        await dying.run(days(95))
    rest = await purged(house, days(95))

    assert rest.counts["customers"] == 4
    assert [name for name in await everything(house) if ":conv:" in name or ":message:" in name] == []


async def test_a_customer_who_comes_back_after_a_purge_begins_anew(house: House) -> None:
    key = await says(house, "a question", 1)
    await purged(house, days(100))

    await says(house, "hello again", 2, days(100))

    lines = await house.ledger.transcript(key)
    assert [line.kind for line in lines] == ["message", "entry"]
    assert lines[1].state is EntryState.SENT
    assert lines[0].message is not None
    assert lines[0].message.place is Place.PUBLIC
