"""Erasure of one customer: everything goes at once, then every trace; what accounting needs is kept as numbers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from handoff.customers import journal_lines
from handoff.keys import all_partitions, partition_of
from handoff.retention import Retention
from handoff.scripts import Transitions
from handoff.words import Value

STEP = 500
"""Journal lines or recorded results that one step forgets."""


class StillGoingOut(Exception):
    """A reply may be going out at this moment; nothing was erased. The text says what to do."""


class Erased(Value):
    """What was erased, as numbers."""

    case: str | None
    """The case that was open, now closed with the resolution `erased`."""
    counts: dict[str, int]


class Erasure:
    """Erases conversations. One that was cut off is ended by the next erasure or purge."""

    def __init__(self, redis: Redis, transitions: Transitions, *, partitions: int, retention: Retention) -> None:
        self._redis = redis
        self._transitions = transitions
        self._partitions = partitions
        self._retention = retention

    async def erase(
        self,
        conversation: str,
        now: Callable[[], datetime],
        *,
        wait_s: float = 60.0,
        waits: Callable[[], None] = lambda: None,
        look_s: float = 0.5,
    ) -> Erased:
        """Erases one conversation whole; raises StillGoingOut when a reply is still in doubt after `wait_s`.

        `waits` is called once, when there is something to wait for.
        """
        arguments = {"conversation": conversation, "tombstones_ms": self._retention.tombstones_ms}
        partition = partition_of(conversation, self._partitions)
        deadline = asyncio.get_running_loop().time() + wait_s
        is_told = False
        while True:
            ruling = await self._transitions.run("erase", partition, now(), arguments)
            if ruling.result != "in_flight":
                break
            if asyncio.get_running_loop().time() >= deadline:
                raise StillGoingOut(
                    f"A reply to this customer is {ruling.state}: it may be going out at this moment. Nothing was "
                    "erased. Ask again when the channel has found out (minutes; is `frontdesk channel` running?)."
                )
            if not is_told:
                waits()
                is_told = True
            await asyncio.sleep(look_s)
        return Erased(case=ruling.case, counts=await self._forget_traces(conversation, now()))

    async def end_begun(self, now: datetime) -> int:
        """Ends erasures that were cut off; returns how many."""
        ended = 0
        for partition in all_partitions(self._partitions):
            for conversation in await self._redis.hkeys(f"{partition}:erasing"):
                await self._forget_traces(str(conversation), now)
                ended += 1
        return ended

    async def forget_files(self) -> bool:
        """Has Redis write its append-only file anew, which still holds the words; False where it may not be asked."""
        try:
            persistence = await self._redis.info("persistence")
            if persistence.get("aof_enabled") and not persistence.get("aof_rewrite_in_progress"):
                await self._redis.bgrewriteaof()
        except ResponseError:
            return False
        return True

    async def _forget_traces(self, conversation: str, now: datetime) -> dict[str, int]:
        """What tells of the erased in journal and recorded results; then the erasure itself is journalled."""
        partition = partition_of(conversation, self._partitions)
        begun = json.loads(str(await self._redis.hget(f"{partition}:erasing", conversation)))
        found = await journal_lines(
            self._redis, conversation, partitions=self._partitions, until=str(begun["until_line"])
        )
        lines = [line for line, _ in found]
        results = await self._results(partition, conversation)
        gone = 0
        for start in range(0, max(len(lines), len(results)), STEP):
            arguments = {
                "conversation": conversation,
                "lines": lines[start : start + STEP],
                "results": results[start : start + STEP],
            }
            ruling = await self._transitions.run("forget_traces", partition, now, arguments)
            gone += (ruling.counts or {}).get("journal", 0)
        ending = {"conversation": conversation, "journal": gone}
        ruling = await self._transitions.run("end_erasure", partition, now, ending)
        return ruling.counts or {}

    async def _results(self, partition: str, conversation: str) -> list[str]:
        """Ids of commands whose recorded result carries an entry of this conversation."""
        start = f"{partition}:done:"
        found = []
        async for key in self._redis.scan_iter(match=f"{start}*", count=500, _type="STRING"):
            result = json.loads(await self._redis.get(key) or "{}")
            entry = json.loads((result.get("record") or {}).get("json", "{}"))
            if entry.get("conversation") == conversation:
                found.append(str(key).removeprefix(start))
        return found
