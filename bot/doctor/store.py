"""Redis: whether it answers, keeps what it is told, never forgets to make room, and has the same time as we."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from bot.doctor.finding import Finding, bad, ok, warn
from bot.embedded_redis import NoRedis, redis_program, redis_url
from bot.settings import Settings

LEAST_VERSION = (6, 2)
SLOW_MS = 20.0
NEARLY_FULL = 0.9
WARN_SKEW_S = 2.0
BAD_SKEW_S = 60.0


def address(settings: Settings) -> tuple[str | None, list[Finding]]:
    """The address of the Redis to use, or what is wrong with having one."""
    try:
        if not settings.redis_url:
            redis_program()
    except NoRedis as error:
        return None, [bad("redis", "No Redis is installed.", str(error).partition(" was found. ")[2] or str(error))]
    try:
        return redis_url(settings), []
    except NoRedis:
        said = f"No Redis was started in {settings.var} yet."
        return None, [warn("redis", said, "`frontdesk up` starts one; or set REDIS_URL.")]


async def look(redis: Redis, *, is_given: bool) -> list[Finding]:
    """Everything about a Redis; one finding alone where it does not answer. `is_given`: set by REDIS_URL."""
    try:
        info = await redis.info()
        began = time.perf_counter()
        seconds, micros = await redis.time()
        took_s = time.perf_counter() - began
        fsync = await _setting(redis, "appendfsync")
    except AuthenticationError as error:
        another = "Another Redis has that port: set FRONTDESK_REDIS_PORT to a free one."
        remedy = "Put its name and password into REDIS_URL." if is_given else another
        return [bad("redis", f"Redis refuses us: {error}.", remedy)]
    except NoPermissionError as error:
        return [bad("redis", f"Redis lets this user do too little: {error}.", "Give it all commands on all keys.")]
    except RedisError as error:
        return [_away(error, is_given=is_given)]
    halfway = datetime.now(UTC).timestamp() - took_s / 2
    return [
        server(info, took_s * 1000),
        persistence(info, fsync),
        memory(info),
        clock("redis clock", "Redis's", int(seconds) + int(micros) / 1e6 - halfway),
    ]


async def _setting(redis: Redis, name: str) -> str | None:
    """A setting of Redis; None where it may not be read, as with many hosted ones."""
    try:
        return str((await redis.config_get(name)).get(name) or "") or None
    except ResponseError:
        return None


def _away(error: RedisError, *, is_given: bool) -> Finding:
    if is_given:
        return bad("redis", f"Redis does not answer: {error}.", "Start it, or correct REDIS_URL.")
    return warn("redis", "The Redis of `frontdesk up` does not run now.", "`frontdesk up` starts it.")


def server(info: Mapping[str, Any], took_ms: float) -> Finding:
    """Its version, its role, and how quickly it answers."""
    version = str(info.get("redis_version", "0"))
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < LEAST_VERSION:
        return bad("redis", f"Redis {version} is too old.", "Use 6.2 or newer.")
    if info.get("role") != "master":
        return bad("redis", "This Redis is a replica and refuses to write.", "Name the primary in REDIS_URL.")
    if info.get("cluster_enabled"):
        return bad("redis", "This Redis is a cluster node.", "Name a Redis without cluster mode in REDIS_URL.")
    if info.get("loading"):
        return warn("redis", "Redis is still reading its file.", "Wait; it takes seconds per gigabyte.")
    if took_ms > SLOW_MS:
        said = f"Redis {version} answers in {took_ms:.0f} ms; a turn asks it several times."
        return warn("redis", said, "Use one in the same network, or see what keeps it busy (SLOWLOG GET).")
    return ok("redis", f"Redis {version} answers in {took_ms:.1f} ms.")


def persistence(info: Mapping[str, Any], fsync: str | None) -> Finding:
    """Whether what it was told survives a crash. `fsync`: None where it may not be read."""
    what, failed = "redis persistence", "Free its disk and see its log."
    if not info.get("aof_enabled"):
        said = "Redis writes no append-only file: a crash forgets messages and what customers were told."
        return bad(what, said, "Set `appendonly yes` and `appendfsync always` in redis.conf.")
    if info.get("aof_last_write_status", "ok") != "ok":
        return bad(what, "Redis could not write its append-only file the last time, and refuses changes.", failed)
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        return warn(what, "Redis could not rewrite its append-only file; it grows without end.", failed)
    if fsync == "always":
        return ok(what, "Every change is on disk before Redis says so (appendfsync always).")
    if fsync is None:
        said = "Redis writes an append-only file; how often it reaches the disk may not be asked."
        return warn(what, said, "See to it that appendfsync is `always`, or `everysec` at least.")
    loses = "a crash loses up to a second" if fsync == "everysec" else "a crash loses what the system has not written"
    return warn(what, f"appendfsync is {fsync}: {loses} of messages and replies.", "Set `appendfsync always`.")


def memory(info: Mapping[str, Any]) -> Finding:
    """Whether it may drop conversations to make room, and whether there is room."""
    what, policy = "redis memory", str(info.get("maxmemory_policy", "unknown"))
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    shown = f"{used // 1_000_000:,} MB are used" + (f" of {most // 1_000_000:,} MB" if most else "")
    if policy != "noeviction":
        said = f"maxmemory-policy is {policy}: a full Redis would drop conversations to make room."
        return bad(what, said, "Set `maxmemory-policy noeviction` in redis.conf.")
    if 0 < most <= used:
        return bad(what, f"Redis is full and refuses changes: {shown}.", "Raise its maxmemory.")
    if most and used > NEARLY_FULL * most:
        return warn(what, f"Redis is nearly full: {shown}.", "Raise its maxmemory, or shorten what is kept.")
    return ok(what, f"noeviction; {shown}.")


def clock(what: str, whose: str, ahead_s: float, *, warn_s: float = WARN_SKEW_S, bad_s: float = BAD_SKEW_S) -> Finding:
    """How far another clock is ahead of ours."""
    remedy = "Let both machines keep time (timedatectl set-ntp true, chrony)."
    said = f"{whose} clock is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's"
    if abs(ahead_s) > bad_s:
        return bad(what, f"{said}: due times and signatures are wrong.", remedy)
    if abs(ahead_s) > warn_s:
        return warn(what, f"{said}.", remedy)
    return ok(what, f"{whose} clock agrees with this machine's.")
