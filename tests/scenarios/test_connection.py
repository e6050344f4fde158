"""The connection to Redis: cancelled work ends, calls are limited, other ways to connect work too."""

import asyncio
import random
import subprocess
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from handoff.connection import connect
from tests.conftest import redis_program

ENDS_WITHIN_S = 2.0


async def test_a_cancelled_task_that_talks_to_redis_ends(redis_url: str) -> None:
    """On Python 3.11 asyncio.wait_for loses a cancellation that comes as it ends; redis-py sends through it."""
    client, dice = connect(redis_url), random.Random(1)

    async def talk() -> None:
        while True:
            await client.get("anything")

    for _ in range(200):
        talking = asyncio.create_task(talk())
        await asyncio.sleep(dice.random() * 0.005)
        talking.cancel()
        ended, _ = await asyncio.wait([talking], timeout=ENDS_WITHIN_S)
        assert ended
    await client.aclose()


async def test_a_redis_that_does_not_answer_is_given_up_after_the_limit() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    client = connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", time_limit_s=0.1)

    with pytest.raises(RedisTimeoutError):
        await client.get("anything")
    await client.aclose()
    server.close()


async def test_a_redis_behind_a_unix_socket_serves_too(tmp_path: Path) -> None:
    socket = tmp_path / "redis.sock"
    command = [redis_program(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 (it returns at once)
    client = connect(f"unix://{socket}")
    try:
        async with asyncio.timeout(20):
            while not await _answers(client):  # noqa: ASYNC110 (what is waited for is another process)
                await asyncio.sleep(0.02)
        await client.set("name", "Kestrel")
        assert await client.get("name") == "Kestrel"
    finally:
        await client.aclose()
        process.kill()
        process.wait()


async def _answers(client) -> bool:  # type: ignore[no-untyped-def]
    try:
        return bool(await client.ping())
    except RedisConnectionError:
        return False
