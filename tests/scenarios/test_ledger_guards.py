"""What the ledger lets happen, and what it refuses."""

import re

import pytest

from actions.attempt_count import RedisAttemptCount
from actions.verification import order_key
from bot.web.agents import Agents
from bot.web.roles import Role
from bot.web.sessions import Attempts, Sessions
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.queue import Queue
from handoff.scripts import LedgerAway, LedgerFull
from handoff.words import BOT, QUEUE, EntryState, Outcome, Place, Promise, in_ms
from tests.support.documented import rows, undocumented
from tests.support.ledger import (
    NOON,
    PARTITIONS,
    House,
    a_case,
    a_customer,
    a_message,
    a_turn,
    an_entry,
    house_on,
    later,
)


async def a_case_opened(house: House, *, message: int = 1) -> tuple[str, str]:
    """A conversation whose case waits in the queue: its key and the case's id."""
    received = a_message(message)
    await house.ledger.receive(received, NOON)
    fence = await house.fence("responder", received.conversation)
    snapshot = await house.ledger.snapshot(received.conversation)
    assert snapshot is not None
    epoch = snapshot.conversation.epoch
    turn = a_turn(received.conversation, [received.id], fence=fence, epoch=epoch, case=a_case())
    ruling = await house.ledger.commit_turn(turn, NOON)
    assert ruling.case is not None
    return received.conversation, ruling.case


async def test_a_message_delivered_twice_is_stored_once(house: House) -> None:
    rulings = [await house.ledger.receive(a_message(), NOON) for _ in range(2)]

    snapshot = await house.ledger.snapshot(a_message().conversation)
    assert [ruling.result for ruling in rulings] == ["stored", "duplicate"]
    assert snapshot is not None
    assert [message.id for message in snapshot.waiting] == ["post:1"]


async def test_messages_of_one_customer_wait_in_the_order_they_came(house: House) -> None:
    for number in (3, 1, 2):
        await house.ledger.receive(a_message(number), NOON)

    snapshot = await house.ledger.snapshot(a_message().conversation)
    assert snapshot is not None
    assert [message.id for message in snapshot.waiting] == ["post:3", "post:1", "post:2"]


async def test_a_turn_is_stored_whole(house: House) -> None:
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)

    turn = a_turn(key, [message.id], fence=fence, entries=(an_entry(key),))
    ruling = await house.ledger.commit_turn(turn, NOON)

    lines = await house.ledger.transcript(key)
    snapshot = await house.ledger.snapshot(key)
    assert ruling.result == "committed"
    assert [line.kind for line in lines] == ["message", "entry"]
    assert lines[0].outcome == Outcome.ANSWERED
    assert lines[1].state is EntryState.QUEUED
    assert snapshot is not None
    assert (snapshot.waiting, snapshot.conversation.tracker) == ((), '{"events": []}')
    assert await house.ledger.waiting(house.ledger.partitions) == []


