"""What every source of orders promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actions.demo_orders import PlacedOrder, demo_orders
from actions.http_orders import HttpOrders
from actions.order_book import OrderBook, build_order_book
from actions.orders import Order, OrderSource, OrderStatus, normal_number, same_email
from tests.support.company_system import NOW, CompanySystem


class RememberedOrders:
    """Orders in memory."""

    def __init__(self, placed: list[PlacedOrder]) -> None:
        self._placed = {each.order.number: each for each in placed}

    async def find(self, number: str, email: str) -> Order | None:
        try:
            placed = self._placed.get(normal_number(number))
        except ValueError:
            return None
        return placed.order if placed and same_email(email, placed.email) else None


@pytest.fixture(params=["remembered", "order book", "over HTTP"])
async def source(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[OrderSource]:
    if request.param == "remembered":
        yield RememberedOrders(list(demo_orders()))
    elif request.param == "order book":
        build_order_book(tmp_path / "orders.sqlite")
        yield OrderBook(tmp_path / "orders.sqlite")
    else:
        system = CompanySystem(orders=list(demo_orders()))
        async with system.running(), system.source("orders") as asked:
            yield HttpOrders(asked, now=lambda: NOW)


async def test_every_order_is_found_by_its_number_and_email(source: OrderSource) -> None:
    for placed in demo_orders():
        assert await source.find(placed.order.number, placed.email) == placed.order


async def test_a_shipped_order_says_who_carries_it_and_when_it_comes(source: OrderSource) -> None:
    order = await source.find("KA-482913", "ana.silva@example.com")
    assert order
    assert order.status is OrderStatus.SHIPPED
    assert order.carrier
    assert order.tracking
    assert order.expected_on
    assert order.total == sum(item.price * item.quantity for item in order.items)


@pytest.mark.parametrize("number", ["ka482913", " KA-482913 ", "#ka 482 913", "482913"])
@pytest.mark.parametrize("email", [" ANA.silva@example.com", "ana.silva@example.com "])
async def test_case_and_blanks_do_not_matter(source: OrderSource, number: str, email: str) -> None:
    assert await source.find(number, email)


@pytest.mark.parametrize(
    ("number", "email"),
    [
        ("KA-482913", "someone.else@example.com"),
        ("KA-000000", "ana.silva@example.com"),
        ("KA-000000", "someone.else@example.com"),
        ("KA-000000", "nobody@invalid"),
        ("KA-482913", ""),
        ("", ""),
        ("' OR 1=1 --", "ana.silva@example.com"),
        ("KA-482913\0", "ana.silva@example.com\0"),
        ("KA-482913", "%"),
    ],
)
async def test_wrong_number_and_wrong_email_look_the_same(source: OrderSource, number: str, email: str) -> None:
    assert await source.find(number, email) is None


async def test_an_order_does_not_tell_its_email(source: OrderSource) -> None:
    assert "ana.silva" not in repr(await source.find("KA-482913", "ana.silva@example.com"))
