"""Everything that a Redis holds, as text to search in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from redis.asyncio import Redis


async def everything_held(redis: Redis) -> dict[str, str]:
    """Every key with every value under it, whatever its type."""
    readers: dict[str, Any] = {
        "string": redis.get,
        "hash": redis.hgetall,
        "list": lambda key: redis.lrange(key, 0, -1),
        "set": redis.smembers,
        "zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        "stream": redis.xrange,
    }
    held = {}
    async for key in redis.scan_iter():
        value = await readers[str(await redis.type(key))](key)
        held[str(key)] = "\n".join([str(key), *_texts(value)])
    return held


async def keys_that_tell_of(redis: Redis, needles: Iterable[str]) -> dict[str, list[str]]:
    """Needle -> the keys in whose name or value it stands, also as JSON within JSON would write it."""
    held = {key: text.casefold() for key, text in (await everything_held(redis)).items()}
    return {
        needle: sorted(key for key, text in held.items() if any(form in text for form in _forms(needle)))
        for needle in needles
    }


def _forms(needle: str) -> set[str]:
    """The needle as it is, and as JSON writes it, once and twice, with and without other letters escaped."""
    forms, known = {needle}, {needle}
    for _ in range(2):
        known = {json.dumps(form, ensure_ascii=ascii_only)[1:-1] for form in known for ascii_only in (True, False)}
        forms |= known
    return {form.casefold() for form in forms}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, held in value.items():
            yield str(name)
            yield from _texts(held)
    elif isinstance(value, list | tuple | set):
        for held in value:
            yield from _texts(held)
    else:
        yield str(value)
