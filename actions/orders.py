"""Orders: what one looks like, where it is looked up, and how a customer's words name it."""

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import regex

from actions.fares import money

MAX_READ_CHARS = 10_000  # no order is named later than this in a message

# "KA-482913", "ka482913", "#KA 482 913"; or the digits alone after a word that says what they are
_DIGITS = r"(?P<digits>\d{3}[ \-]?\d{3})(?!\d|[ \-]?\d)"
_PREFIXED = regex.compile(rf"(?<![\p{{L}}\d])KA[ \-–#]{{0,3}}{_DIGITS}", regex.IGNORECASE)
_NAMED = regex.compile(
    rf"(?<!\p{{L}})(?:order|purchase)(?:\s+(?:number|no|nr|num|id|ref|reference|code))?\.?\s*(?:is|was|:|=)?\s*[#:]?\s*{_DIGITS}",
    regex.IGNORECASE,
)
_HASHED = regex.compile(rf"(?<![\p{{L}}\d&])#\s?{_DIGITS}")
_BARE = regex.compile(rf"(?<!\d )(?<![\p{{L}}\d£€$+.,@/\-]){_DIGITS}(?![\p{{L}}@/]|[.,]\d)")
# after RFC 5321's limits: 64 characters before the @, 253 after; phones put a blank after the @
_LOCAL = r"[\p{L}\d_%+'][\p{L}\d._%+'\-]{0,63}"
_DOMAIN = r"(?:[\p{L}\d](?:[\p{L}\d\-]{0,61}[\p{L}\d])?\.){1,8}\p{L}{2,24}"
_EMAIL = regex.compile(rf"(?<![\p{{L}}\d._%+'\-]){_LOCAL}@ ?{_DOMAIN}(?![\p{{L}}\d])")


class OrderStatus(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    PAID = "paid"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"


@dataclass(frozen=True, kw_only=True)
class OrderItem:
    """One line of an order; the price is for one piece."""

    title: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as the customer may see it; without the e-mail, which only ever proves whose it is."""

    number: str
    status: OrderStatus
    placed_on: date
    updated_on: date
    items: tuple[OrderItem, ...]
    total: Decimal
    currency: str
    carrier: str | None = None
    tracking: str | None = None
    expected_on: date | None = None
    # when the source said so; two readings of one order are the same order
    confirmed_at: datetime | None = field(default=None, compare=False)

    @property
    def total_text(self) -> str:
        """The total as customers read it."""
        return money(self.total, self.currency)


class OrdersAway(Exception):
    """Orders cannot be looked up now; a person has to."""


class OrderSource(Protocol):
    """Where orders are looked up."""

    async def find(self, number: str, email: str) -> Order | None:
        """The order, if number and e-mail belong together; None says not which of them is wrong. Raises OrdersAway."""
        ...


def order_numbers(text: str) -> tuple[str, ...]:
    """The order numbers a customer's text names, in its order, written as KA-482913."""
    return _numbers(text, (_PREFIXED, _NAMED, _HASHED))


def bare_order_numbers(text: str) -> tuple[str, ...]:
    """As order_numbers, and six digits standing alone; for the answer to "what is the order number?"."""
    return _numbers(text, (_PREFIXED, _NAMED, _HASHED, _BARE))


def normal_number(number: str) -> str:
    """An order number in its one form; raises ValueError if it is none."""
    found = bare_order_numbers(number)
    if len(found) != 1:
        raise ValueError("an order number looks like KA-482913")
    return found[0]


def emails(text: str) -> tuple[str, ...]:
    """The e-mail addresses in a text, normalised, each once."""
    found = (match.group() for match in _EMAIL.finditer(_plain(text)))
    return tuple(dict.fromkeys(normal_email(email) for email in found))


def normal_email(email: str) -> str:
    """An address in the form addresses are compared in: no blanks, no case."""
    return "".join(unicodedata.normalize("NFKC", email).split()).casefold()


def same_email(one: str, other: str) -> bool:
    """Whether two addresses are the same, in a time that tells nothing about how they differ."""
    digests = (hashlib.sha256(normal_email(email).encode(errors="surrogatepass")).digest() for email in (one, other))
    return hmac.compare_digest(*digests)


def _numbers(text: str, patterns: Iterable[regex.Pattern[str]]) -> tuple[str, ...]:
    plain = _plain(text)
    found = {match.start("digits"): match["digits"] for pattern in patterns for match in pattern.finditer(plain)}
    digits = (regex.sub(r"\D", "", found[start]) for start in sorted(found))
    return tuple(dict.fromkeys(f"KA-{number}" for number in digits))


def _plain(text: str) -> str:
    """The text with full-width digits and signs made plain and invisible characters removed."""
    plain = unicodedata.normalize("NFKC", text[:MAX_READ_CHARS])
    return "".join(char for char in plain if unicodedata.category(char) != "Cf")
