"""Conversations while the company's own systems answer, and while they are away; through the real model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from actions.cities import load_cities
from actions.demo_orders import SHOWN, demo_orders
from actions.fares import Cabin, Fare, FareAnswer, FareQuery, FareSource, Trip
from actions.http_fares import HttpFares
from actions.http_orders import HttpOrders
from actions.orders import Order, OrderSource
from bot.channels.x.text import weighted_length
from handoff.words import Place, Reason
from tests.support.company_system import NOW, CompanySystem
from tests.support.dialogue import Dialogue

NUMBER, EMAIL, _ = SHOWN
FARE = "lowest return fare from London to Paris"
WRONG = "I can't find an order with that number and e-mail. Please check both and send them again."


@dataclass(kw_only=True)
class Switch:
    """The sources of one test behind an assistant that is loaded once; connections belong to a test's own loop."""

    fares: FareSource | None = None
    orders: OrderSource | None = None
    time: datetime = NOW

    async def lowest(self, query: FareQuery, today: date) -> FareAnswer:
        assert self.fares
        return await self.fares.lowest(query, today)

    async def find(self, number: str, email: str) -> Order | None:
        assert self.orders
        return await self.orders.find(number, email)


def a_fare(origin: str, destination: str, *, cabin: Cabin = Cabin.ECONOMY) -> Fare:
    return Fare(
        origin=origin,
        destination=destination,
        trip=Trip.RETURN,
        cabin=cabin,
        price=Decimal("301.99"),
        currency="GBP",
        travel_from=date(2026, 11, 23),
        travel_until=date(2026, 12, 31),
        sold_out=False,
        as_of=date(2026, 11, 23),
    )


@pytest.fixture(scope="module")
def switch() -> Switch:
    return Switch()


@pytest.fixture(scope="module")
def connected(make_assistant: Callable[..., Any], switch: Switch) -> Any:
    return make_assistant(fares=switch, orders=switch)


@pytest.fixture
async def system(switch: Switch) -> AsyncIterator[CompanySystem]:
    """The company's system, which the assistant asks."""
    fares = [a_fare("LON", "PAR"), a_fare("NCL", "CPH", cabin=Cabin.PREMIUM)]
    switch.time = NOW
    system = CompanySystem(fares=fares, orders=list(demo_orders()))
    async with system.running(), system.source("fares") as of_fares, system.source("orders") as of_orders:
        switch.fares = HttpFares(of_fares, cities=load_cities(), now=lambda: switch.time)
        switch.orders = HttpOrders(of_orders, now=lambda: switch.time)
        yield system


@pytest.fixture
def in_private(connected: Any, system: CompanySystem) -> Dialogue:
    return Dialogue(assistant=connected)


@pytest.fixture
def in_public(connected: Any, system: CompanySystem) -> Dialogue:
    return Dialogue(assistant=connected, place=Place.PUBLIC)


async def test_a_fare_is_quoted_with_the_time_of_day_it_was_true(in_private: Dialogue) -> None:
    quoted = await in_private.hears(FARE)
    assert quoted.startswith("London to Paris, return, economy: from £301.99 (GBP) per adult")
    assert "As of 09:42." in quoted


async def test_a_fare_confirmed_yesterday_says_so(in_private: Dialogue, system: CompanySystem) -> None:
    system.as_of = "2026-11-22T18:00:00+01:00"
    assert "As of 22 Nov 2026, 17:00." in await in_private.hears(FARE)


async def test_an_order_is_told_with_the_time_of_day_it_was_true(in_private: Dialogue) -> None:
    told = await in_private.hears(f"where is my order {NUMBER} {EMAIL}")
    assert told.startswith(f"Order {NUMBER} is on its way")
    assert told.endswith("As of 09:42.")


async def test_a_wrong_number_and_a_wrong_email_get_the_same_words(in_private: Dialogue) -> None:
    assert await in_private.hears(f"where is my order {NUMBER}, email nobody@example.net") == WRONG
    assert await in_private.hears(f"KA-999999 {EMAIL}") == WRONG


@pytest.mark.parametrize("how", ["dies", "lies"])
async def test_fares_that_cannot_be_looked_up_go_to_a_person_who_knows_what_was_asked(
    in_private: Dialogue, system: CompanySystem, how: str
) -> None:
    await in_private.hears("lowest return fare to Paris")
    if how == "dies":
        await system.dies()
    else:
        system.answers("<html>We are closed for maintenance</html>")
    answer = await in_private.say("from London")
    assert answer.needs_person is Reason.SOURCE_DOWN
    assert answer.evidence.rule == "fare_source_down"
    assert answer.slots == {"origin": "London", "destination": "Paris", "trip": "return"}


async def test_orders_that_cannot_be_looked_up_go_to_a_person_and_count_no_wrong_try(
    in_private: Dialogue, system: CompanySystem
) -> None:
    await system.dies()
    answer = await in_private.say(f"where is my order {NUMBER} {EMAIL}")
    assert answer.needs_person is Reason.SOURCE_DOWN
    assert answer.failed_order_key is None
    assert answer.verification.wrong_attempts == 0


async def test_what_needs_no_system_is_answered_while_it_is_away(in_private: Dialogue, system: CompanySystem) -> None:
    await system.dies()
    assert "not a person" in await in_private.hears("are you a bot?")
    assert "in the past" in await in_private.hears("fare from London to Paris on 3 January 2020")


async def test_the_last_known_fare_is_told_with_its_age_and_the_way_to_a_person(
    in_private: Dialogue, system: CompanySystem, switch: Switch
) -> None:
    await in_private.hears(FARE)
    await system.dies()
    switch.time = NOW + timedelta(minutes=5)
    told = await in_private.hears(FARE)
    assert "last known at 09:42: from £301.99" in told
    assert told.endswith("I can't check it now and it may have changed. Write AGENT for a person.")
    assert "As of" not in told
    assert (await in_private.say("AGENT")).needs_person is Reason.ASKED_FOR_PERSON


async def test_a_last_known_fare_that_is_too_old_goes_to_a_person(
    in_private: Dialogue, system: CompanySystem, switch: Switch
) -> None:
    await in_private.hears(FARE)
    await system.dies()
    switch.time = NOW + timedelta(minutes=13)  # 31 after it was true
    assert (await in_private.say(FARE)).needs_person is Reason.SOURCE_DOWN


async def test_the_longest_last_known_fare_leaves_room_for_handle_and_disclosure(
    in_public: Dialogue, system: CompanySystem, switch: Switch
) -> None:
    longest = "lowest return fare from Newcastle upon Tyne to Copenhagen in premium on 20 December"
    await in_public.hears(longest)
    await system.dies()
    switch.time = NOW + timedelta(minutes=5)
    told = await in_public.hears(longest)
    assert told.endswith("Mention us with AGENT for a person.")
    assert weighted_length(told) <= 220
