"""The order book: orders of our own, in a SQLite file that is only ever read."""

import asyncio
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

from actions.demo_orders import PlacedOrder, demo_orders
from actions.orders import Order, OrderItem, OrdersAway, OrderStatus, normal_email, normal_number, same_email

SCHEMA = """
CREATE TABLE orders (
  number TEXT PRIMARY KEY, email TEXT NOT NULL, status TEXT NOT NULL, placed_on TEXT NOT NULL,
  updated_on TEXT NOT NULL, total TEXT NOT NULL, currency TEXT NOT NULL,
  carrier TEXT, tracking TEXT, expected_on TEXT
) STRICT;
CREATE TABLE items (
  number TEXT NOT NULL REFERENCES orders, line INTEGER NOT NULL, title TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0), price TEXT NOT NULL, PRIMARY KEY (number, line)
) STRICT;
"""
ORDER_COLUMNS = "number, status, placed_on, updated_on, total, currency, carrier, tracking, expected_on, email"
NO_EMAIL = "nobody@invalid"  # compared against when there is no such order, so that both cases take as long


class OrderBook:
    """Looks orders up in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, number: str, email: str) -> Order | None:
        """The order, if number and e-mail belong together; raises OrdersAway if the file cannot be read."""
        return await asyncio.to_thread(self._find, number, email)

    def _find(self, number: str, email: str) -> Order | None:
        try:
            wanted = normal_number(number)
        except ValueError:
            wanted = ""
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as book:
                return _looked_up(book, wanted, email)
        except (sqlite3.Error, ValueError, ArithmeticError) as error:
            raise OrdersAway(
                f"{self._path.name} cannot be read ({error}). "
                "Remove the file and start again: it is written anew when it is missing."
            ) from error


def _looked_up(book: sqlite3.Connection, number: str, email: str) -> Order | None:
    """The order with its items; everything is read before the e-mail decides, so time tells nothing."""
    row = book.execute(f"SELECT {ORDER_COLUMNS} FROM orders WHERE number = ?", (number,)).fetchone()
    lines = book.execute(
        "SELECT title, quantity, price FROM items WHERE number = ? ORDER BY line", (number,)
    ).fetchall()
    matches = same_email(email, row[-1] if row else NO_EMAIL)
    if row is None or not matches:
        return None
    number, status, placed_on, updated_on, total, currency, carrier, tracking, expected_on, _ = row
    return Order(
        number=number,
        status=OrderStatus(status),
        placed_on=date.fromisoformat(placed_on),
        updated_on=date.fromisoformat(updated_on),
        items=tuple(OrderItem(title=title, quantity=count, price=Decimal(price)) for title, count, price in lines),
        total=Decimal(total),
        currency=currency,
        carrier=carrier,
        tracking=tracking,
        expected_on=date.fromisoformat(expected_on) if expected_on else None,
    )


def build_order_book(path: Path, orders: Iterable[PlacedOrder] | None = None) -> int:
    """Write the demo orders (or those given) to a new file, all or nothing; returns how many there are."""
    placed = list(demo_orders() if orders is None else orders)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as book, book:
            book.executescript(SCHEMA)
            for each in placed:
                _write(book, each)
        draft.replace(path)  # a reader sees the old file or the whole new one
    finally:
        draft.unlink(missing_ok=True)
    return len(placed)


def _write(book: sqlite3.Connection, placed: PlacedOrder) -> None:
    order = placed.order
    row = {
        "number": order.number,
        "status": order.status.value,
        "placed_on": order.placed_on.isoformat(),
        "updated_on": order.updated_on.isoformat(),
        "total": str(order.total),
        "currency": order.currency,
        "carrier": order.carrier,
        "tracking": order.tracking,
        "expected_on": order.expected_on.isoformat() if order.expected_on else None,
        "email": normal_email(placed.email),
    }
    marks = ", ".join(f":{column}" for column in ORDER_COLUMNS.split(", "))
    book.execute(f"INSERT INTO orders ({ORDER_COLUMNS}) VALUES ({marks})", row)
    book.executemany(
        "INSERT INTO items (number, line, title, quantity, price) VALUES (?, ?, ?, ?, ?)",
        [(order.number, line, item.title, item.quantity, str(item.price)) for line, item in enumerate(order.items, 1)],
    )
