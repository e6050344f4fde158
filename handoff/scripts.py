"""Runs the ledger's transitions, and repeats one safely when its reply was lost."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha1
from importlib import resources
from typing import Any

import structlog
from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from handoff.words import in_ms

log = structlog.get_logger()

LOST = (RedisConnectionError, RedisTimeoutError)
"""What redis-py raises when nobody knows whether the command was carried out."""


class LedgerAway(Exception):
    """Redis has not answered for the whole of the patience; nothing is known of the last command."""


class LedgerFull(Exception):
    """Redis refuses to write (out of memory or disk); nothing was changed. Raise maxmemory or free the disk."""


AWAY_OR_FULL = (*LOST, LedgerAway, LedgerFull)
"""What passes by itself or when an operator helps: whoever meets it says so, waits, and tries again."""


class Ruling(BaseModel):
    """What a transition decided: a lost race is a result, not an error."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)  # it may hold a customer's text

    result: str
    """Such as `committed`, `stale_epoch`, `taken`, `owned`, `changed`."""
    epoch: int | None = None
    case: str | None = None
    entry: str | None = None
    seq: int | None = None
    seen_seq: int | None = None
    by: str | None = None
    since_ms: int | None = None
    state: str | None = None
    fence: int | None = None
    holder: str | None = None
    free_in_ms: int | None = None
    id: str | None = None
    counts: dict[str, int] | None = None
    """How many of each kind were purged or erased."""
    more: bool = False
    """Whether the same is to be asked for again: as much is done at a time as keeps Redis free for others."""
    record: dict[str, str] | None = None
    """The stored fields of what was claimed."""


class Transitions:
    """The Lua scripts of `transitions/`, each one change of the ledger."""

    def __init__(self, redis: Redis, *, patience_s: float = 20.0) -> None:
        self._redis = redis
        self._patience_s = patience_s
        self._texts = _read_texts()
        self._digests = {name: sha1(text.encode()).hexdigest() for name, text in self._texts.items()}

    @property
    def names(self) -> list[str]:
        """Every transition there is."""
        return sorted(self._texts)

    async def run(
        self,
        name: str,
        partition: str,
        now: datetime,
        arguments: Mapping[str, Any],
        *,
        command_id: str | None = None,
    ) -> Ruling:
        """Carries one transition out once, however often its reply is lost.

        Raises LedgerAway when Redis stays away longer than the patience, LedgerFull when it refuses to write.
        """
        command = command_id or uuid.uuid4().hex
        told = {key: value for key, value in arguments.items() if value is not None}
        call = (partition, command, str(in_ms(now)), json.dumps(told))
        deadline = asyncio.get_running_loop().time() + self._patience_s
        pause_s = 0.02
        while True:
            try:
                return Ruling.model_validate_json(await self._call(name, call))
            except LOST as error:
                if asyncio.get_running_loop().time() + pause_s > deadline:
                    raise LedgerAway(f"{name}: Redis has not answered for {self._patience_s:g} s") from error
                log.warning("ledger_repeats", transition=name, command=command, error=type(error).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 1.0)
            except (ReadOnlyError, ResponseError) as error:
                if refuses_to_write(error):
                    raise LedgerFull(f"{name}: {error}") from error
                raise

    async def _call(self, name: str, call: tuple[str, str, str, str]) -> str:
        try:
            reply = await self._redis.evalsha(self._digests[name], 1, *call)
        except NoScriptError:
            reply = await self._redis.eval(self._texts[name], 1, *call)
        return str(reply)


def refuses_to_write(error: Exception) -> bool:
    """Whether Redis took nothing because it is full, read-only, or cannot write its file."""
    text = str(error)
    return isinstance(error, ReadOnlyError) or "OOM" in text or "maxmemory" in text or "MISCONF" in text


def _read_texts() -> dict[str, str]:
    folder = resources.files("handoff") / "transitions"
    prelude = (folder / "_prelude.lua").read_text()
    scripts = {
        file.name.removesuffix(".lua"): file.read_text() for file in folder.iterdir() if file.name.endswith(".lua")
    }
    return {name: prelude + text for name, text in scripts.items() if name != "_prelude"}
