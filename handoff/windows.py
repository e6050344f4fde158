"""Windows: the times of a day at which people are here, and what remains of them after closures."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60


class WindowError(ValueError):
    """A window is not written as one, or overlaps another; the message names the remedy."""


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """A stretch of any day on the wall clock, in minutes after midnight; it ends at 24:00 at the latest."""

    begins: int
    ends: int

    def __str__(self) -> str:
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.begins, self.ends))


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of real time, in UTC; the end does not belong to it."""

    begins: datetime
    ends: datetime


def read_windows(texts: Sequence[str]) -> tuple[Window, ...]:
    """The windows of one day, in order; raises WindowError."""
    windows = tuple(sorted(map(_window, texts)))
    for earlier, later in pairwise(windows):
        if later.begins < earlier.ends:
            raise WindowError(f"{earlier} and {later} overlap. Join them or move one.")
    return windows


def _window(text: str) -> Window:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})", str(text).strip())
    if not found:
        raise WindowError(f"“{text}” is no window. Write it like “08:00-18:00”.")
    numbers = [int(number) for number in found.groups()]
    begins, ends = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if max(numbers[1], numbers[3]) > 59 or max(begins, ends) > DAY_MINUTES:
        raise WindowError(f"“{text}” has a time that no clock shows. Times go from 00:00 to 24:00.")
    if ends <= begins:
        raise WindowError(
            f"“{text}” ends before it begins. Past midnight, write two: “22:00-24:00” and “00:00-02:00” the day after."
        )
    return Window(begins=begins, ends=ends)


def at(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The real moment, in UTC, at which that day's wall clock shows these minutes after midnight.

    A time that a change to summer time skips counts as the moment of the change or shortly after it.
    """
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minutes)  # wall-clock arithmetic
    return wall.astimezone(UTC)


def stretches_of(day: date, windows: Iterable[Window], zone: ZoneInfo) -> list[Stretch]:
    """A day's windows in real time; one that a change of the clock swallows is left out."""
    found = (Stretch(begins=at(day, w.begins, zone), ends=at(day, w.ends, zone)) for w in windows)
    return [stretch for stretch in found if stretch.begins < stretch.ends]


def without(stretches: Iterable[Stretch], closed: Stretch) -> list[Stretch]:
    """What remains of the stretches when one is cut out of them."""
    remaining = []
    for stretch in stretches:
        before = Stretch(begins=stretch.begins, ends=min(stretch.ends, closed.begins))
        after = Stretch(begins=max(stretch.begins, closed.ends), ends=stretch.ends)
        remaining += [part for part in (before, after) if part.begins < part.ends]
    return remaining


def joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """The stretches, in order, those that touch or overlap made one."""
    current: Stretch | None = None
    for stretch in stretches:
        if current and stretch.begins <= current.ends:
            current = Stretch(begins=current.begins, ends=max(current.ends, stretch.ends))
            continue
        if current:
            yield current
        current = stretch
    if current:
        yield current
