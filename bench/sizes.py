"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Counts of one run; every rate and time is the median of its rounds."""

    warm_up: int
    """Turns of each side before anything is measured."""
    rounds: int
    customers: int
    """Customers at once where throughput is measured."""
    senders: int
    """Senders that each of them plays in a round, five turns each."""
    single: int
    """Turns of a round with one customer at a time."""
    growth_turns: int
    growth_customers: int
    messages: int
    """Messages to our responder over which its memory is watched."""


FULL = Sizes(
    warm_up=500, rounds=5, customers=16, senders=3, single=100, growth_turns=200, growth_customers=3, messages=10_000
)
QUICK = Sizes(warm_up=20, rounds=1, customers=4, senders=1, single=10, growth_turns=20, growth_customers=1, messages=60)
