"""Orders: how a customer's words name them, and the book they are looked up in."""

import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from actions.demo_orders import BOOKED, HAS_TRACKING, demo_orders
from actions.order_book import OrderBook, build_order_book
from actions.orders import (
    OrdersAway,
    OrderStatus,
    bare_order_numbers,
    emails,
    normal_number,
    order_numbers,
    same_email,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "text",
    [
        "KA-482913",
        "ka482913",
        "my order is KA 482913 thanks",
        "#KA-482913",
        "ka - 482 913?",
        "order no 482913",
        "Order number: 482913.",
        "order #482913",
        "it is #482913",
        "order 482913",
        "the order number is 482913",
        "ＫＡ－４８２９１３",
        "KA-48\u200b2913",
        "(KA-482913)",
    ],
)
def test_an_order_number_is_read_however_it_is_written(text: str) -> None:
    assert order_numbers(text) == ("KA-482913",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "flight KA 482",
        "KA-4829135",
        "KA-48291",
        "call 0161 482913",
        "I ordered 2 pillows",
        "okay482913",
        "482913",
        "KAKA-482913",
        "&#482913;",
    ],
)
def test_what_is_no_order_number_is_not_read_as_one(text: str) -> None:
    assert order_numbers(text) == ()


def test_several_order_numbers_keep_their_order_and_stand_once() -> None:
    assert order_numbers("order 111222, then KA-482913, and again ka111222") == ("KA-111222", "KA-482913")


@pytest.mark.parametrize("text", ["482913", "482 913 ana@example.com", "it's 482913.", "482913, ana@example.com"])
def test_six_digits_are_enough_once_the_number_was_asked_for(text: str) -> None:
    assert bare_order_numbers(text) == ("KA-482913",)


@pytest.mark.parametrize("text", ["£482913", "07700 482913", "482913@example.com", "4829131", "482913.50"])
def test_other_digits_are_not_taken_for_the_number(text: str) -> None:
    assert bare_order_numbers(text) == ()


def test_only_an_order_number_has_a_normal_form() -> None:
    assert normal_number(" ka 482913") == "KA-482913"
    for wrong in ("", "KA-1", "KA-111111 KA-222222", "'; DROP TABLE orders; --"):
        with pytest.raises(ValueError, match="KA-482913"):
            normal_number(wrong)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it is Ana.Silva@Example.com.", ("ana.silva@example.com",)),
        ("ana@ example.com", ("ana@example.com",)),
        ("<ana+shop@mail.example.co.uk>", ("ana+shop@mail.example.co.uk",)),
        ("a@example.com or b@example.com, not A@example.com", ("a@example.com", "b@example.com")),
        ("ｍｅ@example.com", ("me@example.com",)),
        ("jörg@beispiel.de", ("jörg@beispiel.de",)),
        ("@KestrelAir hi@KestrelAir", ()),
        ("ana@example", ()),
        ("a@@b.com", ()),
    ],
)
def test_an_email_is_found_in_a_sentence(text: str, found: tuple[str, ...]) -> None:
    assert emails(text) == found


def test_a_hostile_text_is_read_in_no_time() -> None:
    for text in ("a" * 200_000 + "@", "a@" + "b." * 100_000, "order " * 50_000, "1 " * 100_000, "KA-" * 60_000):
        assert emails(text) == ()
        assert order_numbers(text) == ()


def test_two_emails_are_the_same_whatever_case_and_blanks() -> None:
    assert same_email(" Ana@Example.com ", "ana@example.com")
    assert not same_email("ana@example.com", "anna@example.com")
    assert not same_email("\ud800", "ana@example.com")


def test_the_demo_orders_are_many_in_every_status_and_always_the_same() -> None:
    orders = [placed.order for placed in demo_orders()]
    assert orders == [placed.order for placed in demo_orders()]
    assert len({order.number for order in orders}) == len(orders) == 500
    counts = Counter(order.status for order in orders)
    assert min(counts[status] for status in OrderStatus) >= 45
    assert all((order.tracking is not None) == (order.status in HAS_TRACKING) for order in orders)
    assert all(order.tracking for order in orders if order.status is OrderStatus.SHIPPED)
    assert all(order.placed_on <= order.updated_on for order in orders)


def test_bookings_stand_in_the_states_a_booking_can_have_only() -> None:
    orders = [placed.order for placed in demo_orders()]
    bookings = [order for order in orders if " to " in order.items[0].title]
    assert len(bookings) >= 100
    assert {order.status for order in bookings} == set(BOOKED)
    assert all(order.total == sum(item.price * item.quantity for item in order.items) for order in orders)


def test_the_script_writes_the_order_book(tmp_path: Path) -> None:
    path = tmp_path / "new" / "orders.sqlite"
    command = [sys.executable, str(ROOT / "scripts" / "make_orders.py"), str(path)]
    subprocess.run(command, check=True, env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    with closing(sqlite3.connect(path)) as book:
        assert book.execute("SELECT count(*) FROM orders").fetchone()[0] == 500


def test_writing_the_book_again_replaces_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    assert build_order_book(path) == build_order_book(path) == 500
    assert [file.name for file in tmp_path.iterdir()] == ["orders.sqlite"]


async def test_looking_up_never_makes_or_changes_the_file(tmp_path: Path) -> None:
    missing = tmp_path / "none.sqlite"
    with pytest.raises(OrdersAway, match="written anew"):
        await OrderBook(missing).find("KA-482913", "ana.silva@example.com")
    assert not missing.exists()


async def test_a_corrupt_book_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    path.write_bytes(b"this is no database, not at all" * 100)
    with pytest.raises(OrdersAway, match=r"orders\.sqlite cannot be read .* Remove the file"):
        await OrderBook(path).find("KA-482913", "ana.silva@example.com")


async def test_a_status_nobody_knows_is_not_told_to_a_customer(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    build_order_book(path)
    with closing(sqlite3.connect(path)) as book, book:
        book.execute("UPDATE orders SET status = 'lost in space'")
    with pytest.raises(OrdersAway):
        await OrderBook(path).find("KA-482913", "ana.silva@example.com")
