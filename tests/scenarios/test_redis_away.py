"""Redis goes away while the responder works: messages wait, health says so, and each is answered once."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.health import Check, health_pages, redis_check, told
from bot.metrics import ProcessMetrics
from bot.responder import Responder
from handoff.words import Outcome
from tests.conftest import RedisProcess
from tests.support.account import until
from tests.support.frontdesk import responder_of
from tests.support.ledger import NOON, House, a_customer, a_message, house_on


@dataclass(frozen=True, kw_only=True)
class Health:
    """The responder's pages, asked over HTTP."""

    client: aiohttp.ClientSession

    async def asked(self, page: str) -> tuple[int, Mapping[str, Any]]:
        async with self.client.get(page) as response:
            return response.status, await response.json()

    async def is_ready(self) -> bool:
        return (await self.asked("/readyz"))[0] == 200

    async def is_not_ready(self) -> bool:
        return (await self.asked("/readyz"))[0] == 503


@asynccontextmanager
async def pages_of(responder: Responder, house: House) -> AsyncIterator[Health]:
    checks: dict[str, Check] = {"redis": redis_check(house.redis), "responder": told(lambda: responder.trouble)}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with (
        health_pages(ProcessMetrics("responder"), checks, host="127.0.0.1", port=port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield Health(client=client)


@asynccontextmanager
async def at_work(responder: Responder) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(responder.run(stop))
    try:
        yield
    finally:
        stop.set()
        await working


async def outcomes(house: House, *numbers: int) -> list[str | None]:
    """How the messages of the first customers ended, one message each."""
    found = []
    for number in numbers:
        message = a_message(number, customer=a_customer(number))
        found.append((await house.ledger.message_record(message.conversation, message.id)).get("outcome"))
    return found


async def replies(house: House, number: int) -> int:
    lines = await house.ledger.transcript(f"x:{a_customer(number).id}")
    return sum(line.entry is not None for line in lines)


async def writes(house: House, number: int) -> None:
    await house.ledger.receive(a_message(number, customer=a_customer(number)), NOON)


async def all_answered(house: House, *numbers: int) -> bool:
    return await outcomes(house, *numbers) == [Outcome.ANSWERED] * len(numbers)


@pytest.mark.timeout(90)
async def test_messages_wait_while_redis_is_away_and_are_answered_once_when_it_is_back(
    own_redis: RedisProcess,
) -> None:
    async with house_on(own_redis.url, time_limit_s=0.5, patience_s=0.5) as house:
        responder, answerer = responder_of(house)
        async with at_work(responder), pages_of(responder, house) as health:
            await until(health.is_ready)
            answerer.hold()
            await writes(house, 1)
            await until(answerer.is_asked)  # its turn is in hand when Redis goes
            own_redis.stop()
            answerer.release()
            await until(health.is_not_ready)
            status, body = await health.asked("/readyz")
            assert status == 503
            assert body["troubles"]["redis"].startswith("Redis does not answer")

            async def says_so() -> bool:
                return "Redis does not answer" in (responder.trouble or "")

            await until(says_so)
            assert (await health.asked("/healthz"))[0] == 200
            own_redis.start()
            await until(lambda: all_answered(house, 1))
            await writes(house, 2)
            await until(lambda: all_answered(house, 1, 2))
            await until(health.is_ready)
            assert responder.trouble is None
        assert [await replies(house, number) for number in (1, 2)] == [1, 1]


async def test_a_message_written_before_redis_went_is_answered_when_the_responder_finds_it(
    own_redis: RedisProcess,
) -> None:
    async with house_on(own_redis.url, time_limit_s=0.5, patience_s=0.5) as house:
        await writes(house, 1)
        own_redis.stop()
        responder, _ = responder_of(house)
        async with at_work(responder):

            async def says_so() -> bool:
                return "cannot be renewed" in (responder.trouble or "")

            await until(says_so)
            own_redis.start()
            await until(lambda: all_answered(house, 1))
        assert await replies(house, 1) == 1
