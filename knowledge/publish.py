"""From a checked source to the version that every responder answers from."""

import asyncio
import hashlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from typing import Any, cast

import numpy as np
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from knowledge import keys
from knowledge.article import Article, PublishedArticle
from knowledge.calibrate import calibrate
from knowledge.confidence import Calibration, Curve, Gate
from knowledge.encoder import DIMENSIONS, Encoder
from knowledge.index import Index, Matrix, passages_of
from knowledge.problem import Problem
from knowledge.source import Source
from knowledge.version import Version, version_from_json


class PublishFailed(Exception):
    """Redis did not take the new version; what is published stays as it was."""


class PublishOutcome(StrEnum):
    """How a publication ended."""

    PUBLISHED = "published"  # responders have it within a second
    UNCHANGED = "unchanged"  # exactly this is published already
    LOST = "lost"  # somebody else published meanwhile; look at theirs first
    REFUSED = "refused"  # the source has errors


@dataclass(frozen=True, kw_only=True)
class PublishResult:
    """What came of a publication; `version` is the number that is current now, 0 for none."""

    outcome: PublishOutcome
    version: int
    problems: tuple[Problem, ...] = ()
    changed: tuple[str, ...] = ()  # ids of articles that are new or have new content
    encoded: int = 0  # texts that had no vector yet
    calibration: Calibration | None = None


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """What is published before this publication."""

    number: int
    fingerprint: str
    articles: dict[str, tuple[int, str]]  # id → version, fingerprint


class Publisher:
    """Writes new versions; any number of them may work at once."""

    def __init__(self, redis: "Redis", encoder: Encoder) -> None:
        self._redis = redis
        self._encoder = encoder
        script = (files("knowledge") / "publish.lua").read_text()
        self._publish = redis.register_script(script)

    async def publish(
        self, source: Source, *, by: str, now: datetime, command_id: str, expected: int | None = None
    ) -> PublishResult:
        """Publish all of a source or nothing; raises PublishFailed when Redis is away or full.

        `expected` is the version that the editor worked from; without it, the one that is current now.
        The same `command_id` publishes once, however often it is sent.
        """
        try:
            return await self._publish_source(source, by, now, command_id, expected)
        except OutOfMemoryError as error:
            raise PublishFailed("Redis is full; nothing was published. Give it more memory.") from error
        except RedisError as error:
            raise PublishFailed(f"Redis did not answer ({error}). Check REDIS_URL, then publish again.") from error

    async def _publish_source(
        self, source: Source, by: str, now: datetime, command_id: str, expected: int | None
    ) -> PublishResult:
        standing = await self._standing()
        recorded = await self._redis.get(keys.command_key(command_id))
        if recorded is not None:
            return PublishResult(outcome=PublishOutcome.PUBLISHED, version=int(recorded))
        if source.errors or source.gate is None:
            return _refused(standing, source.problems)
        if expected is not None and standing.number != expected:
            return PublishResult(outcome=PublishOutcome.LOST, version=standing.number)
        draft, changed = self._draft(source, source.gate, standing, by, now)
        if draft.fingerprint() == standing.fingerprint:
            return PublishResult(outcome=PublishOutcome.UNCHANGED, version=standing.number, problems=source.problems)
        texts = [text for article in source.articles for text in passages_of(article)]
        vectors, encoded = await self._vectors([*texts, *source.off_topic])
        try:
            version = await asyncio.to_thread(_calibrated, draft, vectors)
        except ValueError as error:
            remedy = "Look at the articles and at calibration/off_topic.yml."
            problem = Problem(file="articles", message=f"cannot be calibrated: {error}.", remedy=remedy)
            return _refused(standing, (*source.problems, problem))
        outcome, number = await self._store(version, vectors[: len(texts)], standing, command_id)
        published = outcome is PublishOutcome.PUBLISHED
        return PublishResult(
            outcome=outcome,
            version=number,
            problems=source.problems,
            changed=changed if published else (),
            encoded=encoded,
            calibration=version.calibration if published else None,
        )

    async def _standing(self) -> _Standing:
        number = int(await self._redis.get(keys.CURRENT) or 0)
        articles = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.ARTICLES))
        version = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(keys.version_key(number)))
        return _Standing(
            number=number,
            fingerprint=_fingerprint_of(version),
            articles={key.decode(): _parse_standing(value.decode()) for key, value in articles.items()},
        )

    def _draft(
        self, source: Source, gate: Gate, standing: _Standing, by: str, now: datetime
    ) -> tuple[Version, tuple[str, ...]]:
        """The next version before it is calibrated, and the ids of its changed articles."""
        articles = [_next(article, standing) for article in source.articles]
        version = Version(
            number=standing.number + 1,
            published_at=now,
            published_by=by,
            encoder_name=self._encoder.name,
            encoder_revision=self._encoder.revision,
            articles=tuple(published for published, _ in articles),
            facts=source.facts,
            gate=gate,
            off_topic=source.off_topic,
            calibration=_NEVER,
        )
        return version, tuple(published.article.id for published, changed in articles if changed)

    async def _vectors(self, texts: Sequence[str]) -> tuple[Matrix, int]:
        """A vector for each text, and how many had to be encoded because no version had them yet."""
        fields = [_vector_field(self._encoder, text) for text in texts]
        stored = await cast(Awaitable[list[bytes | None]], self._redis.hmget(keys.VECTORS, fields))
        missing = list(dict.fromkeys(t for t, vector in zip(texts, stored, strict=True) if vector is None))
        found: dict[str, bytes] = {}
        if missing:
            encoded = await asyncio.to_thread(self._encoder.encode, missing)
            found = {text: row.tobytes() for text, row in zip(missing, encoded, strict=True)}
            mapping = {_vector_field(self._encoder, text): row for text, row in found.items()}
            await self._redis.hset(keys.VECTORS, mapping=cast(Any, mapping))
        rows = [vector or found[text] for text, vector in zip(texts, stored, strict=True)]
        return np.frombuffer(b"".join(rows), dtype=np.float32).reshape(-1, DIMENSIONS), len(missing)

    async def _store(
        self, version: Version, vectors: Matrix, standing: _Standing, command_id: str
    ) -> tuple[PublishOutcome, int]:
        """One script: all of the version and the switch to it, or a lost race."""
        document, content = version.to_json().encode(), vectors.tobytes()
        Index(version_from_json(document), vectors)  # a version that cannot be read never becomes current
        articles = [
            item
            for published in version.articles
            for item in (published.article.id, f"{published.version} {published.article.fingerprint()}")
        ]
        outcome, number = await self._publish(
            keys=[
                keys.CURRENT,
                keys.version_key(version.number),
                keys.ARTICLES,
                keys.command_key(command_id),
            ],
            args=[
                standing.number or "",
                version.number,
                document,
                content,
                checksum(document, content),
                version.fingerprint(),
                keys.CHANNEL,
                *articles,
            ],
        )
        return PublishOutcome(outcome.decode()), int(number or 0)


