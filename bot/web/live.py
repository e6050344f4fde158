"""Live updates: what changed in the ledger, told to open pages by server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from redis.exceptions import RedisError

from bot.web.shell import Shell
from handoff.changes import EVERYTHING, Changes

MOST_WAITING = 200


class Ear:
    """What one open page has not been told yet."""

    def __init__(self) -> None:
        self._waiting: set[str] = set()
        self._told = asyncio.Event()
        self.closed = False

    def tell(self, conversation: str) -> None:
        """Remembers a change; too many at once become one: everything."""
        self._waiting.add(conversation)
        if len(self._waiting) > MOST_WAITING:
            self._waiting = {EVERYTHING}
        self._told.set()

    def close(self) -> None:
        """Lets the listener stop."""
        self.closed = True
        self._told.set()

    async def next(self, wait_s: float) -> set[str]:
        """What changed since the last call; empty after `wait_s` without change."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), wait_s)
        waiting, self._waiting = self._waiting, set()
        self._told.clear()
        return waiting


class Live:
    """Passes the ledger's changes on to open pages."""

    def __init__(self, changes: Changes, shell: Shell, *, heartbeat_s: float = 15.0) -> None:
        self.changes = changes
        self._shell = shell
        self._heartbeat_s = heartbeat_s
        self._ears: set[Ear] = set()

    async def follow(self) -> None:
        """For ever; what was missed while Redis was away is told as `EVERYTHING`."""
        await self.changes.follow(self._tell)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """`event: change` with a conversation's key; a heartbeat that also notices when the session ended."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        await response.write(b"retry: 2000\nevent: hello\ndata: {}\n\n")
        with self._ear() as ear, contextlib.suppress(ConnectionResetError):
            await self._tell_on(request, response, ear)
        return response

    def close(self) -> None:
        """Ends every stream, so that the process can stop."""
        for ear in self._ears:
            ear.close()

    async def _tell_on(self, request: web.Request, response: web.StreamResponse, ear: Ear) -> None:
        clock = asyncio.get_running_loop().time
        look_again = clock() + self._heartbeat_s
        while not ear.closed:
            for conversation in sorted(await ear.next(self._heartbeat_s)):
                await response.write(_event("change", {"conversation": conversation}))
            if clock() < look_again:
                continue
            look_again = clock() + self._heartbeat_s
            if not await self._still_signed_in(request):
                await response.write(_event("signed_out", {}))
                return
            await response.write(_event("heartbeat", {}))

    async def _still_signed_in(self, request: web.Request) -> bool:
        try:
            return await self._shell.who(request) is not None
        except RedisError:  # nobody knows; the page is told when Redis is back
            return True

    def _tell(self, conversation: str) -> None:
        for ear in self._ears:
            ear.tell(conversation)

    @contextmanager
    def _ear(self) -> Iterator[Ear]:
        ear = Ear()
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)


def _event(name: str, data: dict[str, str]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
