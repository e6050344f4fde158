"""The backlog: what waits in the ledger at this moment, counted over all partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import Field
from redis.asyncio import Redis

from handoff.keys import all_partitions, partition_of, partition_of_case
from handoff.words import FINAL_STATES, EntryState, Value, in_ms

UNFINISHED = tuple(state for state in EntryState if state not in FINAL_STATES)
PROMISE_STATES = ("running", "overdue", "kept", "broken")
"""Of the promises of open cases; `overdue`: still running, though due."""
HANDS = ("queue", "agent")


class OpenCases(Value):
    """Open cases of one reason, in the queue's hands or in agents'."""

    reason: str
    hands: str
    count: int


class Backlog(Value):
    """What waits; ages in seconds, 0 where nothing waits."""

    inbox_conversations: int
    inbox_oldest_s: float
    outbox: Mapping[EntryState, int]
    """Unfinished entries by state; every such state is there."""
    outbox_oldest_s: float
    """Since the oldest unfinished entry was put into the outbox."""
    cases: tuple[OpenCases, ...]
    promises: Mapping[str, int] = Field(default_factory=dict)
    """By PROMISE_STATES."""


async def read_backlog(redis: Redis, *, partitions: int, now: datetime) -> Backlog:
    """Counts in five round trips, however much waits. Raises RedisError."""
    tags, now_ms = all_partitions(partitions), in_ms(now)
    async with redis.pipeline(transaction=False) as pipe:
        for tag in tags:
            pipe.zcard(f"{tag}:inbox")
            pipe.zrange(f"{tag}:inbox", 0, 0, withscores=True)
            pipe.zrange(f"{tag}:outbox", 0, -1)
            pipe.zrange(f"{tag}:cases:open", 0, -1)
        answers = await pipe.execute()
    waiting, oldest, sending, cases = (answers[part::4] for part in range(4))
    entries = await _entries(redis, [key for found in sending for key in found], partitions)
    told = await _cases(redis, [case_id for found in cases for case_id in found])
    states = Counter(dict.fromkeys(UNFINISHED, 0))
    states.update(EntryState(state) for state, _ in entries if state in UNFINISHED)
    return Backlog(
        inbox_conversations=sum(waiting),
        inbox_oldest_s=_age_s((float(score) for found in oldest for _, score in found), now_ms),
        outbox=dict(states),
        outbox_oldest_s=_age_s((float(queued) for _, queued in entries if queued), now_ms),
        cases=_counted(told),
        promises=_promises(told, now_ms),
    )


async def _entries(redis: Redis, conversations: list[str], partitions: int) -> list[list[str | None]]:
    """State and queueing time of every unfinished entry."""
    tags = [partition_of(conversation, partitions) for conversation in conversations]
    async with redis.pipeline(transaction=False) as pipe:
        for tag, conversation in zip(tags, conversations, strict=True):
            pipe.lrange(f"{tag}:conv:{conversation}:outbox", 0, -1)
        lists = await pipe.execute()
        for tag, ids in zip(tags, lists, strict=True):
            for entry_id in ids:
                pipe.hmget(f"{tag}:entry:{entry_id}", "state", "queued_ms")
        return list(await pipe.execute())


async def _cases(redis: Redis, case_ids: list[str]) -> list[dict[str, Any]]:
    fields = ("reason", "taken_by", "promise_state", "promise_due_ms")
    async with redis.pipeline(transaction=False) as pipe:
        for case_id in case_ids:
            pipe.hmget(f"{partition_of_case(case_id)}:case:{case_id}", fields)
        return [dict(zip(fields, found, strict=True)) for found in await pipe.execute()]


def _counted(cases: list[dict[str, Any]]) -> tuple[OpenCases, ...]:
    counts = Counter((str(case["reason"]), HANDS[bool(case["taken_by"])]) for case in cases if case["reason"])
    return tuple(OpenCases(reason=reason, hands=hands, count=n) for (reason, hands), n in sorted(counts.items()))


def _promises(cases: list[dict[str, Any]], now_ms: int) -> dict[str, int]:
    counts = dict.fromkeys(PROMISE_STATES, 0)
    for case in cases:
        state = case["promise_state"]
        if state == "running" and int(case["promise_due_ms"] or 0) <= now_ms:
            state = "overdue"
        if state in counts:
            counts[state] += 1
    return counts


def _age_s(moments_ms: Iterable[float], now_ms: int) -> float:
    oldest = min(moments_ms, default=float(now_ms))
    return max(now_ms - oldest, 0.0) / 1000
