"""Conversations about fares, through the real model."""

import pytest

from bot.channels.x.text import weighted_length
from handoff.words import Reason
from tests.support.dialogue import Dialogue


async def test_the_lowest_return_fare_to_paris_needs_only_the_origin(in_private: Dialogue) -> None:
    assert "fly from" in await in_private.hears("lowest return fare to Paris")
    quoted = await in_private.hears("from London")
    assert quoted.startswith("London to Paris, return, economy: from £93.99 (GBP) per adult")
    assert "flying out 23 Nov 2026 to 17 Dec 2026" in quoted
    assert "As of 22 Nov 2026" in quoted


async def test_a_public_question_says_how_to_go_on(in_public: Dialogue) -> None:
    asked = await in_public.hears("lowest return fare to Paris")
    assert "Mention us again or send a DM" in asked


async def test_the_customer_corrects_the_origin(in_public: Dialogue) -> None:
    await in_public.hears("cheapest fare from London to Paris please")
    assert (await in_public.hears("no, from Rome")).startswith("Rome to Paris, return, economy: from €")


async def test_everything_may_be_said_at_once(in_private: Dialogue) -> None:
    quoted = await in_private.hears("how much is a one way business class ticket from London to Paris on 20 December?")
    assert quoted.startswith("London to Paris, one way, business: from £331.99")
    assert "flying out on 20 Dec 2026" in quoted


async def test_trip_cabin_and_date_may_be_changed_one_after_the_other(in_private: Dialogue) -> None:
    assert "£93.99" in await in_private.hears("London to Paris fare")
    assert "one way, economy: from £51.99" in await in_private.hears("and one way?")
    assert "one way, premium: from £87.99" in await in_private.hears("in premium please")
    assert "one way, premium: from £165.99" in await in_private.hears("on the 20th of December")
    assert "return, premium: from £301.99" in await in_private.hears("actually make it a return")


async def test_an_assumed_return_is_said(in_private: Dialogue) -> None:
    assert "Say “one way” if you need no return" in await in_private.hears("price London to Paris")


async def test_a_lone_city_after_an_answer_is_asked_about(in_private: Dialogue) -> None:
    await in_private.hears("fare from London to Paris")
    assert await in_private.hears("Rome") == "Do you mean from Rome or to Rome?"
    assert (await in_private.hears("to rome")).startswith("London to Rome")


async def test_flexible_dates_are_not_asked_for_again(in_private: Dialogue) -> None:
    await in_private.hears("fare from London to Paris on 20 December")
    assert "23 Nov 2026 to 17 Dec 2026" in await in_private.hears("any date is fine")


async def test_an_unknown_city_is_said_plainly_and_not_repeated_in_public(in_public: Dialogue) -> None:
    text = await in_public.hears("cheapest flight from London to Narnia")
    assert text.startswith("I don't know that place as a city we fly to.")
    assert "Narnia" not in text


async def test_an_unknown_city_is_named_in_private(in_private: Dialogue) -> None:
    assert "“Narnia”" in await in_private.hears("cheapest flight from London to Narnia")
    assert (await in_private.hears("Paris then")).startswith("London to Paris")


async def test_a_past_date_is_said_plainly(in_private: Dialogue) -> None:
    assert "in the past" in await in_private.hears("fare from London to Paris on 3 January 2020")
    assert "flying out on 20 Dec 2026" in await in_private.hears("on 20 December")


async def test_a_route_or_cabin_without_a_fare_is_said_plainly(in_private: Dialogue) -> None:
    text = await in_private.hears("business class fare from Rome to Paris")
    assert text.startswith("We have no return, business fare from Rome to Paris.")


async def test_sold_out_is_said_plainly(in_private: Dialogue) -> None:
    text = await in_private.hears("premium return fare from Malaga to Dublin on 1 March 2027")
    assert text.startswith("Sorry, Málaga to Dublin (return, premium) is sold out")


async def test_from_and_to_the_same_city_is_asked_about(in_private: Dialogue) -> None:
    assert "same city" in await in_private.hears("fare from London to Heathrow")


async def test_a_typing_customer_is_understood(in_private: Dialogue) -> None:
    await in_private.hears("hw much is a flite to barcelona")
    assert (await in_private.hears("lodnon")).startswith("London to Barcelona")


async def test_a_second_answer_that_is_no_city_calls_a_person(in_private: Dialogue) -> None:
    await in_private.hears("lowest fare to Paris")
    await in_private.hears("hmm zzzz qqqq")
    answer = await in_private.say("zzzz qqqq again")
    assert answer.needs_person is Reason.REPEATED_FAILURE


@pytest.mark.parametrize(
    "text",
    [
        "lowest return fare from Newcastle upon Tyne to Copenhagen in premium on 20 December returning 3 January",
        "fare from London to Narnia",
        "lowest fare to Paris",
        "business class from Rome to Paris",
        "fare from London to Paris on 3 January 2020",
    ],
)
async def test_every_public_fare_text_leaves_room_for_handle_and_disclosure(in_public: Dialogue, text: str) -> None:
    said = await in_public.hears(text)
    assert weighted_length(said) <= 220
    assert "http" not in said
