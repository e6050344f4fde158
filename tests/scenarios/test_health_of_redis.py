"""What a process says of its Redis in one line, with the remedy; each told of a real Redis in that state."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bot.health import redis_check
from handoff.connection import connect
from tests.conftest import RedisProcess, redis_program
from tests.support.account import until


@contextmanager
def a_redis(folder: Path, *options: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A redis-server with these options: its URL, as soon as it listens, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "")
    process = subprocess.Popen(
        [redis_program(), *where, *options],
        stdout=subprocess.DEVNULL,
        restore_signals=False,  # a file that may not grow is then an error to Redis, and not its end
    )
    try:
        _wait_until_it_listens(port)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait()


def _wait_until_it_listens(port: int, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.02)
        else:
            return


async def test_a_redis_that_works_is_no_trouble(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        assert await redis_check(redis)() is None


async def test_a_redis_that_is_away_is_said_to_be_away(own_redis: RedisProcess) -> None:
    async with connect(own_redis.url, time_limit_s=0.5) as redis:
        own_redis.stop()
        assert await redis_check(redis)() == "Redis does not answer (ConnectionError); messages wait."
        own_redis.start()
        assert await redis_check(redis)() is None


async def test_a_full_redis_is_said_to_be_full(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        await redis.config_set("maxmemory", "100kb")
        try:
            assert await redis_check(redis)() == "Redis is full; raise its maxmemory."
        finally:
            await redis.config_set("maxmemory", "0")
        assert await redis_check(redis)() is None


@pytest.mark.skipif(signal.getsignal(signal.SIGXFSZ) is not signal.SIG_IGN, reason="SIGXFSZ would end Redis")
async def test_a_redis_that_cannot_write_its_file_is_told(tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--appendfsync", "everysec")
    with a_redis(tmp_path, *options) as (url, process):
        async with connect(url) as redis:
            await redis.set("before", "1")
            assert await redis_check(redis)() is None
            psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (64, 64))
            await redis.set("after", "x" * 1000)

            async def is_told() -> bool:
                return await redis_check(redis)() == "Redis cannot write its file; free some disk."

            await until(is_told)


async def test_a_redis_that_still_reads_its_file_is_told(tmp_path: Path) -> None:
    with a_redis(tmp_path, "--appendonly", "no", "--rdbcompression", "no") as (url, _):
        async with connect(url) as redis:
            async with redis.pipeline(transaction=False) as pipe:
                for number in range(140):  # while it reads, Redis looks up after every 2 MB
                    pipe.set(f"key:{number}", "x" * 100_000)
                await pipe.execute()
            await redis.save()
    with a_redis(tmp_path, "--appendonly", "no", "--key-load-delay", "30000") as (url, _):  # microseconds
        async with connect(url) as redis:
            assert await redis_check(redis)() == "Redis is still reading its file."

            async def is_well() -> bool:
                return await redis_check(redis)() is None

            await until(is_well)
