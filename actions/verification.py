"""Verification: may this customer see this order; counts wrong tries and gives up after three.

Nothing is written here. The turn stores the customer's new count with the conversation and adds to the order's
count when it commits, so a turn that is done again counts once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from actions.orders import Order, OrderSource, normal_number

LIMIT = 3
WINDOW = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """How often a customer was wrong, whatever the order, since the first wrong try of the last day."""

    wrong: int = 0
    first_wrong_at: datetime | None = None

    def current(self, now: datetime) -> "Attempts":
        """The count as it stands now: forgotten a day after the first wrong try."""
        over = self.first_wrong_at is not None and now - self.first_wrong_at >= WINDOW
        return Attempts() if over else self

    def with_one_wrong(self, now: datetime) -> "Attempts":
        """The count after one more wrong try."""
        return replace(self, wrong=self.wrong + 1, first_wrong_at=self.first_wrong_at or now)

    def to_json(self) -> dict[str, Any]:
        """The count as the conversation keeps it."""
        return {"wrong": self.wrong, "first_wrong_at": self.first_wrong_at and self.first_wrong_at.isoformat()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Attempts":
        """The count that a conversation keeps; none kept is none wrong."""
        if not kept:
            return cls()
        since = kept.get("first_wrong_at")
        return cls(wrong=int(kept["wrong"]), first_wrong_at=datetime.fromisoformat(since) if since else None)


class AttemptReader(Protocol):
    """How often an order was asked for wrongly, by anybody."""

    async def count(self, order_key: str) -> int:
        """Wrong tries for this order in the last day."""
        ...


class AttemptCount(AttemptReader, Protocol):
    """The count that can also grow; only a turn's commit adds to it."""

    async def failed(self, order_key: str, customer_id: str, attempt_id: str) -> int:
        """Count one wrong try, once per attempt id; returns the count after it."""
        ...


class Verdict(StrEnum):
    """What a try came to."""

    VERIFIED = "verified"
    WRONG = "wrong"  # may try again
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict, and what the turn has to store with it."""

    verdict: Verdict
    attempts: Attempts  # the customer's count from now on
    order: Order | None = None  # only when verified
    failed_order_key: str | None = None  # the order's count to add one to


def order_key(number: str) -> str:
    """What stands for an order number in keys and logs; raises ValueError if it is no order number."""
    return hashlib.sha256(b"frontdesk order " + normal_number(number).encode()).hexdigest()[:32]


async def check(
    *,
    number: str,
    email: str,
    attempts: Attempts,
    orders: OrderSource,
    counts: AttemptReader,
    now: datetime,
    limit: int = LIMIT,
) -> Decision:
    """Look the order up unless there were too many wrong tries; raises what the ports raise.

    An order that does not exist is counted like any other, so a lock-out does not tell that there is one.
    """
    attempts = attempts.current(now)
    key = order_key(number)
    already = max(attempts.wrong, await counts.count(key))
    if already >= limit:
        return Decision(verdict=Verdict.NEEDS_PERSON, attempts=attempts)
    order = await orders.find(number, email)
    if order is not None:
        # the count stays: one right order must not buy three more guesses at somebody else's
        return Decision(verdict=Verdict.VERIFIED, attempts=attempts, order=order)
    return Decision(
        verdict=Verdict.WRONG if already + 1 < limit else Verdict.NEEDS_PERSON,
        attempts=attempts.with_one_wrong(now),
        failed_order_key=key,
    )
