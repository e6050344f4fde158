"""The ledger: messages come in once, turns are committed whole, conversations have one owner."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field
from redis.asyncio import Redis

from handoff.keys import ACCOUNT, DEFAULT_PARTITIONS, all_partitions, partition_of
from handoff.scripts import Ruling, Transitions
from handoff.words import (
    BOT,
    Customer,
    Entry,
    EntryState,
    Message,
    NewCase,
    Outcome,
    Owner,
    Place,
    Reason,
    Value,
    in_ms,
)

LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
"""What makes a post cost more, for the report's estimate."""
LONGEST_BURST = 20
"""How many waiting messages one turn looks at."""


class Conversation(Value):
    """Everything between one customer and us, as it stands now."""

    key: str
    customer: Customer
    owner: Owner = BOT
    epoch: int = 1
    seq: int = 0
    case: str | None = None
    opted_out: bool = False
    tracker: str | None = None
    """The Rasa session of the bot, as JSON; None begins a fresh one."""
    memory: str = "{}"
    """What the bot remembers beyond a Rasa session, as JSON."""
    last_message: str | None = None
    last_place: str | None = None


class Snapshot(Value):
    """A conversation with its waiting messages, oldest first."""

    conversation: Conversation
    waiting: tuple[Message, ...]
    received_ms: tuple[int, ...] = ()
    """When each of them came in."""


class Raised(Value):
    """Words that make an open case more urgent than it was."""

    priority: int
    reason: Reason


class Turn(Value):
    """What one turn decided, to be stored at once."""

    turn_id: str
    conversation: str
    fence: int
    epoch: int
    messages: tuple[str, ...]
    """Ids of the messages it handles: the oldest waiting ones."""
    outcome: Outcome
    rule: str | None = None
    """Why it is silent."""
    entries: tuple[Entry, ...] = ()
    case: NewCase | None = None
    raised: Raised | None = None
    """For a message that joins an open case."""
    tracker: str | None = None
    memory: str | None = None
    opted_out: bool | None = None
    intent: str | None = None
    failed: bool | None = None
    """Whether the bot had no answer to what was asked; a clarifying question counts. None: it was not asked."""
    understood: str | None = None
    """What was understood and with what certainty, as JSON, for the agent and for `frontdesk ask`."""


class Line(Value):
    """One line of a transcript: a message, one of our entries, or an event."""

    seq: int
    at_ms: int
    kind: str
    message: Message | None = None
    outcome: str | None = None
    understood: str | None = None
    entry: Entry | None = None
    state: EntryState | None = None
    detail: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)


