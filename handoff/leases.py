"""Leases: which process may work on which partitions, proven by a fencing number."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from handoff.scripts import LedgerFull, Transitions, refuses_to_write


class Leases:
    """One process's leases of one role; a dead process's are taken over when they (and their grace) end.

    Times are Redis's own clock, so processes on different machines agree.
    """

    def __init__(
        self,
        redis: Redis,
        transitions: Transitions,
        *,
        role: str,
        holder: str,
        partitions: Sequence[str],
        ttl_s: float = 5.0,
        grace_s: float = 0.0,
    ) -> None:
        """`grace_s`: how long after its end nobody else may take it; the longest call of the old holder."""
        self._redis = redis
        self._transitions = transitions
        self.role = role
        self.holder = holder
        self._partitions = list(partitions)
        self.ttl_s = ttl_s
        self.grace_s = grace_s
        self.held: dict[str, int] = {}
        """Partition -> fence of the leases that this process holds now."""

    async def renew(self, now: datetime, *, busy: Callable[[], Collection[str]] = tuple) -> dict[str, int]:
        """Renews what is held and takes what is free, up to a fair share among the living; returns what is held.

        A `busy` partition is kept beyond that share: its next holder would not wait for the call that is under way.
        """
        share = await self._fair_share(now)
        kept = 0
        for partition in [*self.held, *(p for p in self._partitions if p not in self.held)]:
            if kept < share or (partition in self.held and partition in busy()):
                kept += await self._keep(partition, now)
            elif self.held.pop(partition, None) is not None:  # forgotten first: nothing begins while it is given away
                await self._release(partition, now)
        return dict(self.held)

    def forget(self, partition: str, fence: int) -> None:
        """A lease that turned out to be lost: nothing more is begun under it before the next renewal."""
        if self.held.get(partition) == fence:
            del self.held[partition]

    async def release_all(self, now: datetime) -> None:
        """Gives everything back at once, so that a successor need not wait."""
        for partition in list(self.held):
            await self._release(partition, now)
        self.held = {}
        await self._redis.zrem(self._workers_key, self.holder)

    async def _keep(self, partition: str, now: datetime) -> bool:
        fence = await self._lease(partition, now)
        if fence is None:
            self.held.pop(partition, None)
            return False
        self.held[partition] = fence
        return True

    async def _lease(self, partition: str, now: datetime) -> int | None:
        arguments = {
            "role": self.role,
            "holder": self.holder,
            "ttl_ms": int(self.ttl_s * 1000),
            "grace_ms": int(self.grace_s * 1000),
        }
        ruling = await self._transitions.run("lease", partition, now, arguments)
        return ruling.fence if ruling.result == "leased" else None

    async def _release(self, partition: str, now: datetime) -> None:
        await self._transitions.run("release_lease", partition, now, {"role": self.role, "holder": self.holder})

    @property
    def _workers_key(self) -> str:
        return f"{{workers}}:{self.role}"

    async def _fair_share(self, now: datetime) -> int:
        """Partitions per living process, rounded up. Only fairness hangs on it, never correctness."""
        seen = now.timestamp()
        try:
            await self._redis.zadd(self._workers_key, {self.holder: seen})
        except ResponseError as error:
            if refuses_to_write(error):
                raise LedgerFull(f"lease: {error}") from error
            raise
        await self._redis.zremrangebyscore(self._workers_key, "-inf", seen - 3 * self.ttl_s)
        living = max(1, int(await self._redis.zcard(self._workers_key)))
        return -(-len(self._partitions) // living)
