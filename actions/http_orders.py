"""Orders in a company's own system, asked over HTTP; nothing of them is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from annotated_types import Ge, Le, MaxLen, MinLen

from actions.http_source import HttpSource, SourceAway
from actions.orders import Order, OrderItem, OrdersAway, OrderStatus, emails, normal_email, normal_number
from actions.wire import Currency, Day, Moment, Money, Wire, Words, check_age, parsed


class OrderLine(Wire):
    """One line of an order as the system writes it; the price is for one piece."""

    title: Words
    quantity: Annotated[int, Ge(1), Le(9_999)]
    price: Money


class FoundOrder(Wire):
    """An order as the system writes it."""

    number: str
    status: OrderStatus
    placed_on: Day
    updated_on: Day
    items: Annotated[list[OrderLine], MinLen(1), MaxLen(100)]
    total: Money
    currency: Currency
    carrier: Words | None = None
    tracking: Words | None = None
    expected_on: Day | None = None


class OrderFound(Wire):
    """The answer to a number and an e-mail; null where they do not belong together, whichever is wrong."""

    as_of: Moment
    order: FoundOrder | None


class HttpOrders:
    """Looks orders up by number and e-mail, which travel in the body of the request."""

    def __init__(self, source: HttpSource, *, now: Callable[[], datetime]) -> None:
        self._source = source
        self._now = now

    async def find(self, number: str, email: str) -> Order | None:
        """The order, if number and e-mail belong together; raises OrdersAway."""
        try:
            wanted = normal_number(number)
        except ValueError:
            return None
        address = normal_email(email)
        if emails(address) != (address,):
            return None
        try:
            return await self._source.post(
                "/orders/lookup", {"number": wanted, "email": address}, lambda body: self._read(body, wanted)
            )
        except SourceAway as error:
            raise OrdersAway(str(error)) from error

    def _read(self, body: bytes, wanted: str) -> Order | None:
        """The order of an answer; raises SourceAway where it is not the one that was asked for."""
        answer = parsed(OrderFound, body)
        check_age(answer.as_of, self._now())
        if answer.order is None:
            return None
        if answer.order.number != wanted:
            raise SourceAway("its answer is an order that was not asked for")
        return _order(answer.order, answer.as_of)


def _order(found: FoundOrder, as_of: datetime) -> Order:
    return Order(
        number=found.number,
        status=found.status,
        placed_on=found.placed_on,
        updated_on=found.updated_on,
        items=tuple(OrderItem(title=line.title, quantity=line.quantity, price=line.price) for line in found.items),
        total=found.total,
        currency=found.currency,
        carrier=found.carrier,
        tracking=found.tracking,
        expected_on=found.expected_on,
        confirmed_at=as_of,
    )
