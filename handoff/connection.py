"""The connection to Redis: no retries of its own, a limit on every call, and cancellations that arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from handoff.scripts import refuses_to_write

OnFailure = Callable[[str], None]
"""Is told of every failed call: `connection`, `timeout` or `refused`."""
MOST_CONNECTIONS = 64
"""Of one client; a caller beyond them waits for a free one."""


class _Limited:
    """Limits sending and reading with `asyncio.timeout`.

    redis-py limits sending with `asyncio.wait_for`, which on Python 3.11 swallows a cancellation that arrives just as
    the send ends (CPython issue 86296): the cancelled task would go on for ever. So its own limit stays off.
    """

    time_limit_s: float

    def __init__(self, *, time_limit_s: float, on_failure: OnFailure | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.time_limit_s = time_limit_s
        self._on_failure = on_failure
        self._is_connecting = False

    async def connect(self) -> None:
        """Connects within the limit; a failure of the handshake is told once."""
        self._is_connecting = True
        try:
            await super().connect()  # type: ignore[misc]
        except RedisError as error:
            self._is_connecting = False
            self._tell(error)
            raise
        finally:
            self._is_connecting = False

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Sends within the limit; raises redis's TimeoutError."""
        try:
            async with asyncio.timeout(self.time_limit_s):
                await super().send_packed_command(command, check_health)  # type: ignore[misc]
        except TimeoutError:
            raise self._told(RedisTimeoutError("Timeout writing to Redis")) from None
        except RedisError as error:
            self._tell(error)
            raise

    async def read_response(self, *arguments: Any, timeout: float | None = None, **options: Any) -> Any:
        """Reads within the limit, unless the caller gave another; raises redis's TimeoutError."""
        try:
            if timeout is not None:
                return await super().read_response(*arguments, timeout=timeout, **options)  # type: ignore[misc]
            async with asyncio.timeout(self.time_limit_s):
                return await super().read_response(*arguments, **options)  # type: ignore[misc]
        except TimeoutError:
            raise self._told(RedisTimeoutError("Timeout reading from Redis")) from None
        except RedisError as error:
            self._tell(error)
            raise

    def _told(self, error: RedisError) -> RedisError:
        self._tell(error)
        return error

    def _tell(self, error: RedisError) -> None:
        """Tells of a failure; what Redis answers to a wrong or an unknown command is none of the connection."""
        kind = _kind_of(error)
        if kind is not None and self._on_failure is not None and not self._is_connecting:
            self._on_failure(kind)


def _kind_of(error: RedisError) -> str | None:
    if isinstance(error, RedisTimeoutError):
        return "timeout"
    if isinstance(error, RedisConnectionError):
        return "connection"
    return "refused" if refuses_to_write(error) else None


class _LimitedConnection(_Limited, Connection):
    """Over TCP."""


class _LimitedTlsConnection(_Limited, SSLConnection):
    """Over TLS."""


class _LimitedSocketConnection(_Limited, UnixDomainSocketConnection):
    """Over a Unix socket."""


_CONNECTIONS = {"redis": _LimitedConnection, "rediss": _LimitedTlsConnection, "unix": _LimitedSocketConnection}


def connect(url: str, *, time_limit_s: float = 5.0, text: bool = True, on_failure: OnFailure | None = None) -> Redis:
    """A client whose own retries are off: only the caller may repeat a command, under the same command id.

    `text`: whether replies are decoded; the published knowledge holds bytes. `on_failure`: is told of every call that
    failed. Connects at the first command.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        decode_responses=text,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=time_limit_s,
        time_limit_s=time_limit_s,
        on_failure=on_failure,
        max_connections=MOST_CONNECTIONS,
        timeout=time_limit_s,
    )
    scheme = urlsplit(url).scheme
    pool.connection_class = _CONNECTIONS[scheme]  # type: ignore[type-abstract]
    if scheme != "unix":
        pool.connection_kwargs["socket_keepalive"] = True
    return Redis.from_pool(pool)
