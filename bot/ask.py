"""`frontdesk ask`: one message through understanding, evidence and decision, as in a turn; nothing is stored."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis
from redis.asyncio import Redis

from actions.attempt_count import RememberedAttemptCount
from actions.order_book import build_order_book
from bot import wiring
from bot.answer import Answer, Question
from bot.assistant import Assistant, Understanding
from bot.burst import first_burst
from bot.embedded_redis import EmbeddedRedis, NoRedis, redis_url
from bot.folder import Folder
from bot.settings import Settings, with_redis
from handoff.ledger import Conversation, Snapshot, Turn
from handoff.packet import Evidence, Packet
from handoff.words import Customer, Message, Place
from knowledge import keys
from knowledge.encoder import shared_encoder
from knowledge.publish import Publisher, PublishOutcome
from knowledge.source import DEFAULT_FOLDER, read_source

Say = Callable[[str], None]


class CannotAsk(Exception):
    """What is needed to answer is missing; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What came of one message."""

    text: str
    place: Place
    knowledge: int
    """The version of the knowledge that was answered from."""
    understanding: Understanding
    evidence: Evidence | None
    answer: Answer | None
    """What the assistant said; None where a rule before it decided."""
    turn: Turn

    def as_json(self) -> dict[str, Any]:
        """All of it, for programs."""
        understood, turn = self.understanding, self.turn
        return {
            "text": self.text,
            "place": str(self.place),
            "knowledge_version": self.knowledge,
            "understood": {
                "intent": understood.intent,
                "certainty": round(understood.certainty, 4),
                "ranking": [{"intent": name, "certainty": round(score, 4)} for name, score in understood.ranking],
                "entities": dict(understood.entities),
                "nearest_example": understood.nearest,
                "similarity": round(understood.similarity, 4),
            },
            "evidence": {
                **(self.evidence.model_dump() if self.evidence else {}),
                "articles": [
                    {"article": hit.ref, "title": hit.title, "score": round(hit.score, 4), "matched": hit.matched}
                    for hit in understood.hits
                ],
                "knowledge_decision": str(understood.decision.kind),
                "knowledge_probability": round(understood.decision.probability, 4),
            },
            "decision": {
                "outcome": str(turn.outcome),
                "rule": turn.rule,
                "reason": str(turn.case.reason) if turn.case else None,
                "priority": turn.case.priority if turn.case else None,
                "replies": [
                    {"place": str(entry.place), "text": entry.text, "articles": list(entry.articles)}
                    for entry in turn.entries
                ],
            },
        }


class Remembering:
    """An assistant that keeps its last answer, so that it can be shown."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.last: Answer | None = None

    async def answer(self, question: Question) -> Answer:
        """Answers, and remembers."""
        self.last = await self._assistant.answer(question)
        return self.last


def ask(settings: Settings, text: str, place: Place, *, say: Say) -> Asked:
    """One message through the whole turn. Raises CannotAsk, NoRedis, ModelMissing, ModelBroken.

    Answers from what a running Frontdesk has published; else from the article files, by a Redis of its own that keeps
    their vectors for the next time.
    """
    folder = Folder(settings.var)
    if not folder.orders.exists():
        build_order_book(folder.orders)
    running = _running(settings)
    if running:
        return asyncio.run(_ask(with_redis(settings, running), text, place))
    with _own_redis(folder.path / "ask") as url:
        asyncio.run(_publish(url, say))
        return asyncio.run(_ask(with_redis(settings, url), text, place))


async def _ask(settings: Settings, text: str, place: Place) -> Asked:
    now = datetime.now(UTC)
    parts = wiring.ledger_parts(settings)
    hours = wiring.service_hours()
    async with wiring.published_knowledge(settings) as knowledge, wiring.sources(settings) as sources, parts.redis:
        assistant = await wiring.assistant(settings, parts, knowledge, hours, sources)
        remembering = Remembering(assistant)
        turns = wiring.turns(settings, parts, remembering, hours, counts=RememberedAttemptCount())
        turn = await turns.decide(first_burst(_snapshot(text, place, now)), 0, now)
        understanding = await assistant.understand(text, now=now)
        return Asked(
            text=text,
            place=place,
            knowledge=knowledge.current.version,
            understanding=understanding,
            evidence=_evidence(turn, remembering.last),
            answer=remembering.last,
            turn=turn,
        )


def _snapshot(text: str, place: Place, now: datetime) -> Snapshot:
    """A conversation of nobody that holds just this message."""
    customer = Customer(id="0", handle="you")
    message = Message(
        id="dm:0" if place is Place.PRIVATE else "post:0",
        customer=customer,
        place=place,
        text=text,
        sent_at=now,
        thread="0",
    )
    return Snapshot(conversation=Conversation(key=message.conversation, customer=customer), waiting=(message,))


def _evidence(turn: Turn, answer: Answer | None) -> Evidence | None:
    if turn.case:
        return Packet.model_validate_json(turn.case.packet).evidence
    return answer.evidence if answer else None


def _running(settings: Settings) -> str | None:
    """The Redis of a running Frontdesk that has published something, or None."""
    try:
        url = redis_url(settings)
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2) as client:
            return url if client.get(keys.CURRENT) else None
    except (NoRedis, redis.RedisError):
        return None


@contextmanager
def _own_redis(folder: Path, limit_s: float = 20.0) -> Iterator[str]:
    """A Redis on a free port for the length of the block; one at a time per folder. Raises NoRedis, CannotAsk."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    embedded = EmbeddedRedis(folder, port=_free_port())
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            embedded.prepare(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_for(embedded.url, process, folder / "redis.log", limit_s)
        yield embedded.url
    finally:
        process.terminate()
        process.wait()
        os.close(lock)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.05)
    raise CannotAsk(f"The Redis for this question did not start; see {log}")


async def _publish(url: str, say: Say) -> None:
    """Brings the article files into that Redis; slow only when some changed."""
    now = datetime.now(UTC)
    async with Redis.from_url(url) as client:
        if not await client.get(keys.CURRENT):
            say("Reading the articles for the first time; later questions are quicker.")
        publisher = Publisher(client, shared_encoder())
        source = read_source(DEFAULT_FOLDER, now)
        result = await publisher.publish(source, by="ask", now=now, command_id=uuid4().hex)
    if result.outcome is PublishOutcome.REFUSED:
        raise CannotAsk("The articles have errors. See them: frontdesk knowledge check")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