class Ledger:
    """Reads conversations and commits what ingress and responder decide; see keys.py for the whole map."""

    def __init__(self, redis: Redis, transitions: Transitions, *, partitions: int = DEFAULT_PARTITIONS) -> None:
        self._redis = redis
        self._transitions = transitions
        self.partitions = all_partitions(partitions)

    def partition_of(self, conversation: str) -> str:
        """The hash tag under which a conversation lives."""
        return partition_of(conversation, len(self.partitions))

    async def receive(self, message: Message, now: datetime) -> Ruling:
        """Puts a message into the inbox: `stored`, or `duplicate` when its id is known."""
        arguments = {
            "id": message.id,
            "conversation": message.conversation,
            "customer": message.customer.model_dump_json(),
            "place": message.place,
            "json": message.model_dump_json(),
        }
        return await self._transitions.run("receive", self.partition_of(message.conversation), now, arguments)

    async def waiting(self, partitions: Sequence[str], *, limit: int = 100) -> list[str]:
        """The conversations of these partitions that have waiting messages, longest waiting first in each."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for partition in partitions:
                pipe.zrange(f"{partition}:inbox", 0, limit - 1)
            return [str(key) for found in await pipe.execute() for key in found]

    async def snapshot(self, conversation: str) -> Snapshot | None:
        """The conversation and its waiting messages; None when nobody by that key ever wrote."""
        partition = self.partition_of(conversation)
        # No MULTI: a full Redis refuses even reads in it, and what changes in between is for the commit's guards.
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(f"{partition}:conv:{conversation}")
            pipe.lrange(f"{partition}:conv:{conversation}:inbox", 0, LONGEST_BURST - 1)
            fields, ids = await pipe.execute()
        if not fields:
            return None
        messages = await self._messages(partition, ids)
        return Snapshot(
            conversation=_conversation(conversation, fields),
            waiting=tuple(message for message, _ in messages),
            received_ms=tuple(received for _, received in messages),
        )

    async def commit_turn(self, turn: Turn, now: datetime, *, command_id: str | None = None) -> Ruling:
        """Stores a whole turn: `committed`, or `lease_lost`, `stale_epoch`, `not_waiting` and nothing stored."""
        arguments = {
            **turn.model_dump(mode="json", exclude={"entries", "case", "messages"}),
            "messages": list(turn.messages),
            "entries": [entry_arguments(entry) for entry in turn.entries],
            "case": case_arguments(turn.case),
            "articles": ",".join(sorted({a for entry in turn.entries for a in entry.articles})) or None,
        }
        partition = self.partition_of(turn.conversation)
        return await self._transitions.run("commit_turn", partition, now, arguments, command_id=command_id)

    async def transcript(self, conversation: str, *, since_seq: int = 0, limit: int = 200) -> list[Line]:
        """The last lines of a conversation across both places, oldest first, after `since_seq`."""
        partition = self.partition_of(conversation)
        stored = await self._redis.lrange(f"{partition}:conv:{conversation}:transcript", -limit, -1)
        lines = [line for line in map(json.loads, stored) if line["seq"] > since_seq]
        async with self._redis.pipeline(transaction=False) as pipe:
            for line in lines:
                pipe.hgetall(f"{partition}:{line['kind']}:{line.get('id', '-')}")
            records = await pipe.execute()
        return [_line(line, record) for line, record in zip(lines, records, strict=True)]

    async def cases_of(self, conversation: str) -> list[str]:
        """Ids of every case this conversation ever had, oldest first."""
        key = f"{self.partition_of(conversation)}:conv:{conversation}:cases"
        return [str(case) for case in await self._redis.lrange(key, 0, -1)]

    async def message_record(self, conversation: str, message_id: str) -> dict[str, str]:
        """The stored fields of one message (state, outcome, rule, turn, times); empty if unknown."""
        key = f"{self.partition_of(conversation)}:message:{message_id}"
        return _strings(await self._redis.hgetall(key))

    async def journal(self, partition: str, *, after: str = "-", count: int = 1000) -> list[tuple[str, dict[str, str]]]:
        """Journal records of a partition after a stream id, oldest first."""
        start = after if after == "-" else f"({after}"
        found = await self._redis.xrange(f"{partition}:journal", start, "+", count)
        return [(str(stream_id), _strings(fields or {})) for stream_id, fields in found or []]

    async def cursor(self, feed: str) -> str | None:
        """The newest platform id of a feed that is safely in the inbox."""
        found = await self._redis.get(f"{ACCOUNT}:cursor:{feed}")
        return str(found) if found else None

    async def set_cursor(self, feed: str, platform_id: str, now: datetime) -> Ruling:
        """Moves a feed's cursor forward; an older id leaves it (`kept`)."""
        return await self._transitions.run("set_cursor", ACCOUNT, now, {"feed": feed, "id": platform_id})

    async def mark_read(self, place: Place, until: datetime, now: datetime) -> Ruling:
        """What customers wrote in a place before `until` is in the inbox, late appearances aside."""
        return await self._transitions.run("mark_read", ACCOUNT, now, {"place": place, "until_ms": in_ms(until)})

    async def read_until_ms(self, place: Place) -> int:
        """Up to when a place was read to its end, as milliseconds since 1970; 0 before the first read."""
        return int(await self._redis.get(f"{ACCOUNT}:read:{place}") or 0)

    async def _messages(self, partition: str, ids: Sequence[str]) -> list[tuple[Message, int]]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for message_id in ids:
                pipe.hmget(f"{partition}:message:{message_id}", "json", "received_ms")
            found = await pipe.execute()
        return [(Message.model_validate_json(text), int(received)) for text, received in found]


def entry_arguments(entry: Entry) -> dict[str, Any]:
    """An entry as the transitions take it."""
    arguments = {
        "id": entry.id,
        "json": entry.model_dump_json(),
        "author": entry.author,
        "place": str(entry.place),
        "expires_ms": in_ms(entry.expires_at) if entry.expires_at else None,
        "held_until_ms": in_ms(entry.held_until) if entry.held_until else None,
        "has_link": True if LINK.search(entry.text) else None,
        "although_opted_out": True if entry.although_opted_out else None,
    }
    return {key: value for key, value in arguments.items() if value is not None}


def case_arguments(case: NewCase | None) -> dict[str, Any] | None:
    """A new case as the transitions take it."""
    if case is None:
        return None
    arguments: dict[str, Any] = {"reason": str(case.reason), "priority": case.priority, "packet": case.packet}
    if case.promise:
        arguments |= {"promise": case.promise.model_dump_json(), "promise_due_ms": in_ms(case.promise.due_at)}
    return arguments


def _strings(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in fields.items()}


def _conversation(key: str, fields: dict[str, str]) -> Conversation:
    return Conversation(
        key=key,
        customer=Customer.model_validate_json(fields["customer"]),
        owner=Owner.parse(fields["owner"]),
        epoch=int(fields["epoch"]),
        seq=int(fields["seq"]),
        case=fields.get("case") or None,
        opted_out=fields.get("opted_out") == "1",
        tracker=fields.get("tracker"),
        memory=fields.get("memory", "{}"),
        last_message=fields.get("last_message"),
        last_place=fields.get("last_place"),
    )


def _line(line: dict[str, Any], record: dict[str, str]) -> Line:
    common = {"seq": line.pop("seq"), "at_ms": line.pop("at_ms"), "kind": line.pop("kind")}
    if common["kind"] == "message":
        message = Message.model_validate_json(record["json"])
        outcome, understood = record.get("outcome"), record.get("understood")
        return Line(**common, message=message, outcome=outcome, understood=understood)
    if common["kind"] == "entry":
        entry = Entry.model_validate_json(record["json"])
        return Line(**common, entry=entry, state=EntryState(record["state"]), detail=record.get("detail"))
    return Line(**common, facts=line)
