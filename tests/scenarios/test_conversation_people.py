"""Courtesies, hours, calls for a person, and everything that is none of our business."""

from datetime import UTC, datetime

import pytest

from handoff.words import Reason
from tests.support.dialogue import Dialogue


async def test_hello_is_answered(in_private: Dialogue) -> None:
    assert (await in_private.hears("hi there")).startswith("Hello!")


async def test_it_says_truthfully_that_it_is_no_person(in_public: Dialogue) -> None:
    assert "not a person" in await in_public.hears("am I talking to a bot?")


async def test_goodbye_is_answered(in_private: Dialogue) -> None:
    assert "Goodbye" in await in_private.hears("bye for now")


@pytest.mark.parametrize(
    ("text", "rule"), [("thanks!", "thanks"), ("ok 👍", "acknowledgement"), ("👍", "acknowledgement")]
)
async def test_it_is_silent_on_a_courtesy_after_an_answer(in_private: Dialogue, text: str, rule: str) -> None:
    await in_private.hears("can I take my dog on board?")
    answer = await in_private.say(text)
    assert answer.silent_rule == rule
    assert not answer.replies


async def test_thanks_out_of_the_blue_are_answered(in_private: Dialogue) -> None:
    assert "welcome" in await in_private.hears("thank you")


async def test_hours_are_told(in_private: Dialogue) -> None:
    assert "here until" in await in_private.hears("is anybody there right now?")


async def test_hours_are_told_when_nobody_is_there(in_private: Dialogue) -> None:
    in_private.now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert "People are back" in await in_private.hears("when are you open?")


async def test_hours_are_told_for_the_day_asked_about(in_private: Dialogue) -> None:
    assert "25 December" in await in_private.hears("are you open on christmas day?")


@pytest.mark.parametrize("text", ["agent", "I want to talk to a person", "get me a human please"])
async def test_who_asks_for_a_person_gets_one(in_private: Dialogue, text: str) -> None:
    answer = await in_private.say(text)
    assert answer.needs_person is Reason.ASKED_FOR_PERSON
    assert not answer.replies


async def test_a_complaint_goes_to_a_person(in_public: Dialogue) -> None:
    answer = await in_public.say("third delay this month and nobody tells us anything, you are a joke")
    assert answer.needs_person is Reason.COMPLAINT


async def test_a_question_that_holds_the_word_stop_is_a_question(in_private: Dialogue) -> None:
    answer = await in_private.say("when do you stop check-in?")
    assert answer.replies[0].articles


async def test_off_topic_is_declined_once_and_then_given_to_a_person(in_private: Dialogue) -> None:
    first = await in_private.say("tell me a joke about penguins")
    assert first.replies[0].text.startswith("I can only help with Merlin Rail:")
    assert first.failed
    assert (await in_private.say("what's the capital of peru")).needs_person is Reason.REPEATED_FAILURE


async def test_other_companies_questions_are_not_answered(in_private: Dialogue) -> None:
    answer = await in_private.say("what is ryanair's hand luggage size?")
    assert not answer.replies[0].articles
    assert answer.failed


async def test_a_fresh_session_knows_what_was_kept(in_private: Dialogue) -> None:
    await in_private.hears("fare from London to Paris")
    in_private.tracker = None  # a person had the conversation meanwhile
    assert (await in_private.hears("and to Rome?")).startswith("London to Rome")
