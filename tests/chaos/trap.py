"""A trap between one process and Redis: at a command that it waits for, something dies at exactly that moment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Moment(StrEnum):
    """When a trap springs."""

    BEFORE = "before"  # the command never reaches Redis
    AFTER = "after"  # Redis has carried it out and written it to disk; its reply is never heard


@dataclass(kw_only=True)
class _Armed:
    mark: bytes
    moment: Moment
    strike: Callable[[], None]
    sprung: asyncio.Event = field(default_factory=asyncio.Event)


class Trap:
    """Passes everything on, until it is armed and sees the mark."""

    def __init__(self, redis_port: int) -> None:
        self._redis_port = redis_port
        self._armed: _Armed | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    def arm(self, mark: bytes, moment: Moment, strike: Callable[[], None]) -> asyncio.Event:
        """At the next command that contains `mark`, calls `strike` and cuts the connection; the event tells when."""
        self._armed = _Armed(mark=mark, moment=moment, strike=strike)
        return self._armed.sprung

    def disarm(self) -> None:
        """Waits for nothing any more."""
        self._armed = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the process."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            with contextlib.suppress(OSError):
                upstream = await asyncio.open_connection("127.0.0.1", self._redis_port)
                await self._between((reader, writer), upstream)
        finally:
            writer.close()
            self._serving.discard(task)

    async def _between(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        redis: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        caught: list[_Armed] = []
        there = asyncio.create_task(self._commands(client[0], redis[1], caught))
        back = asyncio.create_task(self._replies(redis[0], client[1], caught))
        try:
            await asyncio.wait([there, back], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (there, back):
                task.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
            redis[1].close()

    async def _commands(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caught: list[_Armed]) -> None:
        while chunk := await reader.read(1 << 16):
            armed = self._armed
            if armed and armed.mark in chunk:
                if armed.moment is Moment.BEFORE:
                    self._spring(armed)
                    return
                caught.append(armed)
            writer.write(chunk)
            await writer.drain()

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caught: list[_Armed]) -> None:
        while chunk := await reader.read(1 << 16):
            if caught:
                armed = caught.pop()
                if chunk.startswith(b"$") and armed is self._armed:  # a result, and not "no such script" or an error
                    self._spring(armed)
                    return
            writer.write(chunk)
            await writer.drain()

    def _spring(self, armed: _Armed) -> None:
        self._armed = None
        armed.strike()
        armed.sprung.set()

    async def close(self) -> None:
        """Cuts every connection."""
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)


@asynccontextmanager
async def traps_before(redis_port: int, names: tuple[str, ...]) -> AsyncIterator[dict[str, Trap]]:
    """A trap for each process, listening on ports of their own."""
    traps: dict[str, Trap] = {}
    servers = []
    for name in names:
        trap = traps[name] = Trap(redis_port)
        server = await asyncio.start_server(trap.serve, "127.0.0.1", 0, limit=1 << 20)
        trap.port = server.sockets[0].getsockname()[1]
        servers.append(server)
    try:
        yield traps
    finally:
        for server in servers:
            server.close()
        for trap in traps.values():
            await trap.close()
