"""How well the model understands sentences it never saw, and how seldom it answers what is none of our business."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from bot.answer import Answer
from tests.support.dialogue import Dialogue

if TYPE_CHECKING:
    from bot.assistant import Assistant

REPO = Path(__file__).parents[2]
HELD_OUT = REPO / "nlu" / "evaluation"
NOT_SUBSTANTIVE = ("off_topic", "not_understood", "knowledge_clarify", "fixed_words", "thanks", "acknowledgement")


def read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(HELD_OUT / name)


def is_substantive(answer: Answer) -> bool:
    """Whether the customer was told something of ours: an article, a fare, hours, an order."""
    return bool(answer.replies) and answer.evidence.rule not in NOT_SUBSTANTIVE


async def test_at_least_nine_of_ten_of_our_sentences_are_understood(assistant: "Assistant") -> None:
    sentences = [(text, intent) for intent, texts in read("in_scope.yml").items() for text in texts]
    wrong = []
    for text, intent in sentences:
        understood = (await assistant.understand(text)).intent
        if understood != intent:
            wrong.append(f"{intent} taken for {understood}: {text}")
    assert len(wrong) <= len(sentences) / 10, "\n".join(wrong)


async def test_at_most_one_of_twenty_off_topic_sentences_gets_an_answer(assistant: "Assistant") -> None:
    texts = read("off_topic.yml")
    assert len(texts) >= 60
    answered = [text for text in texts if is_substantive(await Dialogue(assistant=assistant).say(text))]
    assert len(answered) <= len(texts) / 20, "\n".join(answered)


async def test_most_questions_an_article_answers_are_answered(assistant: "Assistant") -> None:
    texts = read("in_scope.yml")["ask_knowledge"]
    answers = [await Dialogue(assistant=assistant).say(text) for text in texts]
    answered = [bool(answer.replies and answer.replies[0].articles) for answer in answers]
    assert sum(answered) >= 0.85 * len(texts)


@pytest.mark.parametrize("name", ["in_scope.yml", "off_topic.yml"])
def test_held_out_sentences_are_not_among_the_examples(name: str) -> None:
    data = read(name)
    held_out = data if isinstance(data, list) else [text for texts in data.values() for text in texts]
    examples = "\n".join(path.read_text().lower() for path in (REPO / "nlu" / "data").glob("*.yml")).splitlines()
    known = {line.strip().removeprefix("- ").strip('"') for line in examples}
    assert not [text for text in held_out if text.lower() in known]
