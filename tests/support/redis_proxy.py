"""A proxy between client and Redis that eats replies, delays them and cuts connections, by a seeded dice."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(kw_only=True)
class Faults:
    """How often (0 to 1) each thing goes wrong, and how often it did."""

    cut_before: float = 0.0  # the command never reaches Redis
    eat_reply: float = 0.0  # Redis does it, the client hears nothing and is cut off
    delay: float = 0.0  # the reply comes late
    delay_s: float = 0.05
    seed: int = 0
    happened: dict[str, int] = field(default_factory=lambda: {"cut_before": 0, "eat_reply": 0, "delay": 0})


class RedisProxy:
    """Listens on a port of its own and forwards to Redis, faults permitting."""

    def __init__(self, redis_url: str, faults: Faults) -> None:
        address = urlsplit(redis_url)
        self._host, self._port = str(address.hostname), int(address.port or 6379)
        self._path = address.path
        self._faults = faults
        self._dice = random.Random(faults.seed)
        self._serving: set[asyncio.Task[None]] = set()
        self.url = ""

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}{self._path}"
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(self._host, self._port)
        replies = asyncio.create_task(self._pass_replies(upstream_reader, writer))
        try:
            while chunk := await reader.read(1 << 16):
                if self._strikes("cut_before"):
                    break
                eaten = self._strikes("eat_reply")
                if eaten:
                    replies.cancel()
                    await asyncio.gather(replies, return_exceptions=True)
                upstream_writer.write(chunk)
                await upstream_writer.drain()
                if eaten:
                    await upstream_reader.read(1)  # the reply began, so Redis carried the command out
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            replies.cancel()
            upstream_writer.close()
            writer.close()

    async def _pass_replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1 << 16):
                if self._strikes("delay"):
                    await asyncio.sleep(self._faults.delay_s)
                writer.write(chunk)
                await writer.drain()

    def _strikes(self, fault: str) -> bool:
        struck = self._dice.random() < getattr(self._faults, fault)
        self._faults.happened[fault] += struck
        return struck


@asynccontextmanager
async def redis_behind(redis_url: str, faults: Faults) -> AsyncIterator[RedisProxy]:
    proxy = RedisProxy(redis_url, faults)
    server = await proxy.start()
    try:
        yield proxy
    finally:
        server.close()
