"""What the platform charges, as policies/prices.yml says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from handoff.policy import POLICIES, PolicyError, read_policy, refuse_unknown_keys

PRICES = POLICIES / "prices.yml"
ITEMS = (
    *("mention_read", "direct_read", "reply_created", "direct_created"),
    *("post_created", "post_with_link_created"),
)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices of one item each, with where they come from."""

    as_of: date
    source: str
    currency: str
    mention_read: Decimal
    direct_read: Decimal
    reply_created: Decimal
    direct_created: Decimal
    post_created: Decimal
    post_with_link_created: Decimal


def load_prices(path: Path = PRICES) -> Prices:
    """Read the prices; raises PolicyError with the file, the place and the remedy."""
    data = read_policy(path)
    try:
        refuse_unknown_keys(data, {"as_of", "source", "currency", "prices"}, "at the top")
        given = data.get("prices")
        if not isinstance(given, dict):
            raise PolicyError(f"prices: give {', '.join(ITEMS)}.")
        refuse_unknown_keys(given, set(ITEMS), "prices")
        as_of = data.get("as_of")
        if not isinstance(as_of, date):
            raise PolicyError("as_of: write a day, as in 2026-08-31.")
        return Prices(
            as_of=as_of,
            source=_words(data, "source"),
            currency=_words(data, "currency"),
            **{item: _price(given.get(item), item) for item in ITEMS},
        )
    except PolicyError as error:
        raise PolicyError(f"{path.name}: {error}") from error


def _words(data: dict[str, Any], key: str) -> str:
    text = data.get(key)
    if not isinstance(text, str) or not text.strip():
        raise PolicyError(f"{key}: is missing. Write it in words.")
    return text.strip()


def _price(value: Any, item: str) -> Decimal:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        price = Decimal(-1)
    if isinstance(value, bool) or not price.is_finite() or price < 0:
        raise PolicyError(f"{item}: {value!r} is no price. Write a number such as 0.010.")
    return price
