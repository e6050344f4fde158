"""Everything a kill needs: the stack, its ledger, its traps, the crowd, and how to see what is under way."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from redis.exceptions import RedisError

from bot.audit import JournalReader, nothing_waits
from bot.crowd import Crowd
from bot.own_stack import Interrupted
from bot.stack import Stack
from bot.wiring import LedgerParts
from handoff.words import EntryState
from tests.chaos.stream import Stream
from tests.chaos.trap import Trap

LOOK_S = 0.004
MOMENT_LIMIT_S = 90.0
READY_LIMIT_S = 120.0
SETTLE_LIMIT_S = 180.0


class MomentMissed(Exception):
    """What a kill was waiting for never came."""


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """What was under way at the moment of a kill, by the ledger."""

    waiting: int
    """Messages without an outcome."""
    unsaid: int
    """Conversations with replies that are not finished."""
    held: int = 0
    """Commands that were caught on their way to Redis or back."""

    @property
    def is_something(self) -> bool:
        return bool(self.waiting or self.unsaid or self.held)


@dataclass(frozen=True, kw_only=True)
class ChaosHouse:
    """One run's parts."""

    stack: Stack
    parts: LedgerParts
    traps: dict[str, Trap]
    crowd: Crowd
    stream: Stream
    dice: Random
    stop: threading.Event

    def pid_of(self, name: str) -> int:
        """The process that plays this part now; 0 if none."""
        return self.stack.supervisor.states()[name].pid

    def killer(self, name: str) -> Callable[[], None]:
        """Kills that very process, `kill -9`, whenever called."""
        pid = self.pid_of(name)
        if not pid:
            raise MomentMissed(f"{name} does not run")
        return lambda: os.kill(pid, signal.SIGKILL)

    async def in_flight(self) -> InFlight:
        """What is under way now."""
        async with self.parts.redis.pipeline(transaction=False) as pipe:
            for partition in self.parts.ledger.partitions:
                pipe.zrange(f"{partition}:inbox", 0, -1)
                pipe.zcard(f"{partition}:outbox")
            answers = await pipe.execute()
        waiting = [(partition, key) for partition, keys in zip(self.parts.ledger.partitions, answers[::2], strict=True)
                   for key in keys]  # fmt: skip
        async with self.parts.redis.pipeline(transaction=False) as pipe:
            for partition, key in waiting:
                pipe.llen(f"{partition}:conv:{key}:inbox")
            return InFlight(waiting=sum(await pipe.execute()), unsaid=sum(answers[1::2]))

    async def sending(self) -> list[dict[str, str]]:
        """The entries that are being sent now."""
        heads = []
        for partition in self.parts.ledger.partitions:
            for conversation in await self.parts.redis.zrange(f"{partition}:outbox", 0, -1):
                entry = await self.parts.redis.lindex(f"{partition}:conv:{conversation!s}:outbox", 0)
                if entry:
                    heads.append(await self.parts.outbox.record(str(entry), str(conversation)))
        return [head for head in heads if head.get("state") == EntryState.SENDING]

    async def until(
        self, condition: Callable[[], Awaitable[Any]], *, what: str, nudge: Callable[[], Awaitable[None]] | None = None
    ) -> Any:
        """Waits for a moment, and says something now and then so that it comes. Raises MomentMissed."""
        loop = asyncio.get_running_loop()
        deadline, next_nudge = loop.time() + MOMENT_LIMIT_S, loop.time() + 2.0
        while loop.time() < deadline:
            self.check_stop()
            if found := await condition():
                return found
            if nudge and loop.time() > next_nudge:
                await nudge()
                next_nudge = loop.time() + 2.0
            await asyncio.sleep(LOOK_S)
        raise MomentMissed(f"{what}: this did not come within {MOMENT_LIMIT_S:.0f} s")

    async def ready(self, name: str) -> bool:
        """Whether a process works, by its own word."""
        state = await asyncio.to_thread(self.stack.supervisor.states)
        if state[name].state != "RUNNING":
            return False
        address = self.stack.health_addresses.get(name)
        if address:
            return await asyncio.to_thread(_says_ready, *address)
        try:
            return bool(await self.parts.redis.ping())
        except RedisError:
            return False

    async def all_ready(self) -> None:
        """Waits until every process works. Raises MomentMissed."""
        deadline = asyncio.get_running_loop().time() + READY_LIMIT_S
        names = ("redis", *self.stack.health_addresses)
        while not all([await self.ready(name) for name in names]):
            if asyncio.get_running_loop().time() > deadline:
                raise MomentMissed(f"not every process became ready within {READY_LIMIT_S:.0f} s")
            self.check_stop()
            await asyncio.sleep(0.1)

    async def settle(self) -> None:
        """Waits until inbox and outbox are empty and everything written has its outcome, or for so long."""
        journal = JournalReader(self.parts.ledger)
        deadline = asyncio.get_running_loop().time() + SETTLE_LIMIT_S
        while True:
            self.check_stop()
            await journal.read_on()
            empty = await nothing_waits(self.parts.redis, self.parts.ledger.partitions)
            if empty and self.stream.expected.keys() <= journal.ended:
                return
            if asyncio.get_running_loop().time() > deadline:
                return  # the audit counts what is missing
            await asyncio.sleep(0.2)

    def check_stop(self) -> None:
        """Raises Interrupted once the operator asked to stop."""
        if self.stop.is_set():
            raise Interrupted


def _says_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
