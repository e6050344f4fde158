"""The example company's shop orders and bookings: made up, and the same at every making."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from actions.orders import Order, OrderItem, OrderStatus

SEED = 482913
HOW_MANY = 500
LAST_DAY = date(2026, 11, 21)
SHOP = (
    ("Kestrel travel pillow", "24.00"),
    ("Model aircraft A320, 1:200", "39.50"),
    ("Cabin-size suitcase", "119.00"),
    ("Leather passport cover", "18.90"),
    ("Noise-cancelling headphones", "189.00"),
    ("Children's pilot cap", "12.50"),
    ("Merino blanket", "54.00"),
    ("Highland shortbread tin", "9.80"),
    ("Universal travel adapter", "21.00"),
    ("Eau de toilette 50 ml", "62.00"),
)
FLIGHTS = (
    ("Manchester to Rome, return, economy", "121.99"),
    ("London to Athens, return, business", "486.00"),
    ("Dublin to Lisbon, one way, economy", "74.99"),
    ("Edinburgh to Prague, return, economy", "98.50"),
    ("Amsterdam to Nice, one way, economy", "52.99"),
    ("Paris to Berlin, return, economy", "83.00"),
    ("Manchester to Istanbul, return, premium", "268.00"),
)
EXTRAS = (
    ("Checked bag of 23 kg", "32.00"),
    ("Seat with extra legroom", "19.00"),
    ("Wi-Fi for one flight", "12.00"),
    ("Lounge visit", "39.00"),
)
FIRST = ("ana", "ben", "chloe", "dev", "elif", "farah", "george", "hana", "ivan", "jude", "kate", "liam")
LAST = ("silva", "okafor", "murphy", "patel", "rossi", "novak", "jones", "lind", "weber", "costa")
CARRIERS = (("Royal Mail", "RM"), ("DHL", "JD"), ("An Post", "CE"))
# the order that README and the sandbox page show: easy to type, always there
SHOWN = ("KA-482913", "ana.silva@example.com", OrderStatus.SHIPPED)
ON_ITS_WAY = (OrderStatus.SHIPPED, OrderStatus.DELAYED)
YOUNG = (OrderStatus.PLACED, OrderStatus.PAID, OrderStatus.PACKED)
# a booking is never packed or carried, so it has these only
BOOKED = (
    OrderStatus.PLACED,
    OrderStatus.PAID,
    OrderStatus.CANCELLED,
    OrderStatus.REFUNDED,
    OrderStatus.PARTLY_REFUNDED,
)
HAS_TRACKING = (*ON_ITS_WAY, OrderStatus.DELIVERED, OrderStatus.RETURNED)


@dataclass(frozen=True, kw_only=True)
class PlacedOrder:
    """An order and the e-mail it was placed with."""

    order: Order
    email: str


def demo_orders() -> Iterator[PlacedOrder]:
    """All orders, the one that is shown to newcomers first."""
    chance = random.Random(SEED)
    number, email, status = SHOWN
    yield PlacedOrder(order=_order(number, status, chance), email=email)
    numbers = chance.sample([n for n in range(100_000, 1_000_000) if n != 482913], HOW_MANY - 1)
    statuses = list(OrderStatus)
    for index, digits in enumerate(numbers):
        email = f"{chance.choice(FIRST)}.{chance.choice(LAST)}@example.{chance.choice(('com', 'org', 'net'))}"
        status = statuses[index % len(statuses)]
        is_booking = status in BOOKED and chance.random() < 0.5
        yield PlacedOrder(order=_order(f"KA-{digits}", status, chance, is_booking=is_booking), email=email)


def _order(number: str, status: OrderStatus, chance: random.Random, *, is_booking: bool = False) -> Order:
    """An order in this status, with dates that fit it."""
    age_days = chance.randint(2, 6) if status in YOUNG else chance.randint(7, 60)
    placed_on = LAST_DAY - timedelta(days=age_days)
    items = _booked(chance) if is_booking else _bought(chance)
    carrier, letters = chance.choice(CARRIERS)
    tracked = status in HAS_TRACKING
    return Order(
        number=number,
        status=status,
        placed_on=placed_on,
        updated_on=placed_on + timedelta(days=chance.randint(1, 2)),
        items=items,
        total=sum((item.price * item.quantity for item in items), Decimal(0)),
        currency=chance.choice(("GBP", "EUR")),
        carrier=carrier if tracked else None,
        tracking=f"{letters}{chance.randint(10**8, 10**9 - 1)}GB" if tracked else None,
        expected_on=LAST_DAY + timedelta(days=chance.randint(2, 9)) if status in ON_ITS_WAY else None,
    )


def _bought(chance: random.Random) -> tuple[OrderItem, ...]:
    """Goods from the onboard shop."""
    return tuple(
        OrderItem(title=title, quantity=chance.randint(1, 2), price=Decimal(price))
        for title, price in chance.sample(SHOP, chance.randint(1, 3))
    )


def _booked(chance: random.Random) -> tuple[OrderItem, ...]:
    """A flight for one to four people, often with something for each of them."""
    people = chance.randint(1, 4)
    lines = [chance.choice(FLIGHTS), *chance.sample(EXTRAS, chance.randint(0, 2))]
    return tuple(OrderItem(title=title, quantity=people, price=Decimal(price)) for title, price in lines)