async def test_a_stolen_lease_cannot_commit(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    old = await house.fence("responder", message.conversation, holder="slow")
    await house.give_up("responder", "slow")
    new = await house.fence("responder", message.conversation, holder="quick")

    ruling = await house.ledger.commit_turn(a_turn(message.conversation, [message.id], fence=old), NOON)

    snapshot = await house.ledger.snapshot(message.conversation)
    assert new > old
    assert ruling.result == "lease_lost"
    assert snapshot is not None
    assert len(snapshot.waiting) == 1


async def test_a_lease_is_held_until_it_ends_and_its_grace_is_over(house: House) -> None:
    first = house.leases("delivery", "first", ttl_s=0.05, grace_s=0.4)
    await first.renew(NOON)
    partition = house.ledger.partitions[0]
    arguments = {"role": "delivery", "holder": "second", "ttl_ms": 1000, "grace_ms": 0}

    waited_ms = 0
    while (ruling := await house.transitions.run("lease", partition, NOON, arguments)).result == "held":
        waited_ms = max(waited_ms, ruling.free_in_ms or 0)

    assert waited_ms > 300
    assert ruling.fence == first.held[partition] + 1


async def test_two_responders_share_the_partitions(house: House) -> None:
    one, two = house.leases("responder", "one"), house.leases("responder", "two")
    await one.renew(NOON)
    await two.renew(NOON)
    await one.renew(NOON)
    await two.renew(NOON)

    assert len(one.held) == len(two.held) == 2
    assert set(one.held) | set(two.held) == set(house.ledger.partitions)


async def test_a_lease_in_use_is_kept_and_one_given_away_is_forgotten_before_it_is_free(house: House) -> None:
    one, two = house.leases("delivery", "one"), house.leases("delivery", "two")
    await one.renew(NOON)
    await two.renew(NOON)
    in_use = house.ledger.partitions[-1]
    given: list[set[str]] = []

    def busy() -> list[str]:
        given.append(set(one.held))
        return [in_use]

    await one.renew(NOON, busy=busy)

    assert in_use in one.held
    assert len(one.held) == 3  # its share of two, and what is in use
    assert given[-1] == set(one.held), "what is given away is no longer held by the time the next is looked at"


async def test_leases_that_a_full_redis_does_not_renew_are_told_as_that(house: House) -> None:
    leases = house.leases("responder", "one")
    await leases.renew(NOON)
    await house.redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(LedgerFull, match="maxmemory"):
            await leases.renew(NOON)
    finally:
        await house.redis.config_set("maxmemory", "0")
    assert set(await leases.renew(NOON)) == set(house.ledger.partitions)


async def test_a_turn_decided_before_a_person_took_over_is_refused(house: House) -> None:
    key, case = await a_case_opened(house)
    await house.desk.take(case, "ana", 2, NOON)
    await house.ledger.receive(a_message(2), NOON)
    fence = await house.fence("responder", key)

    ruling = await house.ledger.commit_turn(a_turn(key, ["post:2"], fence=fence, epoch=2), NOON)

    assert ruling.result == "stale_epoch"


async def test_a_stale_epoch_cannot_speak(house: House) -> None:
    """A bot's reply that is still queued when a person takes over is cancelled just before it would be sent."""
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)
    entry = an_entry(key)
    await house.ledger.commit_turn(a_turn(key, [message.id], fence=fence, entries=(entry,)), NOON)
    await house.ledger.receive(a_message(2), NOON)
    await house.ledger.commit_turn(a_turn(key, ["post:2"], fence=fence, case=a_case()), NOON)

    claim = await house.outbox.claim(key, await house.fence("delivery", key), NOON)

    record = await house.outbox.record(entry.id, key)
    assert claim is None
    assert (record["state"], record["detail"]) == ("cancelled", "stale_epoch")


async def test_a_message_is_handled_by_one_turn_only(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", message.conversation)
    turn = a_turn(message.conversation, [message.id], fence=fence)

    rulings = [(await house.ledger.commit_turn(turn, NOON)).result for _ in range(2)]

    assert rulings == ["committed", "not_waiting"]


async def test_the_same_command_gives_the_recorded_result(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", message.conversation)
    turn = a_turn(message.conversation, [message.id], fence=fence)

    rulings = [await house.ledger.commit_turn(turn, NOON, command_id="c1") for _ in range(2)]

    assert rulings[0] == rulings[1]
    assert rulings[0].result == "committed"


async def test_only_one_of_two_agents_gets_a_case(house: House) -> None:
    _, case = await a_case_opened(house)

    first = await house.desk.take(case, "ana", 2, NOON)
    second = await house.desk.take(case, "ben", 2, later(3))

    assert first.result == "taken"
    assert (second.result, second.by) == ("owned", "agent:ana")


async def test_a_reply_written_before_the_customers_latest_words_is_refused(house: House) -> None:
    key, case = await a_case_opened(house)
    taken = await house.desk.take(case, "ana", 2, NOON)
    seen = (await house.ledger.transcript(key))[-1].seq
    await house.ledger.receive(a_message(2, text="Wait, I found it."), NOON)

    entry = an_entry(key, author="agent:ana")
    ruling = await house.desk.reply(case, "ana", entry, taken.epoch or 0, seen, NOON)

    since = await house.ledger.transcript(key, since_seq=seen)
    assert ruling.result == "changed"
    assert [line.message.text for line in since if line.message] == ["Wait, I found it."]
    assert await house.outbox.record(entry.id, key) == {}


async def test_given_back_the_bot_begins_afresh_and_owns(house: House) -> None:
    key, case = await a_case_opened(house)
    taken = await house.desk.take(case, "ana", 2, NOON)
    seen = (await house.ledger.transcript(key))[-1].seq

    ruling = await house.desk.give_back(case, "ana", an_entry(key, author="desk"), taken.epoch or 0, seen, NOON)

    snapshot = await house.ledger.snapshot(key)
    assert ruling.result == "given_back"
    assert snapshot is not None
    assert (snapshot.conversation.owner, snapshot.conversation.tracker) == (BOT, None)
    assert await house.desk.open_cases() == []


async def test_a_second_and_a_third_hand_over_work_like_the_first(house: House) -> None:
    cases = []
    for message in (1, 2, 3):
        key, case = await a_case_opened(house, message=message)
        snapshot = await house.ledger.snapshot(key)
        assert snapshot is not None
        assert snapshot.conversation.owner == QUEUE
        taken = await house.desk.take(case, "ana", snapshot.conversation.epoch, NOON)
        seen = (await house.ledger.transcript(key))[-1].seq
        await house.desk.resolve(case, "ana", taken.epoch or 0, seen, NOON)
        cases.append(case)

    assert await house.ledger.cases_of(key) == cases
    assert len(set(cases)) == 3


async def test_the_urgent_case_is_first_in_the_queue_then_the_oldest(house: House) -> None:
    for number, (priority, seconds) in enumerate([(50, 0), (100, 20), (50, 10)]):
        customer = a_customer(number)
        message = a_message(number + 1, customer=customer)
        await house.ledger.receive(message, NOON)
        fence = await house.fence("responder", message.conversation)
        turn = a_turn(message.conversation, [message.id], fence=fence, case=a_case(priority=priority))
        await house.ledger.commit_turn(turn, later(seconds))

    queue = await house.desk.open_cases()

    assert [case.conversation for case, _ in queue] == ["x:1001", "x:1000", "x:1002"]


async def test_an_entry_found_in_sending_by_a_new_owner_is_unknown(house: House) -> None:
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)
    await house.ledger.commit_turn(a_turn(key, [message.id], fence=fence, entries=(an_entry(key),)), NOON)
    claimed = await house.outbox.claim(key, await house.fence("delivery", key, "old"), NOON)
    await house.give_up("delivery", "old")
    fence = await house.fence("delivery", key, "new")

    found = await house.outbox.claim(key, fence, NOON, look_after_s=5)
    looked = await house.outbox.claim(key, fence, later(6), look_after_s=5)

    assert claimed is not None
    assert claimed.must_look is False
    assert found is None
    assert looked is not None
    assert looked.must_look is True


async def test_an_unknown_entry_holds_later_entries_of_its_conversation(house: House) -> None:
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)
    entries = (an_entry(key, 1), an_entry(key, 2))
    await house.ledger.commit_turn(a_turn(key, [message.id], fence=fence, entries=entries), NOON)
    delivery = await house.fence("delivery", key)
    first = await house.outbox.claim(key, delivery, NOON)
    assert first is not None
    await house.outbox.settle(first.entry, delivery, EntryState.UNKNOWN, NOON, due_at=later(5))

    held = await house.outbox.claim(key, delivery, later(1))
    looked = await house.outbox.claim(key, delivery, later(5))
    assert looked is not None
    await house.outbox.settle(looked.entry, delivery, EntryState.SENT, later(6), external_id="99")
    second = await house.outbox.claim(key, delivery, later(6))

    assert held is None
    assert second is not None
    assert second.entry.id == "e2"


