"""What scenarios share: a ledger, a sandbox, and the real assistant, loaded once for all that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis.asyncio as redis

from handoff.words import Place
from tests.support.dialogue import NOW, Dialogue, FixedKnowledge
from tests.support.ledger import House, house_on
from tests.support.sandbox import Sandbox, sandbox_in

if TYPE_CHECKING:
    from bot.assistant import Assistant

REPO = Path(__file__).parents[2]


@pytest.fixture
async def house(redis_url: str) -> AsyncIterator[House]:
    """A ledger of its own."""
    async with house_on(redis_url) as opened:
        yield opened


@pytest.fixture
async def x(tmp_path: Path) -> AsyncIterator[Sandbox]:
    """A sandbox of its own."""
    async with sandbox_in(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def trained_model() -> Path:
    """The model of the present inputs; trained at most once, for `make run` uses the same."""
    from bot.model import train_if_changed

    return train_if_changed(REPO / "var" / "models")


@pytest.fixture(scope="session")
def published_knowledge(redis_server: str) -> FixedKnowledge:
    """Frontdesk's own articles as one published version, with the real encoder."""
    return asyncio.run(_published(redis_server))


async def _published(url: str) -> FixedKnowledge:
    from knowledge.encoder import shared_encoder
    from knowledge.publish import Publisher
    from knowledge.published import PublishedKnowledge
    from knowledge.source import DEFAULT_FOLDER, read_source

    async with redis.Redis.from_url(url) as client:
        source = read_source(DEFAULT_FOLDER, NOW)
        await Publisher(client, shared_encoder()).publish(
            source, by="tests", now=datetime(2026, 11, 22, tzinfo=UTC), command_id="scenarios"
        )
        async with PublishedKnowledge(client, encoder_revision=shared_encoder().revision) as published:
            return FixedKnowledge(current=published.current)


@pytest.fixture(scope="session")
def orders_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo orders."""
    from actions.order_book import build_order_book

    path = tmp_path_factory.mktemp("orders") / "orders.sqlite3"
    build_order_book(path)
    return path


@pytest.fixture(scope="session")
def make_assistant(
    trained_model: Path, published_knowledge: FixedKnowledge, orders_file: Path
) -> Callable[..., Assistant]:
    """Loads an assistant as the responder wires it; parts may be given instead of the real ones."""
    from bot.logs import set_up_logs

    set_up_logs("tests", level="warning")  # before Rasa is imported
    from actions.attempt_count import RememberedAttemptCount
    from actions.cities import load_cities
    from actions.fare_table import load_fares
    from actions.order_book import OrderBook
    from bot.answer import ContactRoutes
    from bot.assistant import Assistant
    from handoff.hours_policy import load_hours

    def make(**parts: Any) -> Assistant:
        usual: dict[str, Any] = {
            "model_path": trained_model,
            "knowledge": published_knowledge,
            "fares": load_fares(cities=load_cities()),
            "orders": OrderBook(orders_file),
            "counts": RememberedAttemptCount(),
            "hours": load_hours(),
            "contact": ContactRoutes(phone="0800 555 0100", web="the contact page of our website"),
            "company": "Merlin Rail",
            "reply_minutes": 30,
            "turn_limit_s": 5.0,  # a busy machine is no reason to fail; slow actions have a test of their own
        }
        return Assistant(**{**usual, **parts})

    return make


@pytest.fixture(scope="session")
def assistant(make_assistant: Callable[..., Assistant]) -> Assistant:
    """The assistant with its real parts."""
    return make_assistant()


@pytest.fixture
def in_private(assistant: Assistant) -> Dialogue:
    """A customer who writes direct messages."""
    return Dialogue(assistant=assistant)


@pytest.fixture
def in_public(assistant: Assistant) -> Dialogue:
    """A customer who writes posts."""
    return Dialogue(assistant=assistant, place=Place.PUBLIC)
