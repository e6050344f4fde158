"""The purge: forgets what is past its days, conversation by conversation, and then the oldest of the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from redis.asyncio import Redis

from handoff.customers import conversations_in
from handoff.keys import all_partitions, partition_of
from handoff.retention import Retention
from handoff.scripts import Transitions
from handoff.words import Value

MOST_AT_ONCE = 500
"""Transcript or journal lines that one step forgets: some milliseconds of Redis."""
TOLD_EVERY = 1000


class Purged(Value):
    """What one run forgot, or would."""

    looked_at: int
    """Conversations."""
    left_alone: int
    """Conversations with an open case, a waiting message or an unfinished entry."""
    counts: Mapping[str, int]
    """messages, entries, events, cases, customers, journal (lines)."""


class Purge:
    """Runs to its end whatever came before: an interrupted run is simply run again."""

    def __init__(self, redis: Redis, transitions: Transitions, *, partitions: int, retention: Retention) -> None:
        self._redis = redis
        self._transitions = transitions
        self._partitions = partitions
        self._retention = retention

    async def run(
        self, now: datetime, *, only_count: bool = False, told: Callable[[int], None] = lambda looked_at: None
    ) -> Purged:
        """Purges, or only counts; `told` hears every now and then how many conversations were looked at."""
        looked_at = left_alone = 0
        counts: dict[str, Counter[str]] = {partition: Counter() for partition in all_partitions(self._partitions)}
        async for conversation in conversations_in(self._redis):
            partition = partition_of(conversation, self._partitions)
            left_alone += not await self._conversation(partition, conversation, now, only_count, counts[partition])
            looked_at += 1
            if looked_at % TOLD_EVERY == 0:
                told(looked_at)
        for partition, counted in counts.items():
            await self._journal(partition, now, only_count, counted)
        total: Counter[str] = sum(counts.values(), Counter())
        kinds = ("messages", "entries", "events", "cases", "customers", "journal")
        return Purged(looked_at=looked_at, left_alone=left_alone, counts={kind: total[kind] for kind in kinds})

    async def _conversation(
        self, partition: str, conversation: str, now: datetime, only_count: bool, counted: Counter[str]
    ) -> bool:
        """Purges one conversation; False when somebody still works on it."""
        arguments = {
            "conversation": conversation,
            "transcripts_before_ms": self._retention.before_ms("transcripts", now),
            "cases_before_ms": self._retention.before_ms("cases", now),
            "customers_before_ms": self._retention.before_ms("customers", now),
            "tombstones_ms": self._retention.tombstones_ms,
            "most": MOST_AT_ONCE,
            "only_count": True if only_count else None,
        }
        while True:
            ruling = await self._transitions.run("purge", partition, now, arguments)
            counted.update(ruling.counts or {})
            if only_count or not ruling.more:
                return ruling.result != "busy"

    async def _journal(self, partition: str, now: datetime, only_count: bool, counted: Counter[str]) -> None:
        """Trims the journal of a partition; its last step journals what the run forgot there, as numbers."""
        found = {kind: number for kind, number in counted.items() if number}
        arguments = {
            "before_ms": self._retention.before_ms("journal", now),
            "most": await self._redis.xlen(f"{partition}:journal") + 1 if only_count else MOST_AT_ONCE,
            "only_count": True if only_count else None,
            "purged": found or None,
        }
        while True:
            ruling = await self._transitions.run("trim_journal", partition, now, arguments)
            counted.update(ruling.counts or {})
            if only_count or not ruling.more:
                return
