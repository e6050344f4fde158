"""Words that X will not take: when a person has to look, and when not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.casework import Casework
from handoff.words import Entry, Reason
from tests.support.ledger import NOON, House, a_message, an_entry, house_on


@pytest.fixture
async def house(redis_url: str) -> AsyncIterator[House]:
    async with house_on(redis_url) as built:
        yield built


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
