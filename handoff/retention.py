"""How long each kind of data is kept, as a team lead writes it: reads policies/retention.yml."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from handoff.policy import POLICIES, PolicyError, read_policy, refuse_unknown_keys
from handoff.words import Value, in_ms

RETENTION = POLICIES / "retention.yml"
KINDS = ("transcripts", "cases", "customers", "journal", "tombstones")
FEWEST_DAYS = 2
"""Ingress reads back a day at most; what it may read again must still be known."""
MOST_DAYS = 3650


class Retention(Value):
    """Days to keep each kind of data, and when to purge."""

    purge_at: time
    """On the wall clock of the service's time zone."""
    transcripts: int
    cases: int
    customers: int
    journal: int
    tombstones: int

    def before_ms(self, kind: str, now: datetime) -> int:
        """What of a kind is older than this moment (ms since 1970) goes."""
        return in_ms(now - timedelta(days=getattr(self, kind)))

    @property
    def tombstones_ms(self) -> int:
        """How long a tombstone lasts."""
        return self.tombstones * 24 * 3600 * 1000


def load_retention(path: Path = RETENTION) -> Retention:
    """Reads the policy; raises PolicyError with file, place and remedy."""
    data = read_policy(path)
    try:
        refuse_unknown_keys(data, {"purge_at", "days"}, "at the top")
        days = _days(data.get("days"))
        return Retention(purge_at=_clock(data.get("purge_at")), **days)
    except PolicyError as error:
        raise PolicyError(f"{path.name}: {error}") from error


def _days(given: Any) -> dict[str, int]:
    if not isinstance(given, dict):
        raise PolicyError("days: list the kinds with their days, as in  transcripts: 365.")
    refuse_unknown_keys(given, set(KINDS), "days")
    for kind in KINDS:
        value = given.get(kind)
        if type(value) is not int or not FEWEST_DAYS <= value <= MOST_DAYS:
            raise PolicyError(f"days: {kind} “{value}” must be a whole number from {FEWEST_DAYS} to {MOST_DAYS}.")
    for kind in ("transcripts", "cases"):
        if given["customers"] < given[kind]:
            raise PolicyError(
                f"days: customers ({given['customers']}) is shorter than {kind} ({given[kind]}), which belong to "
                f"them. Make it at least {given[kind]}."
            )
    return given


def _clock(given: Any) -> time:
    if not isinstance(given, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", given):
        raise PolicyError(f'purge_at “{given}” is no time. Write it in quotes, like "03:30".')
    return time.fromisoformat(given)
