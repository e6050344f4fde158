"""Our side: one responder as `frontdesk responder` starts it; from the inbox to the stored answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import redis as sync_redis
from redis.backoff import ConstantBackoff
from redis.exceptions import BusyLoadingError
from redis.retry import Retry

from bench.program import running, wait_until_ready
from bench.side import NotAnswered
from bot import wiring
from bot.embedded_redis import EmbeddedRedis
from bot.settings import Settings, child_environment
from handoff.ledger import Ledger
from handoff.words import Customer, Message, Outcome, Place

MIX = (
    "hello",
    "are you a bot?",
    "how heavy may my cabin bag be?",
    "when are people there?",
    "goodbye",
)
"""Small talk as the peer gets it, and two questions: one about the knowledge articles, one about service hours."""
LOOK_S = 1.0
"""How often a message is looked at when no change is announced; a lost announcement costs a turn no more."""
LIMIT_S = 30.0


@contextmanager
def embedded_redis(settings: Settings) -> Iterator[str]:
    """The embedded Redis of these settings, as `frontdesk up` starts it; gives its address."""
    embedded = EmbeddedRedis(settings.var, port=settings.redis_port)
    command = embedded.prepare()
    with running(command, log=settings.var / "redis.log", environment={}):
        retry = Retry(ConstantBackoff(0.05), 600)  # it may have a file to read first
        with sync_redis.Redis.from_url(embedded.url, retry=retry, retry_on_error=[BusyLoadingError]) as client:
            client.ping()
        yield embedded.url


@contextmanager
def responder(settings: Settings, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """One responder, ready."""
    log: Path = settings.var / "responder.log"
    command = [sys.executable, "-m", "bot.cli", "responder"]
    with running(command, log=log, environment=child_environment(settings, redis_url)) as process:
        wait_until_ready(process, f"http://{settings.reached_host}:{settings.responder_port}/readyz", log=log)
        yield process


class OurSide:
    """Hands direct messages to the inbox and waits until their outcome is stored."""

    name = "Frontdesk"
    mix = MIX

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ids = count(1)
        self._changed: dict[str, asyncio.Event] = {}

    async def ask(self, sender: str, text: str) -> None:
        """One direct message, put into the inbox as the ingress does it. Raises NotAnswered."""
        message = _message(next(self._ids), sender, text)
        changed = self._changed[message.conversation] = asyncio.Event()
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._ledger.receive(message, datetime.now(UTC))
                outcome = await self._outcome(message, changed)
        except TimeoutError:
            raise NotAnswered(f"Frontdesk stored no answer to {text!r} within {LIMIT_S:g} s.") from None
        finally:
            del self._changed[message.conversation]
        if outcome != Outcome.ANSWERED:
            raise NotAnswered(f"Frontdesk did not answer {text!r}: {outcome}.")

    def announce(self, conversation: str) -> None:
        """Somebody changed this conversation."""
        if conversation in self._changed:
            self._changed[conversation].set()

    async def _outcome(self, message: Message, changed: asyncio.Event) -> str:
        while True:
            record = await self._ledger.message_record(message.conversation, message.id)
            if outcome := record.get("outcome"):
                return outcome
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await changed.wait()
            changed.clear()


@asynccontextmanager
async def our_side(settings: Settings) -> AsyncIterator[OurSide]:
    """Our side, hearing of every change of the ledger."""
    parts = wiring.ledger_parts(settings)
    side = OurSide(parts.ledger)
    pubsub = parts.redis.pubsub(ignore_subscribe_messages=True)
    await pubsub.psubscribe("*:changes")

    async def listen() -> None:
        while True:
            if told := await pubsub.get_message(timeout=LOOK_S):
                side.announce(str(told["data"]))

    listening = asyncio.create_task(listen())
    try:
        yield side
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await parts.redis.aclose()


def _message(number: int, sender: str, text: str) -> Message:
    return Message(
        id=f"dm:{number}",
        customer=Customer(id=sender, handle=f"customer{sender}"),
        place=Place.PRIVATE,
        text=text,
        sent_at=datetime.now(UTC),
        thread=sender,
    )
