"""A message that comes in is answered without waiting for the next look at the inbox, and never for ever without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.responder import Responder
from handoff.changes import Announced, Changes
from handoff.words import Outcome
from tests.support.account import until
from tests.support.frontdesk import responder_of
from tests.support.ledger import NOON, House, a_message, house_on
from tests.support.redis_proxy import Faults, redis_behind

SELDOM_S = 3600.0
"""So seldom is the inbox looked at here that only an announcement can bring an answer."""


@asynccontextmanager
async def at_work(responder: Responder) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(responder.run(stop))
    try:
        yield
    finally:
        stop.set()
        await working


async def _answered(house: House, numbers: range) -> bool:
    found = []
    for number in numbers:
        message = a_message(number)
        found.append((await house.ledger.message_record(message.conversation, message.id)).get("outcome"))
    return found == [Outcome.ANSWERED] * len(numbers)


async def _is_heard(house: House) -> None:
    async def heard() -> bool:
        return bool(await house.redis.publish("{p00}:arrivals", "x:nobody"))

    await until(heard)


async def _holds_all(responder: Responder) -> None:
    async def holds() -> bool:
        return responder.trouble is None

    await until(holds)


async def test_a_message_that_comes_in_is_answered_without_a_look(redis_url: str) -> None:
    async with house_on(redis_url) as house:
        responder, _ = responder_of(house, poll_s=SELDOM_S)
        async with at_work(responder):
            await _holds_all(responder)
            await _is_heard(house)
            await house.ledger.receive(a_message(1), NOON)
            await until(lambda: _answered(house, range(1, 2)))


async def test_a_message_that_comes_in_during_a_turn_gets_the_next_one_at_once(redis_url: str) -> None:
    async with house_on(redis_url) as house:
        responder, answerer = responder_of(house, poll_s=SELDOM_S)
        async with at_work(responder):
            await _holds_all(responder)
            await _is_heard(house)
            answerer.hold()
            await house.ledger.receive(a_message(1), NOON)
            await until(answerer.is_asked)
            await house.ledger.receive(a_message(2), NOON)
            answerer.release()
            await until(lambda: _answered(house, range(1, 3)))
        assert len(answerer.asked) == 2


async def test_the_inbox_is_looked_at_while_announcements_cannot_be_heard(redis_url: str) -> None:
    faults = Faults()
    async with house_on(redis_url) as house, redis_behind(redis_url, faults) as proxy, house_on(proxy.url) as deaf:
        faults.cut_before = 1.0
        responder, _ = responder_of(house, arrivals=Changes(deaf.redis, Announced.ARRIVALS))
        async with at_work(responder):
            await _holds_all(responder)
            await house.ledger.receive(a_message(1), NOON)
            await until(lambda: _answered(house, range(1, 2)))
