"""The Redis of commands that need nothing else: the one given, the one that runs, or the embedded one for a while."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from bot.embedded_redis import EmbeddedRedis, NoRedis, redis_url
from bot.settings import Settings

START_LIMIT_S = 60.0
"""For reading its file."""


@contextmanager
def redis_at_hand(settings: Settings, *, begin: bool = False) -> Iterator[None]:
    """Sees that `redis_url(settings)` answers until the end of the block; starts the embedded Redis if it is down.

    `begin`: also where none was ever started. Raises NoRedis.
    """
    embedded = EmbeddedRedis(settings.var, port=settings.redis_port)
    if settings.redis_url is None and begin:
        embedded.prepare()
    url = redis_url(settings)
    if _answers(url, settings):
        yield
        return
    if settings.redis_url is not None:
        raise NoRedis("Redis does not answer at REDIS_URL. Start it, or correct the address.")
    process = subprocess.Popen(embedded.prepare(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait(url, settings, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not _answers(url, settings):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NoRedis(
                f"The embedded Redis in {settings.var} does not start on port {settings.redis_port}. "
                "Is the port taken, or the disk full? FRONTDESK_REDIS_PORT names another port."
            )
        time.sleep(0.05)


def _answers(url: str, settings: Settings) -> bool:
    """Whether it is there and ready. Raises NoRedis when it is somebody else's."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            return bool(client.ping())
    except AuthenticationError as error:
        where = "at REDIS_URL" if settings.redis_url else f"on port {settings.redis_port}"
        raise NoRedis(f"The Redis {where} refuses our password; it may be another's. Name the right one.") from error
    except (RedisConnectionError, BusyLoadingError):
        return False
    except RedisError as error:
        raise NoRedis(f"Redis refuses to work ({type(error).__name__}). Look at its log.") from error
