"""The people who may sign in, kept in Redis as `{desk}:agent:<name>`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, StringConstraints
from redis.asyncio import Redis

from bot.web.roles import Role

T = TypeVar("T")

NAME = re.compile(r"^[a-z][a-z0-9_-]{0,30}$")
LONGEST_PASSWORD_CHARS = 200
SHORTEST_PASSWORD_CHARS = 10


class Agent(BaseModel):
    """Somebody who may sign in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=NAME.pattern)]
    """The sign-in name, as in the owner `agent:<name>`."""
    display_name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    initials: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,3}$")]
    """What replies are signed with: `^AR`."""
    role: Role
    stamp: str
    """Changes with the password, so that older sessions end."""


class Agents:
    """Adds people and checks their passwords with argon2."""

    def __init__(self, redis: Redis, *, hasher: PasswordHasher | None = None) -> None:
        self._redis = redis
        self._hasher = hasher or PasswordHasher()
        # One check takes 64 MB: a flood of sign-ins must not take them all at once.
        self._checks = asyncio.Semaphore(2)
        self._decoy: str | None = None

    async def add(self, *, name: str, display_name: str, initials: str, role: Role, password: str) -> Agent:
        """Stores somebody, replacing who had that name; ValueError for a bad name, initials or short password."""
        if not SHORTEST_PASSWORD_CHARS <= len(password) <= LONGEST_PASSWORD_CHARS:
            raise ValueError(f"Choose a password of {SHORTEST_PASSWORD_CHARS} to {LONGEST_PASSWORD_CHARS} characters.")
        hashed = await self._in_turn(self._hasher.hash, password)
        agent = Agent(name=name, display_name=display_name, initials=initials, role=role, stamp=_stamp(hashed))
        await self._redis.hset(
            _key(name),
            mapping={"display_name": display_name, "initials": initials, "role": str(role), "argon2": hashed},
        )
        await self._redis.sadd("{desk}:agents", name)
        return agent

    async def verify(self, name: str, password: str) -> Agent | None:
        """The agent if the password is theirs. An unknown name takes as long as a wrong password."""
        known = bool(NAME.match(name)) and len(password) <= LONGEST_PASSWORD_CHARS
        fields = await self._fields(name) if known else {}
        hashed = fields.get("argon2") or await self._decoy_hash()
        matches = await self._in_turn(self._matches, hashed, password[:LONGEST_PASSWORD_CHARS])
        return _agent(name, fields) if fields and matches else None

    async def named(self, name: str) -> Agent | None:
        """The agent by that sign-in name."""
        fields = await self._fields(name) if NAME.match(name) else {}
        return _agent(name, fields) if fields else None

    async def all(self) -> list[Agent]:
        """Everybody, by display name."""
        names = [str(name) for name in await self._redis.smembers("{desk}:agents")]
        found = [agent for name in names if (agent := await self.named(name))]
        return sorted(found, key=lambda agent: (agent.display_name, agent.name))

    async def _fields(self, name: str) -> dict[str, str]:
        return {str(field): str(value) for field, value in (await self._redis.hgetall(_key(name))).items()}

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _decoy_hash(self) -> str:
        if self._decoy is None:
            self._decoy = await self._in_turn(self._hasher.hash, "nobody signs in with this")
        return self._decoy

    async def _in_turn(self, work: Callable[..., T], *arguments: str) -> T:
        async with self._checks:
            return await asyncio.to_thread(work, *arguments)


async def seed_demo_agents(agents: Agents, password: str) -> None:
    """Adds Ana and Ben for the sandbox where they are missing; never for a real account."""
    demo = (("ana", "Ana Ruiz", "AR"), ("ben", "Ben Okafor", "BO"))
    for name, display_name, initials in demo:
        if await agents.named(name) is None:
            await agents.add(name=name, display_name=display_name, initials=initials, role=Role.LEAD, password=password)


def _key(name: str) -> str:
    return f"{{desk}}:agent:{name}"


def _stamp(hashed: str) -> str:
    return sha256(hashed.encode()).hexdigest()[:16]


def _agent(name: str, fields: dict[str, str]) -> Agent:
    return Agent(
        name=name,
        display_name=fields["display_name"],
        initials=fields["initials"],
        role=Role(fields["role"]),
        stamp=_stamp(fields["argon2"]),
    )
