"""One customer: found by id or handle, and everything held of them as one readable value."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from handoff.keys import ACCOUNT_CONVERSATION, partition_of
from handoff.words import Customer, Value

EXPORT_VERSION = 1
JOURNAL_PAGE = 1000


class NobodyFound(Exception):
    """Nobody by that handle or id; the text says what was looked for."""


class SeveralFound(Exception):
    """The handle fits several; the text lists their ids."""


class Held(Value):
    """A conversation of which something is held."""

    conversation: str
    customer: Customer

    @property
    def id(self) -> str:
        return self.customer.id


async def conversations_in(redis: Redis) -> AsyncIterator[str]:
    """Every conversation of the ledger, in no order; one that is there all along comes at least once."""
    async for key in redis.scan_iter(match="{p*}:conv:*", count=500, _type="HASH"):
        conversation = str(key).partition(":conv:")[2]
        if not conversation.endswith(":seen"):
            yield conversation


async def find(redis: Redis, who: str, *, partitions: int) -> Held:
    """The one customer by that id or handle (`@` in front: a handle for sure). Raises NobodyFound, SeveralFound."""
    handle = who.removeprefix("@").casefold()
    by_id = None if who.startswith("@") else who
    found: dict[str, Held] = {}
    async for conversation in conversations_in(redis):
        stored = await redis.hget(f"{partition_of(conversation, partitions)}:conv:{conversation}", "customer")
        if not stored or conversation == ACCOUNT_CONVERSATION:
            continue
        customer = Customer.model_validate_json(stored)
        if customer.id == by_id or customer.handle.casefold() == handle:
            found[conversation] = Held(conversation=conversation, customer=customer)
    if len(found) > 1:
        ids = ", ".join(sorted(f"{held.id} (@{held.customer.handle})" for held in found.values()))
        raise SeveralFound(f"{who} fits several customers: {ids}. Name the one you mean by id, or by @handle.")
    if found:
        return next(iter(found.values()))
    if by_id and by_id.isascii() and by_id.isdigit():
        held = Held(conversation=f"x:{by_id}", customer=Customer(id=by_id, handle=""))
        if await journal_lines(redis, held.conversation, partitions=partitions):
            return held  # the words were purged; the journal still names the id
    raise NobodyFound(f"Nothing is held of anybody by the id or handle {who}. A changed handle: ask for the id.")


async def exported(redis: Redis, held: Held, now: datetime, *, partitions: int, wrong_tries: int) -> dict[str, Any]:
    """Everything held of one customer, to be written as JSON."""
    partition = partition_of(held.conversation, partitions)
    conv = f"{partition}:conv:{held.conversation}"
    fields = _read(await redis.hgetall(conv))
    lines: list[dict[str, Any]] = [json.loads(line) for line in await redis.lrange(f"{conv}:transcript", 0, -1)]
    told: dict[str, list[dict[str, Any]]] = {"message": [], "entry": [], "event": []}
    for line in lines:
        kind = line.pop("kind")
        record = await redis.hgetall(f"{partition}:{kind}:{line['id']}") if kind != "event" else {}
        told[kind].append({**line, **_read(record)})
    ids = [str(case) for case in await redis.lrange(f"{conv}:cases", 0, -1)]
    cases = [{"id": case, **_read(await redis.hgetall(f"{partition}:case:{case}"))} for case in ids]
    journal = [fields for _, fields in await journal_lines(redis, held.conversation, partitions=partitions)]
    return {
        "format": "frontdesk customer export",
        "version": EXPORT_VERSION,
        "exported_at": now.isoformat(),
        "customer": held.customer.model_dump(),
        "counts": {
            "messages": len(told["message"]),
            "entries": len(told["entry"]),
            "events": len(told["event"]),
            "cases": len(cases),
            "journal": len(journal),
            "wrong_verification_tries": wrong_tries,
        },
        "conversation": {
            "key": held.conversation,
            **fields,
            "read_by_agents": _strings(await redis.hgetall(f"{conv}:seen")),
        },
        "messages": told["message"],
        "entries": told["entry"],
        "events": told["event"],
        "cases": cases,
        "journal": [_read(fields) for fields in journal],
    }


async def journal_lines(
    redis: Redis, conversation: str, *, partitions: int, until: str = "+"
) -> list[tuple[str, dict[str, str]]]:
    """The journal's lines about a conversation with their ids, up to one of them."""
    key, start = f"{partition_of(conversation, partitions)}:journal", "-"
    found: list[tuple[str, dict[str, str]]] = []
    while page := await redis.xrange(key, start, until, JOURNAL_PAGE):
        lines = [(str(line), _strings(fields or {})) for line, fields in page]
        found += [(line, fields) for line, fields in lines if fields["conversation"] == conversation]
        start = f"({lines[-1][0]}"
    return found


def _strings(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in fields.items()}


def _read(record: Mapping[Any, Any]) -> dict[str, Any]:
    """The fields of a record; those that hold JSON as what they hold, times also in words."""
    told: dict[str, Any] = {}
    for name, value in _strings(record).items():
        told[name] = _parsed(value)
        if name.endswith("_ms") and value.isdigit() and int(value):
            told[name.removesuffix("_ms") + "_at"] = _in_words(int(value))
    return told


def _parsed(value: str) -> Any:
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _in_words(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
