"""Whatever fails inside the assistant is a failure that the responder sees, never silence."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from actions.fares import FareAnswer, FareQuery
from bot.answer import AssistantFailed, Question
from tests.support.dialogue import NOW, Dialogue

FARE = "fare from London to Paris"


class BreakingFares:
    """A source that breaks as told."""

    def __init__(self) -> None:
        self.how = "raise"

    async def lowest(self, query: FareQuery, today: Any) -> FareAnswer:
        if self.how == "raise":
            raise RuntimeError("the table is gone")
        await asyncio.Event().wait()  # for ever
        raise AssertionError("not reached")


@pytest.fixture(scope="module")
def fares() -> BreakingFares:
    return BreakingFares()


@pytest.fixture(scope="module")
def breaking(make_assistant: Callable[..., Any], fares: BreakingFares) -> Any:
    return make_assistant(fares=fares, turn_limit_s=0.3)


async def test_an_action_that_raises_is_a_failure(breaking: Any, fares: BreakingFares) -> None:
    fares.how = "raise"
    with pytest.raises(AssistantFailed, match="action_fare raised RuntimeError"):
        await Dialogue(assistant=breaking).say(FARE)


async def test_a_slow_action_is_a_failure_within_the_turns_time(breaking: Any, fares: BreakingFares) -> None:
    fares.how = "wait"
    with pytest.raises(AssistantFailed, match=r"action_fare took longer than 0.3 s"):
        await Dialogue(assistant=breaking).say(FARE)


async def test_after_a_failure_the_next_turn_is_answered_from_the_old_session(
    breaking: Any, fares: BreakingFares
) -> None:
    fares.how = "raise"
    dialogue = Dialogue(assistant=breaking)
    await dialogue.hears("hello")
    with pytest.raises(AssistantFailed):
        await dialogue.say(FARE)
    assert "not a person" in await dialogue.hears("are you a bot?")


async def test_an_exception_in_understanding_is_a_failure(make_assistant: Callable[..., Any]) -> None:
    class NoEncoder:
        name = revision = "none"

        def encode(self, texts: Any) -> Any:
            raise MemoryError

    with pytest.raises(AssistantFailed):  # retrieval cannot encode
        await Dialogue(assistant=make_assistant(encoder=NoEncoder())).say("can I take my dog on board?")


async def test_a_session_that_cannot_be_read_is_a_failure(breaking: Any) -> None:
    with pytest.raises(AssistantFailed):
        await Dialogue(assistant=breaking, tracker="{not json").say("hello")
    assert "Hello" in await Dialogue(assistant=breaking).hears("hello")


async def test_a_blank_answer_is_a_failure(assistant: Any) -> None:
    from bot.answering import answer_of

    question = Question(conversation="x:1", message_id="post:1", text="hi", place="private", now=NOW)  # type: ignore[arg-type]
    parsed = {"intent": {"name": "greet", "confidence": 1.0}, "entities": []}
    for messages in ([], [{"text": "  "}], [{"custom": {"why": {"rule": "x"}}}]):
        with pytest.raises(AssistantFailed, match="said nothing"):
            answer_of(question, parsed, messages, {}, "{}")


async def test_a_session_is_json_and_stays_small(in_private: Dialogue) -> None:
    sizes = []
    for turn in range(45):
        await in_private.say("hello" if turn % 2 else "fare from London to Paris")
        sizes.append(len(json.dumps(json.loads(in_private.tracker or ""))))
    assert max(sizes) < 120_000
