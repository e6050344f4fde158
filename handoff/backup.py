"""The backup: everything that is kept in Redis, in one file, each partition as it stood at one moment.

The file is gzip over JSON lines: a header; for each part its keys, then a line with their number and checksum; an end
line. A key's value is what Redis's DUMP gives, so a restore with RESTORE gives back type, value and expiry exactly.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from handoff.keys import all_partitions
from handoff.words import Value, in_ms

FORMAT = "frontdesk backup"
FORMAT_VERSION = 1
EPHEMERAL = ("{desk}:session:", "{desk}:attempts:", "{workers}:", "{account}:lease:", "{account}:restoring")
"""Of living processes and browsers; after a restore people sign in again."""


class BackupBroken(Exception):
    """The file is no whole backup; the text says why and what to do."""


class Header(Value):
    """What a backup says of itself."""

    format: str
    version: int
    frontdesk: str
    """Version of Frontdesk."""
    redis: str
    """Version of the Redis that was read."""
    partitions: int
    created_at: str


class Summary(Value):
    """What a backup holds."""

    header: Header
    keys: int
    checksum: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One key with its value as DUMP gave it."""

    name: bytes
    expires_ms: int | None
    """When it ends, ms since 1970."""
    value: bytes


async def write_backup(
    redis: Redis,
    path: Path,
    now: Callable[[], datetime],
    *,
    partitions: int,
    frontdesk: str,
    told: Callable[[str], None] = lambda part: None,
) -> Summary:
    """Writes a whole backup, or none. `redis` gives bytes. Raises FileExistsError, OSError.

    Each partition is read in one step, in which Redis answers nobody else.
    """
    fresh = _fresh(path)
    info = await redis.info("server")
    header = Header(
        format=FORMAT,
        version=FORMAT_VERSION,
        frontdesk=frontdesk,
        redis=str(info["redis_version"]),
        partitions=partitions,
        created_at=now().isoformat(),
    )
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
                writer = _Writer(packed, header)
                async for part, kept in _parts(redis, partitions, now):
                    writer.part(part, kept)
                    told(part)
                summary = writer.end()
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    return summary


def read_backup(path: Path) -> Summary:
    """Reads a backup to its end and checks everything; raises BackupBroken, OSError."""
    reader = _Reader(path)
    for _ in reader.kept():
        pass
    return reader.summary()


def kept_in(path: Path) -> Iterator[Kept]:
    """Every key of a backup; raises BackupBroken."""
    return _Reader(path).kept()


def _fresh(path: Path) -> Path:
    """The file to write first, beside the one that is wanted."""
    if path.exists():
        raise FileExistsError(f"{path} is there already. Name another file, or move that one away.")
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    return fresh


class _Writer:
    def __init__(self, file: gzip.GzipFile, header: Header) -> None:
        self._file = file
        self._header = header
        self._whole = sha256()
        self._keys = 0
        self._line(header.model_dump())

    def part(self, name: str, kept: list[Kept]) -> None:
        checksum = sha256()
        for one in kept:
            told = {"key": _text(one.name), "expires_ms": one.expires_ms, "value": _text(one.value)}
            checksum.update(self._line(told))
        self._keys += len(kept)
        self._line({"part": name, "keys": len(kept), "sha256": checksum.hexdigest()})

    def end(self) -> Summary:
        checksum = self._whole.hexdigest()
        self._line({"end": True, "keys": self._keys, "sha256": checksum})
        return Summary(header=self._header, keys=self._keys, checksum=checksum)

    def _line(self, told: dict[str, Any]) -> bytes:
        line = json.dumps(told, separators=(",", ":")).encode() + b"\n"
        self._file.write(line)
        self._whole.update(line)
        return line


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._summary: Summary | None = None

    def summary(self) -> Summary:
        """After the last key."""
        assert self._summary is not None
        return self._summary

    def kept(self) -> Iterator[Kept]:
        try:
            with gzip.open(self._path, "rb") as file:
                yield from self._checked(file)
        except (EOFError, gzip.BadGzipFile, KeyError, TypeError, ValueError, zlib.error) as error:
            raise self._broken(f"it cannot be read ({type(error).__name__})") from None
        except OSError as error:
            if error.errno is not None:
                raise
            raise self._broken("it cannot be read") from None

    def _checked(self, file: Any) -> Iterator[Kept]:
        first = next(iter(file), b"")
        header = self._header(json.loads(first))
        whole, part, number, total = sha256(first), sha256(), 0, 0
        for line in file:
            told = json.loads(line)
            if "end" in told:
                if told["sha256"] != whole.hexdigest() or told["keys"] != total:
                    raise self._broken("its checksum does not match")
                self._summary = Summary(header=header, keys=total, checksum=told["sha256"])
                return
            whole.update(line)
            if "part" in told:
                if told["sha256"] != part.hexdigest() or told["keys"] != number:
                    raise self._broken(f"the checksum of part {told['part']} does not match")
                part, number = sha256(), 0
                continue
            part.update(line)
            number, total = number + 1, total + 1
            yield Kept(name=_bytes(told["key"]), expires_ms=told["expires_ms"], value=_bytes(told["value"]))
        raise self._broken("its end is missing")

    def _header(self, told: Any) -> Header:
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise BackupBroken(f"{self._path} is no backup of Frontdesk.")
        if told["version"] != FORMAT_VERSION:
            raise BackupBroken(
                f"{self._path} was written by Frontdesk {told.get('frontdesk')} in format {told['version']}; this one "
                f"reads format {FORMAT_VERSION}. Restore it with the Frontdesk that wrote it."
            )
        return Header.model_validate(told)

    def _broken(self, why: str) -> BackupBroken:
        return BackupBroken(f"{self._path} is damaged: {why}. Nothing was restored from it; take another backup.")


async def _parts(redis: Redis, partitions: int, now: Callable[[], datetime]) -> AsyncIterator[tuple[str, list[Kept]]]:
    """What belongs to no partition first: cursors are then never ahead of the messages they stand for."""
    tags = all_partitions(partitions)
    for tag, names in sorted((await _others(redis, set(tags))).items()):
        yield tag, await _at_once(redis, names, in_ms(now()))
    text = (resources.files("handoff") / "read_partition.lua").read_text()
    for tag in tags:
        found, now_ms = await redis.eval(text, 1, tag), in_ms(now())
        triples = zip(found[::3], found[1::3], found[2::3], strict=True)
        yield tag, [_kept(name, ttl_ms, value, now_ms) for name, ttl_ms, value in triples]


async def _others(redis: Redis, tags: set[str]) -> dict[str, list[bytes]]:
    """Keys outside the partitions, by their hash tag."""
    found: dict[str, set[bytes]] = defaultdict(set)
    async for name in redis.scan_iter(count=1000):
        tag = name.decode(errors="replace").partition(":")[0]
        if tag not in tags and not name.decode(errors="replace").startswith(EPHEMERAL):
            found[tag].add(name)
    return {tag: sorted(names) for tag, names in found.items()}


async def _at_once(redis: Redis, names: list[bytes], now_ms: int) -> list[Kept]:
    async with redis.pipeline(transaction=True) as pipe:
        for name in names:
            pipe.pttl(name)
            pipe.dump(name)
        told = await pipe.execute()
    pairs = zip(names, told[::2], told[1::2], strict=True)
    return [_kept(name, ttl_ms, value, now_ms) for name, ttl_ms, value in pairs if value is not None]


def _kept(name: bytes, ttl_ms: int, value: bytes, now_ms: int) -> Kept:
    return Kept(name=name, expires_ms=now_ms + ttl_ms if ttl_ms >= 0 else None, value=value)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
