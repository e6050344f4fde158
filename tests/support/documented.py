"""What `handoff/keys.py` says of every Redis key, held against what is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass

from redis.asyncio import Redis

import handoff.keys

_ROW = re.compile(r"^ {4}(?P<key>\{\S+(?: id>)?) +(?P<type>zset|hash|list|string|set|stream) +(?P<holds>.+)")
_ABOVE = re.compile(r"^as above\b")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the screen."""

    key: re.Pattern[str]
    type: str
    holds: str

    @property
    def names_its_fields(self) -> bool:
        """A hash whose fields are listed; the others map one thing to another."""
        return self.type == "hash" and "->" not in self.holds

    def names(self, field: str) -> bool:
        return re.search(rf"\b{re.escape(field)}\b", self.holds) is not None


def rows() -> list[Row]:
    """Every documented key."""
    screen = str(handoff.keys.__doc__).partition("    transition ")[0]
    joined = re.sub(r"\n {20,}", " ", screen)
    found: dict[str, Row] = {}
    for match in filter(None, map(_ROW.match, joined.splitlines())):
        above = found.get(match["key"].replace("{account}", "{p07}")) if _ABOVE.match(match["holds"]) else None
        holds = above.holds if above else match["holds"]
        found[match["key"]] = Row(key=_pattern(match["key"]), type=match["type"], holds=holds)
    return list(found.values())


async def undocumented(redis: Redis) -> list[str]:
    """Stored keys, types and hash fields of which the screen says nothing."""
    missing = set()
    for key in map(str, await redis.keys("*")):
        kind = str(await redis.type(key))
        row = next((row for row in rows() if row.key.fullmatch(key)), None)
        if row is None or row.type != kind:
            missing.add(f"{key} ({kind})")
        elif row.names_its_fields:
            missing |= {f"{key} {field}" for field in await redis.hkeys(key) if not row.names(str(field))}
    return sorted(missing)


def _pattern(key: str) -> re.Pattern[str]:
    """A conversation key is `x:1001`; whatever else stands in angle brackets may hold anything but a hash tag."""
    parts = re.split(r"(<[^>]+>|\{p07\})", key)
    meant = {"<key>": r"[^:{}]+:[^:{}]+", "{p07}": r"\{p[0-9]{2,}\}"}
    anything = r"[^{}]+"
    meant = {part: anything for part in parts if part.startswith("<")} | meant
    return re.compile("".join(meant.get(part) or re.escape(part) for part in parts))
