"""What a message names: places, dates, trip, cabin, order numbers, e-mail addresses, money."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.dates import find_dates
from nlu.gazetteer import Gazetteer, read_gazetteer

PROJECT = Path(__file__).resolve().parent.parent
LONGEST_TEXT_CHARS = 2000

_WORDS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (entity, value, re.compile(pattern, re.IGNORECASE))
    for entity, value, pattern in (
        ("trip", "one_way", r"\bone[ -]?way\b|\bsingle (?:ticket|fare|flight)\b|\bjust there\b"),
        ("trip", "return", r"\breturn\b|\bround[ -]?trip\b|\bboth ways\b|\bthere and back\b"),
        ("cabin", "premium", r"\bpremium(?: economy)?\b"),
        ("cabin", "economy", r"(?<!premium )\beconomy\b|\bcoach\b"),
        ("cabin", "business", r"\bbusiness(?: class)?\b(?! trip)|\bbiz class\b"),
        ("price_wish", "lowest", r"\b(?:cheap(?:est|er)?|lowest|best price|least expensive)\b"),
        (
            "any_date",
            "any",
            r"\bany(?: ?time| date| day)\b|\bflexible\b|\bwhenever\b"
            r"|\b(?:doesn['’]?t|does not) matter\b|\bdon['’]?t mind\b",
        ),
    )
)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[^\s@<>,;:()]{1,64}@\s?[^\s@<>,;:()]{1,253}\.[^\W\d_]{2,24}\b")),
    ("order_number", re.compile(r"\bKA[ –#-]{0,3}\d{3}[ -]?\d{3}\b", re.IGNORECASE)),
    (
        "order_number",
        re.compile(r"(?:#\s?|\b(?:order|number|no\.?|is)\s+)\d{3}[ -]?\d{3}\b(?!\s?(?:kg|km))", re.IGNORECASE),
    ),
    ("money", re.compile(r"[£€$]\s?\d[\d.,]*|\b\d+(?:[.,]\d+)?\s?(?:pounds?|quid|euros?|gbp|eur)\b", re.IGNORECASE)),
)
_BARE_NUMBER = re.compile(r"\W*\d{3}[ -]?\d{3}\W*")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class Entities(EntityExtractorMixin, GraphComponent):
    """Finds entities by gazetteer and rules; nothing is learned, so nothing is guessed."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """The cities file, seen from the project's folder, and city names that are also common words."""
        return {"cities": "actions/data/cities.yml", "ambiguous": []}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Entities:
        """Rasa's constructor; reads the cities anew at every start, so a new city needs no training."""
        return cls(read_gazetteer(PROJECT / config["cities"], ambiguous=config["ambiguous"]))

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds to each message what it names; dates are relative to the time in its metadata, else to now."""
        for message in messages:
            text = (message.get(TEXT) or "")[:LONGEST_TEXT_CHARS]
            found = self.find(text, _day_of(message))
            message.set(ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(found), add_to_output=True)
        return messages

    def find(self, text: str, today: date) -> list[dict[str, Any]]:
        """The entities of a text as Rasa writes them."""
        return [*self._places(text), *_dates(text, today), *_words(text), *_numbers(text)]

    def _places(self, text: str) -> Iterator[dict[str, Any]]:
        for place in self._gazetteer.find(text):
            kind, value = ("city", place.city) if place.city else ("unknown_place", place.written)
            yield _entity(kind, str(value), place.start, place.end, place.role)


def _dates(text: str, today: date) -> Iterator[dict[str, Any]]:
    for found in find_dates(text, today):
        role = "return" if found.is_return else "depart"
        yield _entity("date", found.day.isoformat(), found.start, found.end, role)


def _words(text: str) -> Iterator[dict[str, Any]]:
    for entity, value, pattern in _WORDS:
        for match in pattern.finditer(text):
            yield _entity(entity, value, match.start(), match.end())


def _numbers(text: str) -> Iterator[dict[str, Any]]:
    if _BARE_NUMBER.fullmatch(text):
        yield _entity("order_number", _digits(text), 0, len(text))
        return
    seen: set[str] = set()
    for entity, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            value = _digits(match.group()) if entity == "order_number" else match.group().strip()
            if value not in seen:
                seen.add(value)
                yield _entity(entity, value, match.start(), match.end())


def _digits(text: str) -> str:
    return f"KA-{re.sub(r'[^0-9]', '', text)}"


def _entity(kind: str, value: str, start: int, end: int, role: str | None = None) -> dict[str, Any]:
    entity: dict[str, Any] = {"entity": kind, "value": value, "start": start, "end": end, "confidence": 1.0}
    return {**entity, "role": role} if role else entity


def _day_of(message: Message) -> date:
    written = (message.get("metadata") or {}).get("today")
    return date.fromisoformat(written) if written else datetime.now(UTC).date()
