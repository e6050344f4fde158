"""Intents that go by exact words or by what a message consists of, and the choice between two topics."""

from datetime import date

import pytest

from actions.knowledge_talk import pick
from nlu.entities import PROJECT, Entities
from nlu.gazetteer import read_gazetteer
from nlu.intent_classifier import by_parts, normal

TITLES = ("Travelling with pets", "Bicycles and sports equipment")


@pytest.fixture(scope="module")
def entities() -> Entities:
    return Entities(read_gazetteer(PROJECT / "actions/data/cities.yml"))


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("from Rome, tomorrow", "inform"),
        ("one way please", "inform"),
        ("no, from Rome", "correct"),
        ("sorry, I meant the 12th of May", "correct"),
        ("KA-482913", "give_order_details"),
        ("482913", "give_order_details"),
        ("my email is jo@mailbox.test", "give_order_details"),
        ("lowest return fare to Paris", None),
        ("is there a lounge in Rome", None),
        ("hello", None),
    ],
)
def test_a_message_of_entities_alone(entities: Entities, text: str, intent: str | None) -> None:
    assert by_parts(text, entities.find(text, date(2026, 11, 22))) == intent


@pytest.mark.parametrize(
    ("one", "other"), [("STOP!", "stop"), ("  Don’t message me. ", "dont message me"), ("OK 👍🏽", "ok 👍"), ("❤️", "❤")]
)
def test_case_punctuation_and_skin_tones_do_not_matter(one: str, other: str) -> None:
    assert normal(one) == other


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1", 0),
        ("the first one please", 0),
        ("A", 0),
        ("pets", 0),
        ("2", 1),
        ("the latter", 1),
        ("Option B", 1),
        ("my bicycle", 1),
        ("both", None),
        ("and what about my parrot", None),
        ("neither", None),
    ],
)
def test_a_choice_between_two_topics(text: str, index: int | None) -> None:
    assert pick(text, TITLES) == index
