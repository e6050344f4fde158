"""The outbox: what is to be said, claimed in order and settled once."""

from __future__ import annotations

import json
from datetime import datetime

from redis.asyncio import Redis

from handoff.keys import ACCOUNT_CONVERSATION, partition_of
from handoff.ledger import case_arguments
from handoff.scripts import Ruling, Transitions
from handoff.words import Entry, EntryState, NewCase, Value, in_ms

STOP_LOOK_MS = 1000
"""How long words held by a stop wait until delivery looks again."""


class Claim(Value):
    """An entry that delivery now has in hand."""

    entry: Entry
    must_look: bool
    """True: nobody knows whether it went out; look before anything else. False: send it."""
    attempts: int
    """How often it was sent or tried, this time included."""
    looks: int
    """How often it was looked for since it was last sent, this time included."""
    doubts: int
    """How often a sending of it ended without anybody knowing whether it went out."""
    detail: str | None
    """What was recorded when it was last settled."""
    queued_ms: int
    sending_ms: int
    """When it was last about to be sent; 0 if never."""


class Outbox:
    """Delivery's side of the ledger; every call carries delivery's own fence."""

    def __init__(self, redis: Redis, transitions: Transitions, *, partitions: int) -> None:
        self._redis = redis
        self._transitions = transitions
        self._partitions = partitions

    async def due(self, partition: str, now: datetime, *, limit: int = 100) -> list[str]:
        """Conversations of a partition whose first unfinished entry is due, longest due first."""
        found = await self._redis.zrangebyscore(f"{partition}:outbox", "-inf", in_ms(now), start=0, num=limit)
        return [str(conversation) for conversation in found]

    async def is_stopped(self) -> bool:
        """Whether nothing automated may be said now."""
        partition = partition_of(ACCOUNT_CONVERSATION, self._partitions)
        return bool(await self._redis.exists(f"{partition}:stop"))

    async def claim(
        self, conversation: str, fence: int, now: datetime, *, look_after_s: float = 5.0, stopped: bool = False
    ) -> Claim | None:
        """Takes the head of a conversation's outbox in hand, or None (nothing due, cancelled, stopped, lease lost).

        Ask only for a conversation of which nothing is in hand: an entry found in `sending` counts as adrift.
        """
        arguments = {
            "conversation": conversation,
            "fence": fence,
            "look_after_ms": int(look_after_s * 1000),
            "stopped": stopped or None,
            "stop_look_ms": STOP_LOOK_MS,
        }
        partition = partition_of(conversation, self._partitions)
        ruling = await self._transitions.run("claim_entry", partition, now, arguments)
        if ruling.record is None:
            return None
        return Claim(
            entry=Entry.model_validate_json(ruling.record["json"]),
            must_look=ruling.result == "look",
            attempts=int(ruling.record["attempts"]),
            looks=int(ruling.record["looks"]),
            doubts=int(ruling.record["doubts"]),
            detail=ruling.record["detail"] or None,
            queued_ms=int(ruling.record["queued_ms"]),
            sending_ms=int(ruling.record["sending_ms"]),
        )

    async def settle(
        self,
        entry: Entry,
        fence: int,
        state: EntryState,
        now: datetime,
        *,
        due_at: datetime | None = None,
        external_id: str | None = None,
        detail: str | None = None,
        case: NewCase | None = None,
    ) -> Ruling:
        """Records what became of an entry; `case` opens one in the same step if the bot still owns.

        `retry_at` and `unknown` need `due_at`. After `unknown`, a later claim asks for a look; settling a looked-up
        entry as `retry_at` queues it to be sent again.
        """
        arguments = {
            "entry": entry.id,
            "fence": fence,
            "state": str(state),
            "due_ms": in_ms(due_at) if due_at else None,
            "external_id": external_id,
            "detail": detail,
            "case": case_arguments(case),
        }
        partition = partition_of(entry.conversation, self._partitions)
        return await self._transitions.run("settle_entry", partition, now, arguments)

    async def said(self, conversation: str, *, last: int = 200) -> frozenset[str]:
        """Platform ids of what is known to have been said, among the last lines of a conversation."""
        partition = partition_of(conversation, self._partitions)
        lines = await self._redis.lrange(f"{partition}:conv:{conversation}:transcript", -last, -1)
        entries = [line["id"] for line in map(json.loads, lines) if line["kind"] == "entry"]
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry_id in entries:
                pipe.hget(f"{partition}:entry:{entry_id}", "external_id")
            return frozenset(found for found in await pipe.execute() if found)

    async def record(self, entry_id: str, conversation: str) -> dict[str, str]:
        """The stored fields of an entry, for tests and reports; empty if unknown."""
        fields = await self._redis.hgetall(f"{partition_of(conversation, self._partitions)}:entry:{entry_id}")
        return {str(name): str(value) for name, value in fields.items()}
