"""Conversations about orders, through the real model: nothing in public, and in private only what was proven."""

from collections.abc import Callable
from typing import Any

import pytest

from actions.demo_orders import HAS_TRACKING, ON_ITS_WAY, SHOWN, demo_orders
from actions.orders import OrdersAway, OrderStatus
from bot.settings import X_KEYS, Settings
from bot.wiring import contact_routes
from handoff.words import Place, Reason
from tests.support.dialogue import Dialogue

NUMBER, EMAIL, _ = SHOWN
WRONG = "I can't find an order with that number and e-mail. Please check both and send them again."


async def test_in_public_there_is_only_an_invitation(in_public: Dialogue) -> None:
    answer = await in_public.say(f"where is my order {NUMBER}? my mail is {EMAIL}")
    reply = answer.replies[0]
    assert reply.offers_private
    assert NUMBER[3:] not in reply.text
    assert EMAIL not in reply.text
    assert "http" not in reply.text


async def test_without_direct_messages_the_phone_is_named(in_public: Dialogue) -> None:
    in_public.private_possible = False
    answer = await in_public.say("where is my order?")
    assert "0800 555 0100 or use the contact page of our website" in answer.replies[0].text
    assert not answer.replies[0].offers_private


async def test_without_direct_messages_and_with_no_route_set_a_real_account_calls_a_person(
    make_assistant: Callable[..., Any],
) -> None:
    unset = contact_routes(Settings.read(dict.fromkeys(X_KEYS, "a key")))
    alone = Dialogue(assistant=make_assistant(contact=unset), place=Place.PUBLIC, private_possible=False)
    assert (await alone.say("where is my order?")).needs_person is Reason.NO_ANSWER


async def test_in_private_number_and_email_are_asked_for_and_the_order_is_told(in_private: Dialogue) -> None:
    assert "order number" in await in_private.hears("where's my order?")
    assert "e-mail" in await in_private.hears(NUMBER.lower())
    told = await in_private.hears(EMAIL)
    assert told.startswith(f"Order {NUMBER} is on its way")
    assert "tracking" in told
    assert EMAIL not in told
    last = in_private.answers[-1]
    assert last.verification.state == "verified"
    assert last.verification.order == NUMBER
    assert "email" not in last.slots


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (OrderStatus.PLACED, "has been placed and is not paid yet"),
        (OrderStatus.PAID, "is paid and being prepared"),
        (OrderStatus.PACKED, "is packed and waits for the carrier"),
        (OrderStatus.SHIPPED, "is on its way"),
        (OrderStatus.DELIVERED, "was delivered"),
        (OrderStatus.DELAYED, "is delayed"),
        (OrderStatus.CANCELLED, "was cancelled"),
        (OrderStatus.RETURNED, "came back to us"),
        (OrderStatus.REFUNDED, "was refunded"),
        (OrderStatus.PARTLY_REFUNDED, "was refunded in part"),
    ],
)
async def test_every_state_of_an_order_has_its_words(in_private: Dialogue, status: OrderStatus, says: str) -> None:
    placed = next(each for each in demo_orders() if each.order.status is status)
    await in_private.hears("where is my order?")
    await in_private.hears(placed.order.number)
    told = await in_private.hears(placed.email)
    assert told.startswith(f"Order {placed.order.number} {says} (updated ")
    assert ("tracking" in told) == (status in HAS_TRACKING)
    assert ("Expected" in told) == (status in ON_ITS_WAY)


def test_every_state_is_tried() -> None:
    (marks,) = (mark for mark in test_every_state_of_an_order_has_its_words.pytestmark if mark.name == "parametrize")
    assert {status for status, _ in marks.args[1]} == set(OrderStatus)


async def test_the_number_may_be_six_digits_when_it_was_asked_for(in_private: Dialogue) -> None:
    await in_private.hears("order status please")
    assert (await in_private.hears(f"{NUMBER[3:]} and {EMAIL}")).startswith(f"Order {NUMBER}")


async def test_a_wrong_order_and_a_wrong_email_get_the_same_words(in_private: Dialogue) -> None:
    assert await in_private.hears(f"where is my order {NUMBER}, email nobody@example.net") == WRONG
    assert await in_private.hears(f"KA-999999 {EMAIL}") == WRONG
    assert in_private.answers[-1].failed_order_key


async def test_the_third_wrong_try_goes_to_a_person(in_private: Dialogue) -> None:
    await in_private.say("where is my order KA-111111, nobody@example.net")
    await in_private.say("KA-222222 nobody@example.net")
    answer = await in_private.say("KA-333333 nobody@example.net")
    assert answer.needs_person is Reason.UNVERIFIED
    assert answer.verification.state == "failed"
    assert answer.verification.wrong_attempts == 3
    assert answer.evidence.score is None, "tries are no likeness"
    assert answer.evidence.detail == "too many wrong tries, 3 by this customer"


async def test_what_was_asked_in_private_is_not_told_in_public(in_private: Dialogue) -> None:
    await in_private.hears("where is my order")
    answer = await in_private.say(f"{NUMBER} {EMAIL}", place=Place.PUBLIC)
    assert answer.replies[0].offers_private
    assert "on its way" not in answer.replies[0].text


async def test_orders_that_cannot_be_looked_up_go_to_a_person(make_assistant: Callable[..., Any]) -> None:
    class Away:
        async def find(self, number: str, email: str) -> None:
            raise OrdersAway("the file is gone")

    dialogue = Dialogue(assistant=make_assistant(orders=Away()))
    assert (await dialogue.say(f"where is my order {NUMBER} {EMAIL}")).needs_person is Reason.SOURCE_DOWN
