"""Whole days in one time zone, and the stretches into which a chart divides them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 92
MOST_HOURLY_DAYS = 2


class PeriodError(ValueError):
    """These days cannot be reported; the message says what to write instead."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """One bar of a chart over time."""

    label: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Period:
    """From the first day's midnight to the one after the last day, by the service's clock."""

    first: date
    last: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise PeriodError(f"{self.first} comes after {self.last}. Write the earlier day first.")
        if (self.last - self.first).days >= LONGEST_DAYS:
            raise PeriodError(f"That is more than {LONGEST_DAYS} days. Ask for a shorter time.")
        if not 2006 <= self.first.year <= self.last.year <= 9000:
            raise PeriodError("There is no such year here. Write a day such as 2026-11-22.")

    @property
    def starts_at(self) -> datetime:
        return _midnight(self.first, self.zone)

    @property
    def ends_at(self) -> datetime:
        return _midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def name(self) -> str:
        """The days in words."""
        first, last = (f"{day:%A} {day.day} {day:%B %Y}" for day in (self.first, self.last))
        return first if self.first == self.last else f"{first} to {last}"

    def stretches(self) -> list[Stretch]:
        """Hours of a day or two, else days; a day has 23 or 25 hours when the clocks change."""
        return self._hours() if self.days <= MOST_HOURLY_DAYS else self._days()

    def _hours(self) -> list[Stretch]:
        found, starts_at = [], self.starts_at
        while starts_at < self.ends_at:
            ends_at = min(starts_at + timedelta(hours=1), self.ends_at)
            found.append(Stretch(label=self._hour(starts_at), starts_at=starts_at, ends_at=ends_at))
            starts_at = ends_at
        return found

    def _hour(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        stands_twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
        clock = f"{local:%H:%M}" + (f" {local:%Z}" if stands_twice else "")
        return clock if self.days == 1 else f"{local:%a} {clock}"

    def _days(self) -> list[Stretch]:
        days = [self.first + timedelta(days=number) for number in range(self.days)]
        return [
            Stretch(
                label=f"{day.day} {day:%b}",
                starts_at=_midnight(day, self.zone),
                ends_at=_midnight(day + timedelta(days=1), self.zone),
            )
            for day in days
        ]


def read_period(asked: Mapping[str, str], *, now: datetime, zone: ZoneInfo) -> Period:
    """The period of `day`, or of `from` and `to`, as written; without any, today. Raises PeriodError."""
    today = now.astimezone(zone).date()
    if asked.get("day") and (asked.get("from") or asked.get("to")):
        raise PeriodError("Name one day, or a first and a last, not both.")
    first = _day(asked.get("day") or asked.get("from"))
    last = _day(asked.get("day") or asked.get("to"))
    if first is None and last is not None:
        raise PeriodError("The first day is missing.")
    first = first or today
    if first > today:
        raise PeriodError(f"{first} has not begun. Today is {today}.")
    return Period(first=first, last=last or (today if asked.get("from") else first), zone=zone)


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PeriodError("This is no day. Write it as in 2026-11-22.") from None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The day's first moment, in UTC, in which moments may be added to and compared across a change of the clocks."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