async def test_a_reply_that_will_never_be_said_calls_a_person_in_the_same_step(house: House) -> None:
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)
    await house.ledger.commit_turn(a_turn(key, [message.id], fence=fence, entries=(an_entry(key),)), NOON)
    delivery = await house.fence("delivery", key)
    claim = await house.outbox.claim(key, delivery, NOON)
    assert claim is not None

    ruling = await house.outbox.settle(
        claim.entry, delivery, EntryState.BLOCKED, NOON, detail="not_summoned", case=a_case()
    )

    snapshot = await house.ledger.snapshot(key)
    assert snapshot is not None
    assert (snapshot.conversation.owner, snapshot.conversation.case) == (QUEUE, ruling.case)


async def test_a_promise_without_a_reply_is_broken_and_with_one_is_kept(house: House) -> None:
    promise = Promise(told_at=NOON, due_at=later(60), wording="within a minute")
    for number in (1, 2):
        message = a_message(number, customer=a_customer(number))
        await house.ledger.receive(message, NOON)
        fence = await house.fence("responder", message.conversation)
        case = a_case().model_copy(update={"promise": promise})
        await house.ledger.commit_turn(a_turn(message.conversation, [message.id], fence=fence, case=case), NOON)
    first, second = [case for case, _ in await house.desk.open_cases()]
    taken = await house.desk.take(first.id, "ana", 2, NOON)
    seen = (await house.ledger.transcript(first.conversation))[-1].seq
    entry = an_entry(first.conversation, author="agent:ana")
    await house.desk.reply(first.id, "ana", entry, taken.epoch or 0, seen, later(30))

    early = await house.desk.break_due_promises(later(59))
    broken = await house.desk.break_due_promises(later(61))

    kept = await house.desk.case(first.id)
    assert (early, broken) == ([], [second.id])
    assert kept is not None
    assert kept.promise_state == "kept"


async def test_a_cursor_moves_forward_and_never_back(house: House) -> None:
    for seen in ("999", "1000", "998"):
        await house.ledger.set_cursor("mentions", seen, NOON)

    assert await house.ledger.cursor("mentions") == "1000"
    assert await house.redis.exists(f"{ACCOUNT}:cursor:mentions") == 1


