"""The numbers of one period, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from handoff.report.period import Period, Stretch
from handoff.words import Outcome

WAITING = "waiting"
ENDINGS = (*(str(outcome) for outcome in Outcome), WAITING)
"""How a message can stand: its outcome, or still waiting."""


@dataclass(frozen=True, kw_only=True)
class Times:
    """How long something took; the middle and the slow end of it, by nearest rank; None of nothing."""

    count: int
    median_ms: int | None
    p90_ms: int | None


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """Questions without an answer that were understood alike."""

    intent: str | None
    """None: nothing was understood."""
    messages: tuple[tuple[str, str], ...]
    """Conversation and id of each, the newest first."""

    @property
    def count(self) -> int:
        return len(self.messages)


@dataclass(frozen=True, kw_only=True)
class CostLine:
    """So many of one item at its price."""

    item: str
    count: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.count * self.price


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the platform charges for what was counted."""

    currency: str
    lines: tuple[CostLine, ...]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The messages of one stretch of time, by how they stand."""

    stretch: Stretch
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A period's numbers as known at one moment; definitions.py says what each means."""

    period: Period
    as_of: datetime
    messages: int
    public: int
    private: int
    answered: int
    opened: int
    joined: int
    silent: int
    waiting: int
    silent_rules: Mapping[str, int]
    over_time: tuple[Bar, ...]
    conversations: int
    contained: int
    abandoned: int
    handed_over: int
    only_heard: int
    containment: float | None
    cases: int
    reasons: Mapping[str, int]
    open_cases: int
    breached_cases: int
    bot_first_reply: Times
    people_first_reply: Times
    promises_told: int
    promises_kept: int
    promises_broken: int
    promises_ended: int
    promises_running: int
    intents: Mapping[str, int]
    articles: Mapping[str, int]
    unanswered: tuple[Unanswered, ...]
    bot_said: int
    people_said: int
    never_said: int
    cost: Cost
