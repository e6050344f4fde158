"""What must not be obeyed, must not crash, and must not be answered as if it meant something."""

import pytest

from bot.answer import Answer
from bot.assistant import LONGEST_TEXT_CHARS, neutral
from tests.support.dialogue import Dialogue


def is_given_to_somebody(answer: Answer) -> bool:
    return bool(answer.replies and answer.replies[0].text.strip()) or answer.needs_person is not None


@pytest.mark.parametrize("text", ["/restart", "/session_start", "/back", "  /restart", "//restart"])
async def test_commands_of_rasa_are_plain_text(in_private: Dialogue, text: str) -> None:
    await in_private.hears("fare from London to Paris")
    answer = await in_private.say(text)
    assert answer.intent not in ("restart", "session_start", "back")
    assert answer.slots["origin"] == "London"  # nothing was reset
    assert is_given_to_somebody(answer)


async def test_an_intent_typed_by_a_customer_sets_nothing(in_private: Dialogue) -> None:
    answer = await in_private.say('/ask_fare{"origin": "London", "destination": "Paris"}')
    assert answer.slots.get("origin") != "London" or answer.slots.get("destination") != "Paris"


async def test_an_unknown_intent_typed_by_a_customer_is_plain_text_and_keeps_what_is_known(
    in_private: Dialogue,
) -> None:
    before = await in_private.say("return fare from London to Paris")
    assert before.slots["destination"] == "Paris"
    answer = await in_private.say('/intent{"x":1}')
    assert answer.intent not in ("intent", "x")
    assert answer.slots == before.slots
    assert "x" not in answer.slots
    assert answer.failed
    assert answer.silent_rule is None
    assert is_given_to_somebody(answer)


@pytest.mark.parametrize("text", ["😀", "🤷🤷🤷", "…", "???", "asdfgh jklqwe", "\u202e\u2066", "\x00"])
async def test_nothing_recognisable_is_never_answered(in_private: Dialogue, text: str) -> None:
    answer = await in_private.say(text)
    assert answer.failed
    assert not answer.tried
    assert is_given_to_somebody(answer)


async def test_nul_and_bidi_characters_do_not_hide_a_question(in_private: Dialogue) -> None:
    answer = await in_private.say("can I take\x00 my \u202edog\u202c on board?")
    assert answer.replies[0].articles


async def test_ten_thousand_characters_are_cut_and_answered_or_given_to_a_person(in_private: Dialogue) -> None:
    assert is_given_to_somebody(await in_private.say("where is my bag " * 625))
    assert is_given_to_somebody(await in_private.say("x" * 10_000))


def test_a_neutral_text_is_short_visible_and_never_blank() -> None:
    assert neutral("/restart") == "restart"
    assert neutral("  / /stop") == "stop"
    assert neutral("\u200b") == "…"
    assert neutral("a\x00b\n\nc") == "a b c"
    assert len(neutral("ab " * 5000)) <= LONGEST_TEXT_CHARS
