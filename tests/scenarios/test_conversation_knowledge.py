"""Conversations about what the articles know, through the real model."""

from collections.abc import Callable
from typing import Any

import pytest

from handoff.words import Place, Reason
from knowledge.article import Sensitivity
from knowledge.confidence import DecisionKind
from tests.support.dialogue import Dialogue
from tests.support.scripted_knowledge import ScriptedIndex, ScriptedKnowledge

QUESTION = "can I bring my rabbit and its cage?"


@pytest.fixture(scope="module")
def scripted() -> ScriptedKnowledge:
    return ScriptedKnowledge(current=ScriptedIndex(kind=DecisionKind.NONE))


@pytest.fixture(scope="module")
def scripted_assistant(make_assistant: Callable[..., Any], scripted: ScriptedKnowledge) -> Any:
    return make_assistant(knowledge=scripted)


@pytest.fixture
def unsure(scripted: ScriptedKnowledge, scripted_assistant: Any) -> Dialogue:
    """A customer of an assistant that finds two articles and cannot tell which."""
    scripted.current = ScriptedIndex(kind=DecisionKind.CLARIFY)
    return Dialogue(assistant=scripted_assistant)


async def test_a_question_is_answered_from_its_article(in_public: Dialogue) -> None:
    answer = await in_public.say("can I take my dog on board?")
    assert answer.replies[0].articles == ("KB-pets@v1",)
    assert answer.tried[0].said
    assert not answer.failed


async def test_private_and_public_wordings_differ(in_private: Dialogue, in_public: Dialogue) -> None:
    public = await in_public.hears("can I take my dog on board?")
    assert await in_private.hears("can I take my dog on board?") != public


async def test_the_price_of_a_bag_is_no_fare(in_private: Dialogue) -> None:
    answer = await in_private.say("how much is an extra suitcase?")
    assert answer.replies[0].articles


@pytest.mark.parametrize("choice", ["the second", "2", "B", "the bicycle one", "number two please"])
async def test_unsure_it_asks_one_question_and_understands_the_choice(unsure: Dialogue, choice: str) -> None:
    asked = await unsure.say(QUESTION)
    assert "(1) Travelling with pets or (2) Bicycles and sports equipment" in asked.replies[0].text
    assert asked.failed
    answer = await unsure.say(choice)
    assert answer.replies[0].articles == ("KB-bikes@v1",)
    assert not answer.failed


async def test_neither_of_the_two_topics_calls_a_person(unsure: Dialogue) -> None:
    await unsure.say(QUESTION)
    assert (await unsure.say("no, neither")).needs_person is Reason.NO_ANSWER


async def test_unsure_twice_calls_a_person(unsure: Dialogue) -> None:
    await unsure.say(QUESTION)
    assert (await unsure.say("can I bring my parrot and its food?")).needs_person is Reason.REPEATED_FAILURE


async def test_a_question_that_no_article_answers_calls_a_person_with_what_came_near(
    scripted: ScriptedKnowledge, scripted_assistant: Any
) -> None:
    scripted.current = ScriptedIndex(kind=DecisionKind.NONE)
    answer = await Dialogue(assistant=scripted_assistant).say(QUESTION)
    assert answer.needs_person is Reason.NO_ANSWER
    assert [tried.article for tried in answer.tried] == ["KB-pets@v1", "KB-bikes@v1"]
    assert answer.suggestions[0].text == "About pets, in private."


async def test_an_article_for_people_is_never_said(scripted: ScriptedKnowledge, scripted_assistant: Any) -> None:
    scripted.current = ScriptedIndex(kind=DecisionKind.ANSWER, sensitivity=Sensitivity.PERSON)
    answer = await Dialogue(assistant=scripted_assistant).say(QUESTION)
    assert answer.needs_person is Reason.NO_ANSWER
    assert answer.evidence.rule == "article_for_people"
    assert answer.suggestions


async def test_an_expired_fact_calls_a_person(scripted: ScriptedKnowledge, scripted_assistant: Any) -> None:
    scripted.current = ScriptedIndex(kind=DecisionKind.ANSWER, expired=True)
    answer = await Dialogue(assistant=scripted_assistant).say(QUESTION)
    assert answer.needs_person is Reason.NO_ANSWER
    assert answer.evidence.detail == "a fact has expired"


async def test_a_private_article_only_invites_in_public(scripted: ScriptedKnowledge, scripted_assistant: Any) -> None:
    scripted.current = ScriptedIndex(kind=DecisionKind.ANSWER, sensitivity=Sensitivity.PRIVATE)
    answer = await Dialogue(assistant=scripted_assistant, place=Place.PUBLIC).say(QUESTION)
    assert answer.replies[0].offers_private
