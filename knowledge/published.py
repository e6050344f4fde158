"""The knowledge as a responder sees it: always one whole version, and the newest within a second."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast

import numpy as np
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from knowledge import keys
from knowledge.encoder import DIMENSIONS
from knowledge.index import Index, Matrix
from knowledge.publish import checksum
from knowledge.version import Version, version_from_json

_REMEDY = "Run `frontdesk knowledge publish`."

log = structlog.get_logger(__name__)


class NothingPublished(Exception):
    """No knowledge is published yet; run `frontdesk knowledge publish`."""

    def __init__(self, because: str = "") -> None:
        super().__init__(because or str(self.__doc__))


class VersionBroken(Exception):
    """A published version cannot be used; the message says why."""


@dataclass(frozen=True, kw_only=True)
class KnowledgeStatus:
    """For health pages: what is answered from, and what went wrong at the last look (None: nothing)."""

    version: int | None
    error: str | None


class PublishedKnowledge:
    """Follows the published knowledge; keeps the version it has while a newer one cannot be had."""

    def __init__(self, redis: "Redis", *, encoder_revision: str, poll_s: float = 0.25) -> None:
        self._redis = redis
        self._encoder_revision = encoder_revision
        self._poll_s = poll_s
        self._index: Index | None = None
        self._error: str | None = None
        self._broken: int | None = None  # a version that was tried and cannot be used: not tried again
        self._changed = asyncio.Event()
        self._ended = False
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._look()
        self._following = asyncio.create_task(self._follow(), name="knowledge")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        while self._following is not None and not self._following.done():
            self._following.cancel()  # redis-py swallows a cancellation that meets its own time limit
            await asyncio.wait({self._following}, timeout=self._poll_s)

    @property
    def current(self) -> Index:
        """The version to answer from; raises NothingPublished while there is none."""
        if self._index is None:
            raise NothingPublished(self._error or "")
        return self._index

    @property
    def status(self) -> KnowledgeStatus:
        """What is answered from, and the trouble with the newest version if there is any."""
        return KnowledgeStatus(version=self._index.version if self._index else None, error=self._error)

    async def wait_for(self, version: int, timeout_s: float = 5.0) -> Index:
        """The first version from `version` on; raises TimeoutError when it does not come."""
        async with asyncio.timeout(timeout_s):
            while self._index is None or self._index.version < version:
                self._changed.clear()
                await self._changed.wait()
            return self._index

    async def _follow(self) -> None:
        """Look whenever a publication is announced, and every `poll_s` seconds in any case."""
        while not self._ended:
            try:
                async with self._redis.pubsub() as announcements:
                    await announcements.subscribe(keys.CHANNEL)
                    while not self._ended:
                        await self._look()
                        await announcements.get_message(ignore_subscribe_messages=True, timeout=self._poll_s)
            except (RedisError, OSError) as error:
                self._note(f"Redis does not answer: {error}")
                await asyncio.sleep(self._poll_s)
            except Exception as error:  # the follower must outlive whatever a version contains
                self._note(f"following failed: {error}")
                log.exception("knowledge_follow_failed")
                await asyncio.sleep(self._poll_s)

    async def _look(self) -> None:
        """Take over the current version if it is another one and whole."""
        try:
            number = await current_number(self._redis)
            if number == (self._index.version if self._index else 0):
                self._error = None if self._index else str(NothingPublished())
                return
            if number == 0:
                return self._note("Redis has lost the published knowledge; run `frontdesk knowledge publish`")
            if number == self._broken:
                return
            self._index = await self._load(number)
        except (RedisError, OSError) as error:
            self._note(f"Redis does not answer: {error}")
        except VersionBroken as error:
            self._broken = number
            self._note(str(error))
        else:
            self._error = self._broken = None
            self._changed.set()
            log.info("knowledge_loaded", version=number)

    async def _load(self, number: int) -> Index:
        """The whole version or VersionBroken."""
        version, vectors = await read_version(self._redis, number)
        made, here = version.encoder_revision, self._encoder_revision
        if made != here:
            because = f"its vectors are from {made}, this process encodes with {here}"
            raise VersionBroken(f"version {number} of the knowledge cannot be used: {because}. {_REMEDY}")
        return await asyncio.to_thread(Index, version, vectors)

    def _note(self, error: str) -> None:
        if error != self._error:
            log.warning("knowledge_not_followed", error=error, kept=self._index.version if self._index else None)
        self._error = error


async def current_number(redis: "Redis") -> int:
    """The number of the version that is answered from, 0 for none."""
    return int(await redis.get(keys.CURRENT) or 0)


async def read_version(redis: "Redis", number: int) -> tuple[Version, Matrix]:
    """A published version and its vectors, whole; raises VersionBroken."""
    stored = await cast(Awaitable[dict[bytes, bytes]], redis.hgetall(keys.version_key(number)))
    try:
        document, vectors = stored[b"document"], stored[b"vectors"]
        if checksum(document, vectors) != stored[b"checksum"].decode():
            raise ValueError("its checksum is wrong")
        version = version_from_json(document)
        return version, np.frombuffer(vectors, dtype=np.float32).reshape(-1, DIMENSIONS)
    except (ValueError, KeyError, TypeError) as error:
        because = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise VersionBroken(f"version {number} of the knowledge cannot be used: {because}. {_REMEDY}") from error
