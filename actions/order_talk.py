"""Talking about orders: in public an invitation only; in private number and e-mail first, then the details."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from actions.attempt_count import AttemptsAway
from actions.contact import Contact
from actions.orders import Order, OrdersAway, OrderSource, OrderStatus, bare_order_numbers, emails, order_numbers
from actions.turn import Result, TurnNow, Why, moment
from actions.verification import AttemptReader, Attempts, Decision, Verdict, check
from handoff.words import Reason

ASKED = "order_details"
NOT_FOUND = "I can't find an order with that number and e-mail. Please check both and send them again."

_SAID = {
    OrderStatus.PLACED: "has been placed and is not paid yet",
    OrderStatus.PAID: "is paid and being prepared",
    OrderStatus.PACKED: "is packed and waits for the carrier",
    OrderStatus.SHIPPED: "is on its way",
    OrderStatus.DELIVERED: "was delivered",
    OrderStatus.DELAYED: "is delayed",
    OrderStatus.CANCELLED: "was cancelled",
    OrderStatus.RETURNED: "came back to us",
    OrderStatus.REFUNDED: "was refunded",
    OrderStatus.PARTLY_REFUNDED: "was refunded in part",
}


class OrderTalk:
    """Answers where an order is, to whom it belongs and to nobody else."""

    def __init__(self, orders: OrderSource, counts: AttemptReader, contact: Contact) -> None:
        self._orders = orders
        self._counts = counts
        self._contact = contact

    def concerns(self, turn: TurnNow) -> bool:
        """Whether a message without a topic of its own is about an order."""
        return turn.asked == ASKED or bool(turn.named("order_number") or turn.named("email"))

    async def result(self, turn: TurnNow) -> Result:
        """The next thing to say about the order."""
        if not turn.is_private:
            return self._contact.invitation(turn, "I can look at your order in a direct message")
        numbers = bare_order_numbers(turn.text) if turn.asked == ASKED else order_numbers(turn.text)
        number = next(iter([*numbers, *turn.named("order_number")]), None) or turn.told("order_number")
        email = next(iter(emails(turn.text)), None) or turn.told("email")
        if not number or not email:
            return _asking(turn, number, email)
        try:
            decision = await check(
                number=number,
                email=email,
                attempts=Attempts.from_json(turn.attempts),
                orders=self._orders,
                counts=self._counts,
                now=turn.now,
            )
        except (OrdersAway, AttemptsAway) as error:
            return Result(
                why=Why(rule="order_source_down", detail=type(error).__name__), needs_person=Reason.SOURCE_DOWN
            )
        return _told(decision, turn.now)


def _asking(turn: TurnNow, number: str | None, email: str | None) -> Result:
    """Ask for what is missing; a second time in vain is a failure."""
    gained = (number and not turn.told("order_number")) or (email and not turn.told("email"))
    if number:
        text = "Thank you. And which e-mail address is on the order?"
    elif email:
        text = "Thank you. And what is the order number? It looks like KA-482913."
    else:
        text = "Please send me the order number (it looks like KA-482913) and the e-mail address on the order."
    state = turn.told("verification") or "asked"
    return Result(
        why=Why(rule="order_details_missing"),
        text=text,
        failed=turn.asked == ASKED and not gained,
        slots={"order_number": number, "email": email, "verification": state, "asked": ASKED},
    )


def _told(decision: Decision, now: datetime) -> Result:
    forgotten: dict[str, Any] = {"order_number": None, "email": None}
    attempts = decision.attempts.to_json()
    if decision.verdict is Verdict.VERIFIED and decision.order is not None:
        found = {"verification": "verified", "verified_order": decision.order.number}
        return Result(
            why=Why(rule="order_verified"),
            text=_details(decision.order, now),
            attempts=attempts,
            slots={**forgotten, **found},
        )
    if decision.verdict is Verdict.NEEDS_PERSON:
        return Result(
            why=Why(
                rule="verification_failed", detail=f"too many wrong tries, {decision.attempts.wrong} by this customer"
            ),
            needs_person=Reason.UNVERIFIED,
            attempts=attempts,
            failed_order_key=decision.failed_order_key,
            slots={**forgotten, "verification": "failed", "verified_order": None},
        )
    return Result(
        why=Why(rule="order_not_verified"),
        text=NOT_FOUND,
        attempts=attempts,
        failed_order_key=decision.failed_order_key,
        slots={**forgotten, "verification": "asked", "asked": ASKED},
    )


def _details(order: Order, now: datetime) -> str:
    """The order in a few lines, dates written out."""
    lines = [f"Order {order.number} {_SAID[order.status]} (updated {_date(order.updated_on)})."]
    lines.append(f"Placed {_date(order.placed_on)}, total {order.total_text}.")
    lines.append("Items: " + ", ".join(f"{item.quantity} × {item.title}" for item in order.items) + ".")
    if order.carrier:
        lines.append(f"Carrier: {order.carrier}" + (f", tracking {order.tracking}." if order.tracking else "."))
    if order.expected_on and order.status is not OrderStatus.DELIVERED:
        lines.append(f"Expected {_date(order.expected_on)}.")
    if order.confirmed_at:
        lines.append(f"As of {moment(order.confirmed_at, now)}.")
    return "\n".join(lines)


def _date(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
