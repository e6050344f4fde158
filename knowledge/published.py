"""The knowledge as a responder sees it: always one whole version, and the newest within a second."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from knowledge import keys
from knowledge.encoder import DIMENSIONS
from knowledge.index import Index
from knowledge.publish import checksum
from knowledge.version import version_from_json

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
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._look()
        self._following = asyncio.create_task(self._follow(), name="knowledge")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

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
        while True:
            try:
                async with self._redis.pubsub() as announcements:
                    await announcements.subscribe(keys.CHANNEL)
                    while True:
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
            number = int(await self._redis.get(keys.CURRENT) or 0)
            if number == (self._index.version if self._index else 0):
                self._error = None if self._index else str(NothingPublished())
                return
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
        stored = await cast(Awaitable[dict[bytes, Any]], self._redis.hgetall(keys.version_key(number)))
        try:
            document, vectors = stored[b"document"], stored[b"vectors"]
            if checksum(document, vectors) != stored[b"checksum"].decode():
                raise ValueError("its checksum is wrong; run `frontdesk knowledge publish`")
            return await asyncio.to_thread(_build, document, vectors, self._encoder_revision)
        except (ValueError, KeyError, TypeError) as error:
            raise VersionBroken(f"version {number} of the knowledge cannot be used: {error}") from error

    def _note(self, error: str) -> None:
        if error != self._error:
            log.warning("knowledge_not_followed", error=error, kept=self._index.version if self._index else None)
        self._error = error


def _build(document: bytes, vectors: bytes, encoder_revision: str) -> Index:
    version = version_from_json(document)
    if version.encoder_revision != encoder_revision:
        raise ValueError(
            f"its vectors are from {version.encoder_revision}, this process encodes with {encoder_revision}; "
            "run `frontdesk knowledge publish`"
        )
    return Index(version, np.frombuffer(vectors, dtype=np.float32).reshape(-1, DIMENSIONS))
