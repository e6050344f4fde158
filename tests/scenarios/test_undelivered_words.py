"""Words that X will not take: when a person has to look, and when not."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.casework import Casework
from bot.clock import SystemClock
from handoff.words import Entry, Place, Reason
from tests.support.account import delivery_of, running, until_state
from tests.support.ledger import NOON, House, a_case, a_message, a_turn, an_entry
from tests.support.memory_channel import MemoryChannel


async def words_by(house: House, author: str) -> Entry:
    message = a_message(1)
    await house.ledger.receive(message, NOON)
    return an_entry(message.conversation, author=author)


async def test_an_answer_that_cannot_be_said_goes_to_a_person(house: House) -> None:
    answer = await words_by(house, "bot")
    case = await Casework(house.ledger, house.desk).undelivered(answer, "duplicate", "403", NOON)
    assert case is not None
    assert case.reason is Reason.NOT_DELIVERED


async def test_a_notice_that_the_customer_has_read_today_needs_nobody(house: House) -> None:
    notice = await words_by(house, "desk")
    assert await Casework(house.ledger, house.desk).undelivered(notice, "duplicate", "403", NOON) is None


async def test_a_notice_that_never_reached_the_customer_needs_a_person(house: House) -> None:
    notice = await words_by(house, "desk")
    assert await Casework(house.ledger, house.desk).undelivered(notice, "dm_closed", "403", NOON) is not None


async def words_of_ana(house: House, *, then_resolves: bool) -> Entry:
    """Ana has answered a case by a direct message that the customer does not receive."""
    now = datetime.now(UTC)
    message = a_message(1)
    key = message.conversation
    await house.ledger.receive(message, now)
    fence = await house.fence("responder", key)
    opened = await house.ledger.commit_turn(a_turn(key, [message.id], fence=fence, case=a_case()), now)
    assert opened.case is not None
    taken = await house.desk.take(opened.case, "ana", opened.epoch or 0, now)
    said = an_entry(key, author="agent:ana", place=Place.PRIVATE)
    replied = await house.desk.reply(opened.case, "ana", said, taken.epoch or 0, 99, now)
    assert replied.result == "queued"
    if then_resolves:
        resolved = await house.desk.resolve(opened.case, "ana", taken.epoch or 0, 99, now)
        assert resolved.result == "resolved"
    channel = MemoryChannel(clock=SystemClock(), closed_to={said.customer_id})
    async with running(delivery_of(house, channel)):
        await until_state(house, said, "blocked")
    return said


async def test_an_agents_words_refused_after_the_case_was_closed_go_to_a_person(house: House) -> None:
    said = await words_of_ana(house, then_resolves=True)

    ((case, owner),) = await house.desk.open_cases()
    assert case.reason is Reason.NOT_DELIVERED
    assert case.conversation == said.conversation
    assert owner.kind == "queue"


async def test_an_agents_words_refused_while_she_has_the_case_are_told_to_her(house: House) -> None:
    said = await words_of_ana(house, then_resolves=False)

    ((case, owner),) = await house.desk.open_cases()
    assert (case.reason, owner.agent) == (Reason.COMPLAINT, "ana")
    lines = await house.ledger.transcript(said.conversation)
    assert lines[-1].facts["what"] == "entry_blocked"
