"""What every count of wrong tries promises."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis

from actions.attempt_count import AttemptsAway, RedisAttemptCount, RememberedAttemptCount, redis_key
from actions.verification import AttemptCount, order_key

ORDER = order_key("KA-482913")
OTHER = order_key("KA-100000")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.Redis]:
    async with redis.Redis.from_url(redis_url) as connected:
        yield connected


@pytest.fixture(params=["remembered", "redis"])
def counts(request: pytest.FixtureRequest) -> AttemptCount:
    if request.param == "remembered":
        return RememberedAttemptCount()
    return RedisAttemptCount(request.getfixturevalue("client"))


async def test_an_order_nobody_asked_for_has_no_wrong_tries(counts: AttemptCount) -> None:
    assert await counts.count(ORDER) == 0


async def test_wrong_tries_add_up_per_order_whoever_makes_them(counts: AttemptCount) -> None:
    assert await counts.failed(ORDER, "ana", "turn-1") == 1
    assert await counts.failed(ORDER, "ben", "turn-2") == 2
    assert await counts.count(ORDER) == 2
    assert await counts.count(OTHER) == 0


async def test_a_turn_committed_again_counts_once(counts: AttemptCount) -> None:
    for _ in range(3):
        assert await counts.failed(ORDER, "ana", "turn-1") == 1


async def test_tries_at_the_same_time_are_all_counted(counts: AttemptCount) -> None:
    await asyncio.gather(*(counts.failed(ORDER, "ana", f"turn-{n}") for n in range(20)))
    assert await counts.count(ORDER) == 20


async def test_in_redis_a_count_goes_a_day_after_the_first_wrong_try(client: redis.Redis) -> None:
    counts = RedisAttemptCount(client)
    await counts.failed(ORDER, "ana", "turn-1")
    await client.expire(redis_key(ORDER), 1000)  # most of the day goes by
    await counts.failed(ORDER, "ana", "turn-2")
    assert 0 < await client.ttl(redis_key(ORDER)) <= 1000
    await counts.failed(OTHER, "ana", "turn-3")
    assert 86_000 < await client.ttl(redis_key(OTHER)) <= 86_400


async def test_without_redis_nobody_is_verified() -> None:
    async with redis.Redis(port=1, socket_connect_timeout=0.2) as nowhere:
        counts = RedisAttemptCount(nowhere, time_limit_s=0.5)
        with pytest.raises(AttemptsAway, match="is Redis up"):
            await counts.count(ORDER)
        with pytest.raises(AttemptsAway):
            await counts.failed(ORDER, "ana", "turn-1")
