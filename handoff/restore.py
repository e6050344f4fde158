"""The restore: a backup into an empty Redis, checked whole before the first key is written.

Nobody knows what was said since the backup was taken. So what waits to be said is looked for before it is said, and
what customers wrote before the restore goes to people.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from handoff.backup import Kept, Summary, kept_in, read_backup
from handoff.keys import ACCOUNT, all_partitions
from handoff.scripts import Transitions
from handoff.words import in_ms

RESTORING = f"{ACCOUNT}:restoring"
RESTORED = f"{ACCOUNT}:restored"
KEYS_AT_ONCE = 200
TOLD_EVERY_KEYS = 10_000


class RestoreRefused(Exception):
    """The backup does not go into this Redis; the text says why and what to do."""


async def restore(
    redis: Redis,
    transitions: Transitions,
    path: Path,
    now: datetime,
    *,
    partitions: int,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Summary:
    """Writes a backup into an empty Redis; `redis` gives bytes.

    Raises BackupBroken, RestoreRefused, LedgerAway, OSError. One that was cut off goes on when the same file is
    restored again.
    """
    summary = read_backup(path)
    if summary.header.partitions != partitions:
        raise RestoreRefused(
            f"{path} has {summary.header.partitions} partitions. "
            f"Set FRONTDESK_PARTITIONS={summary.header.partitions} here and on every process, then restore."
        )
    resumes = await _resumes(redis, summary)
    await redis.set(RESTORING, summary.checksum)
    backup, done = kept_in(path), 0
    while batch := list(islice(backup, KEYS_AT_ONCE)):
        await _write(redis, batch, in_ms(now), summary, replace=resumes)
        done += len(batch)
        if done % TOLD_EVERY_KEYS == 0:
            told(done, summary.keys)
    for partition in all_partitions(partitions):
        await transitions.run("doubt", partition, now, {})
    await redis.set(RESTORED, in_ms(now))
    await redis.delete(RESTORING)
    return summary


async def restored_at(redis: Redis) -> datetime | None:
    """When this Redis was restored from a backup, if it was."""
    found = await redis.get(RESTORED)
    return datetime.fromtimestamp(int(found) / 1000, UTC) if found else None


async def _resumes(redis: Redis, summary: Summary) -> bool:
    """Whether this very backup was being restored here; raises RestoreRefused where something else is."""
    begun = await redis.get(RESTORING)
    if begun == summary.checksum.encode():
        return True
    if keys := await redis.dbsize():
        raise RestoreRefused(
            f"The Redis is not empty: it holds {keys} keys. A restore never mixes with what is there. Stop Frontdesk "
            "and name an empty Redis (another port, another database number, another FRONTDESK_VAR)."
        )
    return False


async def _write(redis: Redis, batch: list[Kept], now_ms: int, summary: Summary, *, replace: bool) -> None:
    async with redis.pipeline(transaction=False) as pipe:
        for kept in batch:
            if kept.expires_ms is None or kept.expires_ms > now_ms:
                ends_ms = kept.expires_ms or 0
                pipe.restore(kept.name, ends_ms, kept.value, replace=replace, absttl=bool(ends_ms))
        try:
            await pipe.execute()
        except ResponseError as error:
            raise RestoreRefused(_why(str(error), summary)) from error


def _why(error: str, summary: Summary) -> str:
    if "BUSYKEY" in error:
        return "Something writes into this Redis meanwhile. Stop Frontdesk, empty the Redis, and restore again."
    if "DUMP payload" in error or "Bad data format" in error:
        return (
            f"This Redis does not read what Redis {summary.header.redis} wrote: it is older. "
            f"Restore into Redis {summary.header.redis} or newer."
        )
    return f"Redis refuses ({error.partition(' of pipeline')[0]}). Mend that, and restore the same file again."
