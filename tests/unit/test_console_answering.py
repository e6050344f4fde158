"""What the console says and offers, as plain values."""

from datetime import UTC, datetime, timedelta

import pytest

from handoff.console.answering import cleaned, entry_id, problems_of, signed, ways_to_answer
from handoff.console.refusals import refusal_words
from handoff.console.wording import duration, reason_words, state_words
from handoff.ledger import Line
from handoff.queue import waiting_since
from handoff.scripts import Ruling
from handoff.words import Customer, EntryState, Message, Place, Reason, in_ms
from tests.support.composer import LengthComposer

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NAMES = {"ana": "Ana Ruiz"}


def said(number: int, *, place: Place = Place.PUBLIC, summons_us: bool = True) -> Line:
    kind = "post" if place is Place.PUBLIC else "dm"
    message = Message(
        id=f"{kind}:{number}",
        customer=Customer(id="1", handle="zoe"),
        place=place,
        text=f"words {number}",
        sent_at=NOON,
        thread="1",
        summons_us=summons_us,
    )
    return Line(seq=number, at_ms=in_ms(NOON) + number, kind="message", message=message)


def test_every_reason_and_state_has_its_words() -> None:
    assert all(reason_words(reason) for reason in Reason)
    assert all(state_words(state, None)[0] for state in EntryState)


def test_an_answer_goes_where_the_customer_last_wrote() -> None:
    assert ways_to_answer([said(1), said(2, place=Place.PRIVATE)], LengthComposer()).place is Place.PRIVATE
    assert ways_to_answer([said(1, place=Place.PRIVATE), said(2)], LengthComposer()).place is Place.PUBLIC


def test_a_post_that_does_not_mention_us_cannot_be_answered_in_public() -> None:
    ways = ways_to_answer([said(1, summons_us=False)], LengthComposer())
    assert (ways.place, ways.targets) == (Place.PRIVATE, ())
    assert "What remains" in str(ways.public_note)
    assert problems_of("Hello ^AR", Place.PUBLIC, "1", ways, LengthComposer()) == [ways.public_note]


def test_the_newest_answerable_post_comes_first() -> None:
    ways = ways_to_answer([said(1), said(2), said(3, summons_us=False)], LengthComposer())
    assert [target.platform_id for target in ways.targets] == ["2", "1"]
    assert "latest post does not mention us" in str(ways.public_note)
    assert ways_to_answer([said(1), said(2)], LengthComposer()).public_note is None


def test_a_reply_is_signed_once() -> None:
    assert signed("Hello", "AR") == "Hello ^AR"
    assert signed("Hello ^AR", "AR") == "Hello ^AR"
    assert signed("", "AR") == ""


def test_texts_from_forms_lose_control_characters_and_space_around() -> None:
    assert cleaned("  one\r\ntwo\x00\x1b \n") == "one\ntwo"


def test_the_same_form_gives_the_same_id_and_other_words_another() -> None:
    first = entry_id("reply", "C01-1", "ana", "0" * 32, "public", "1", "Hello ^AR")
    assert first == entry_id("reply", "C01-1", "ana", "0" * 32, "public", "1", "Hello ^AR")
    assert first != entry_id("reply", "C01-1", "ana", "0" * 32, "public", "1", "Hello! ^AR")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7500, "2 h 5 min"), (200_000, "2 days")]
)
def test_lengths_of_time_read_as_people_say_them(seconds: int, words: str) -> None:
    assert duration(seconds * 1000) == words


def test_a_lost_race_says_who_was_first_and_when() -> None:
    ruling = Ruling(result="owned", by="agent:ana", since_ms=in_ms(NOON - timedelta(seconds=3)))
    assert refusal_words(ruling, "ben", NAMES, NOON) == "Taken by Ana Ruiz 3 s ago."


def test_a_customer_waits_until_a_person_answers_and_again_after_writing() -> None:
    opening = {"kind": "message", "at_ms": 900}
    notice = {"kind": "entry", "author": "bot", "at_ms": 1000}
    answer = {"kind": "entry", "author": "agent:ana", "at_ms": 2000}
    more = {"kind": "message", "at_ms": 3000}
    even_more = {"kind": "message", "at_ms": 4000}
    assert waiting_since([opening, notice], 1000) == 1000
    assert waiting_since([opening, notice, answer], 1000) is None
    assert waiting_since([opening, notice, answer, more, even_more], 1000) == 3000
