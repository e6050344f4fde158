"""The golden set is frozen, whole, and speaks of nothing that does not exist."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from handoff.words import Reason
from tests.support.golden import GOLDEN, KINDS, listed, normalised, read_conversations, read_questions

REPO = Path(__file__).parents[2]
TOPICS = set(re.findall(r"^- `([a-z-]+)`", (REPO / "docs" / "topics.md").read_text(encoding="utf-8"), re.MULTILINE))
REASONS = set(Reason)
SAME_BY_CHANCE = 35
"""30 stood in the examples on the day of freezing, nearly all of them "hi", "ok", "agent please" and the like."""
EXPECTATIONS = {"answers", "asks", "person", "joined", "silent"}


@pytest.mark.parametrize("name", ["questions.jsonl", "conversations.yml"])
def test_the_golden_set_is_as_it_was_frozen(name: str) -> None:
    told = re.search(rf"`{name}` .*`([0-9a-f]{{64}})`", (GOLDEN / "README.md").read_text(encoding="utf-8"))
    assert told, f"{GOLDEN / 'README.md'} gives no checksum of {name}."
    found = sha256((GOLDEN / name).read_bytes()).hexdigest()
    assert found == told[1], f"{name} is frozen. If a label was wrong, say so in README.md there and write {found}."


def test_there_are_600_questions_and_40_conversations_and_a_third_are_not_to_be_answered() -> None:
    questions = read_questions()
    assert len(questions) >= 600
    assert len(read_conversations()) == 40
    assert sum(one.kind in ("person", "unanswerable") for one in questions) >= len(questions) / 3


def test_no_question_stands_in_it_twice() -> None:
    questions = read_questions()
    assert len({one.id for one in questions}) == len(questions)
    assert len({normalised(one.text) for one in questions}) == len(questions)


def test_labels_name_kinds_topics_and_reasons_that_exist() -> None:
    for one in read_questions():
        kinds = {other for other in one.also if not other.startswith("article:")}
        assert {one.kind, *kinds} <= set(KINDS), one.id
        assert one.articles <= TOPICS, one.id
        assert one.kind != "person" or set(one.expected) <= REASONS, one.id
        assert (one.kind in ("fare", "order", "hours", "silent")) == (not one.expected), one.id


def test_every_topic_is_asked_about_but_the_one_that_is_always_for_a_person() -> None:
    asked = {article for one in read_questions() if one.kind == "article" for article in one.articles}
    assert TOPICS - asked == {"medical-travel"}


def test_every_turn_of_a_conversation_expects_one_thing() -> None:
    for conversation in read_conversations():
        for turn in conversation["turns"]:
            if "people" in turn:
                assert turn["people"] in ("take", "give_back"), conversation["id"]
                continue
            expect = turn["expect"]
            assert len(EXPECTATIONS & set(expect)) == 1, conversation["id"]
            assert set(expect) <= EXPECTATIONS | {"never_contains"}, conversation["id"]
            assert set(listed(expect.get("person"))) <= REASONS, conversation["id"]
            assert set(listed((expect.get("answers") or {}).get("topic"))) <= TOPICS, conversation["id"]


def test_the_golden_set_is_not_copied_into_examples_and_articles() -> None:
    folders = (REPO / "nlu", REPO / "knowledge" / "articles", REPO / "knowledge" / "calibration")
    files = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".yml", ".yaml", ".md", ".jsonl")
    ]
    lines = {_bare(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()}
    same = [one.text for one in read_questions() if normalised(one.text) in lines]
    assert len(same) <= SAME_BY_CHANCE, "\n".join(same)


def _bare(line: str) -> str:
    """A line of an example file without list marks, quotes and entity marks."""
    plain = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\{[^}]*\})", r"\1", line.strip().lstrip("- "))
    return normalised(plain.strip("\"' "))
