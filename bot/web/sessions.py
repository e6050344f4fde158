"""Who is signed in: sessions and sign-in attempts, kept in Redis."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from redis.asyncio import Redis

from bot.web.agents import Agent, Agents

IDLE = timedelta(hours=12)
LONGEST = timedelta(hours=24)


class Sessions:
    """Opens, finds and ends sessions; Redis holds only a hash of each token."""

    def __init__(self, redis: Redis, agents: Agents) -> None:
        self._redis = redis
        self._agents = agents

    async def open(self, agent: Agent, now: datetime) -> str:
        """A new session's token, for the cookie."""
        token = secrets.token_urlsafe(32)
        told = {"name": agent.name, "stamp": agent.stamp, "opened_s": int(now.timestamp())}
        await self._redis.set(_key(token), json.dumps(told), ex=IDLE)
        return token

    async def agent(self, token: str, now: datetime) -> Agent | None:
        """Who holds this token; None when it ended, the password changed, or the agent is gone."""
        stored = await self._redis.get(_key(token))
        if not stored:
            return None
        told = json.loads(stored)
        agent = await self._agents.named(told["name"])
        too_old = now.timestamp() - told["opened_s"] > LONGEST.total_seconds()
        if agent is None or agent.stamp != told["stamp"] or too_old:
            await self.end(token)
            return None
        await self._redis.expire(_key(token), IDLE)
        return agent

    async def end(self, token: str) -> None:
        """Signs out."""
        await self._redis.delete(_key(token))


class Attempts:
    """Counts sign-in attempts: few per name and address, more per name or address alone."""

    def __init__(self, redis: Redis, *, limit: int = 5, wide_limit: int = 50, window_s: int = 900) -> None:
        self._redis = redis
        self._limit = limit
        self._wide_limit = wide_limit
        self._window_s = window_s

    async def count(self, name: str, address: str) -> int:
        """Counts one attempt before it is tried; seconds to wait, 0 when it may be tried."""
        wait_s = 0
        for key, limit in self._limits(name, address):
            tried = int(await self._redis.incr(key))
            left_s = int(await self._redis.ttl(key))
            if left_s < 0:  # a new count, or one whose expiry was lost with a connection
                await self._redis.expire(key, self._window_s)
                left_s = self._window_s
            if tried > limit:
                wait_s = max(wait_s, left_s)
        return wait_s

    async def forget(self, name: str, address: str) -> None:
        """Begins afresh for who signed in; only failures count against a whole name or address."""
        (own, _), *wide = self._limits(name, address)
        await self._redis.delete(own)
        for key, _ in wide:
            await self._redis.decr(key)

    def _limits(self, name: str, address: str) -> list[tuple[str, int]]:
        who = (f"{name}\n{address}", f"name\n{name}", f"address\n{address}")
        limits = (self._limit, self._wide_limit, self._wide_limit)
        return [(f"{{desk}}:attempts:{_digest(text)}", limit) for text, limit in zip(who, limits, strict=True)]


def _key(token: str) -> str:
    return f"{{desk}}:session:{_digest(token)}"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