async def test_what_was_read_of_a_place_moves_forward_and_never_back(house: House) -> None:
    for seconds in (5, 9, 7):
        await house.ledger.mark_read(Place.PUBLIC, later(seconds), NOON)

    assert await house.ledger.read_until_ms(Place.PUBLIC) == in_ms(later(9))
    assert await house.ledger.read_until_ms(Place.PRIVATE) == 0


async def test_a_full_redis_refuses_clearly_and_nothing_is_half_written(house: House) -> None:
    message = a_message()
    key = message.conversation
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", key)
    before = {name: await house.redis.dump(name) for name in sorted(await house.redis.keys("*"))}
    turn = a_turn(key, [message.id], fence=fence, entries=(an_entry(key),), case=a_case())
    await house.redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(LedgerFull, match="maxmemory"):
            await house.ledger.commit_turn(turn, NOON)
        with pytest.raises(LedgerFull):
            await house.ledger.receive(a_message(2), NOON)
    finally:
        await house.redis.config_set("maxmemory", "0")

    assert {name: await house.redis.dump(name) for name in sorted(await house.redis.keys("*"))} == before
    assert (await house.ledger.commit_turn(turn, NOON)).result == "committed"


async def test_a_redis_that_stays_away_is_said_to_be_away() -> None:
    async with house_on("redis://127.0.0.1:1/0", time_limit_s=0.2, patience_s=0.2) as house:
        with pytest.raises(LedgerAway):
            await house.ledger.receive(a_message(), NOON)


async def test_every_transition_is_documented_on_the_screen_of_keys(house: House) -> None:
    import handoff.keys

    documented = str(handoff.keys.__doc__)

    assert [name for name in house.transitions.names if f"    {name} " not in documented] == []


async def test_every_key_and_field_that_is_stored_is_documented_on_the_screen_of_keys(house: House) -> None:
    """One case of everything: promise kept, opt-out, reply, hand-back, delivery, sign-in, a wrong try, one reader."""
    promise = Promise(told_at=NOON, due_at=later(60), wording="within a minute")
    received = a_message()
    key = received.conversation
    await house.ledger.receive(received, NOON)
    fence = await house.fence("responder", key)
    case = a_case().model_copy(update={"promise": promise})
    told = an_entry(key, 1).model_copy(update={"although_opted_out": True, "expires_at": later(3600)})
    turn = a_turn(key, [received.id], fence=fence, case=case, entries=(told,))
    ruling = await house.ledger.commit_turn(turn.model_copy(update={"opted_out": True, "understood": "{}"}), NOON)
    assert ruling.case is not None
    taken = await house.desk.take(ruling.case, "ana", ruling.epoch or 0, NOON)
    words = an_entry(key, 2, author="agent:ana")
    assert (await house.desk.reply(ruling.case, "ana", words, taken.epoch or 0, 99, NOON)).result == "queued"
    await house.desk.resolve(ruling.case, "ana", taken.epoch or 0, 99, NOON)
    await Queue(house.redis, partitions=PARTITIONS).mark_seen(key, "ana", 1)
    delivery = await house.fence("delivery", key)
    claim = await house.outbox.claim(key, delivery, later(1))
    assert claim is not None
    await house.outbox.settle(claim.entry, delivery, EntryState.UNKNOWN, later(1), due_at=later(2))
    looked = await house.outbox.claim(key, delivery, later(2))
    assert looked is not None
    await house.outbox.settle(looked.entry, delivery, EntryState.SENT, later(2), external_id="99")
    reader = Leases(house.redis, house.transitions, role="ingress", holder="one", partitions=[ACCOUNT])
    await reader.renew(NOON)
    await reader.release_all(NOON)
    await reader.renew(NOON)
    await house.ledger.set_cursor("mentions", "1000", NOON)
    await house.ledger.mark_read(Place.PUBLIC, NOON, NOON)
    await RedisAttemptCount(house.redis).failed(order_key("KA-482913"), "1001", "t-1")
    agents = Agents(house.redis)
    ana = await agents.add(name="ana", display_name="Ana", initials="AR", role=Role.LEAD, password="a long password")
    await Sessions(house.redis, agents).open(ana, NOON)
    await Attempts(house.redis).count("ana", "127.0.0.1")

    assert await undocumented(house.redis) == []
    stored = [str(key) for key in await house.redis.keys("*")]
    unseen = [row.key.pattern for row in rows() if not any(row.key.fullmatch(key) for key in stored)]
    # waiting things are gone when they are done, with their keys; upkeep and announcements have tests of their own
    elsewhere = r"(in|out)box|cases:open|promises|announcement|stop|gone|eras|purged|restor"
    assert [pattern for pattern in unseen if not re.search(elsewhere, pattern)] == []