def checksum(document: bytes, vectors: bytes) -> str:
    """What a reader compares, so that a damaged version is never answered from."""
    return hashlib.sha256(document + vectors).hexdigest()


# A calibration that never answers, for a version that has none yet.
_NEVER = Calibration(
    first=Curve(constant=-50, score=0, gap=0),
    two=Curve(constant=-50, score=0, gap=0),
    answer=1.01,
    clarify=1.01,
    measured={},
)


def _calibrated(draft: Version, vectors: Matrix) -> Version:
    """The draft with its calibration; `vectors` holds those of the articles, then of the off-topic lines."""
    articles = [published.article for published in draft.articles]
    split = len(vectors) - len(draft.off_topic)
    calibration = calibrate(articles, vectors[:split], draft.off_topic, vectors[split:], draft.gate)
    return replace(draft, calibration=calibration)


def _next(article: Article, standing: _Standing) -> tuple[PublishedArticle, bool]:
    """The article with its version, which grows only when its content changed."""
    version, fingerprint = standing.articles.get(article.id, (0, ""))
    changed = fingerprint != article.fingerprint()
    return PublishedArticle(article=article, version=version + changed), changed


def _fingerprint_of(stored: dict[bytes, bytes]) -> str:
    """The fingerprint of a stored version; none for a missing or damaged one, so that it is published anew."""
    document, vectors = stored.get(b"document", b""), stored.get(b"vectors", b"")
    whole = stored.get(b"checksum", b"").decode() == checksum(document, vectors)
    return stored[b"fingerprint"].decode() if whole else ""


def _refused(standing: _Standing, problems: tuple[Problem, ...]) -> PublishResult:
    return PublishResult(outcome=PublishOutcome.REFUSED, version=standing.number, problems=problems)


def _parse_standing(value: str) -> tuple[int, str]:
    version, fingerprint = value.split(" ", 1)
    return int(version), fingerprint


def _vector_field(encoder: Encoder, text: str) -> str:
    return hashlib.sha256(f"{encoder.name}\0{encoder.revision}\0{text}".encode()).hexdigest()
