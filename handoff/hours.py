"""Service hours: whether people are here, when they are back, and by when they will have answered."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from handoff.windows import Stretch, Window, joined, stretches_of, without

HORIZON_DAYS = 400  # nobody is told of an opening later than that
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class NeverOpen(Exception):
    """Nobody is here within the horizon; add windows to hours.yml."""


@dataclass(frozen=True, kw_only=True)
class Closure:
    """A stretch of time for which nobody is here, whatever the week says."""

    name: str
    stretch: Stretch


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A day's windows that take the place of its normal ones."""

    name: str
    day: date
    windows: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True)
class SpecialDay:
    """A day with other hours than its weekday has: a holiday, a closure or an opening."""

    name: str
    day: date
    stretches: tuple[Stretch, ...]
    """When people are here after all; empty on a day without."""


@dataclass(frozen=True, kw_only=True)
class HoursNotice:
    """Whether people are here, as facts and in words for a customer; times are in the service's time zone."""

    open: bool
    now: datetime
    closes_at: datetime | None
    next_opening: datetime | None
    closed_for: tuple[str, ...]  # the holidays and closures that fall before the next opening
    text: str


class ServiceHours:
    """The hours of one service; every question takes the moment it is asked for."""

    def __init__(
        self,
        *,
        zone: ZoneInfo,
        zone_name: str,
        week: Mapping[int, tuple[Window, ...]],
        holiday: Callable[[date], str | None] = lambda day: None,
        closures: tuple[Closure, ...] = (),
        openings: tuple[Opening, ...] = (),
    ) -> None:
        """Week maps weekdays, Monday 0, to windows; holiday names the holiday on which a day is closed."""
        self.zone = zone
        self.zone_name = zone_name
        self._week = week
        self._holiday = holiday
        self._closures = closures
        self._openings = {opening.day: opening for opening in openings}

    def is_open(self, now: datetime) -> bool:
        """Whether people are here."""
        return self._current(now) is not None

    def closes_at(self, now: datetime) -> datetime | None:
        """When people leave; None when nobody is here or they never leave."""
        current = self._current(now)
        if current is None or current.ends >= self._horizon(now):
            return None
        return current.ends.astimezone(self.zone)

    def next_opening(self, now: datetime) -> datetime | None:
        """The first moment from now on at which people are here; now itself while they are."""
        for stretch in self._coming(now):
            return max(stretch.begins, now).astimezone(self.zone)
        return None

    def add_business_time(self, now: datetime, minutes: float) -> datetime:
        """The moment at which people will have been here for these minutes; raises NeverOpen, ValueError."""
        if minutes < 0:
            raise ValueError("business time cannot be taken away")
        left = timedelta(minutes=minutes)
        for stretch in self._coming(now):
            begins = max(stretch.begins, now.astimezone(UTC))
            if left <= stretch.ends - begins:
                return (begins + left).astimezone(self.zone)
            left -= stretch.ends - begins
        raise NeverOpen(f"Within {HORIZON_DAYS} days there are not {minutes:.0f} minutes of service hours.")

    def reply_by(self, now: datetime, minutes: float) -> datetime:
        """When a reply that takes these minutes of service hours is due, up to the full minute."""
        due = self.add_business_time(now, minutes)
        full = due.replace(second=0, microsecond=0)
        return full if full == due else (full.astimezone(UTC) + timedelta(minutes=1)).astimezone(self.zone)

    def describe(self, now: datetime) -> HoursNotice:
        """What to tell a customer who asks, or who waits."""
        opening = self.next_opening(now)
        closes = self.closes_at(now)
        is_open = self.is_open(now)
        closed_for = () if is_open else self._closed_for(now, opening)
        return HoursNotice(
            open=is_open,
            now=now.astimezone(self.zone),
            closes_at=closes,
            next_opening=opening,
            closed_for=closed_for,
            text=self._open_text(now, closes) if is_open else self._closed_text(now, opening, closed_for),
        )

    def when(self, moment: datetime, now: datetime) -> str:
        """A moment in words: "today at 14:35 (London time)", "on Monday at 08:00 (London time)"."""
        moment = moment.astimezone(self.zone)
        return f"{self._day(moment.date(), now)} at {moment:%H:%M} ({self.zone_name})"

    def by(self, moment: datetime, now: datetime) -> str:
        """A moment as a limit: "today by 14:35 (London time)", "by Monday at 08:00 (London time)"."""
        when = self.when(moment, now)
        for day in ("today", "tomorrow"):
            if when.startswith(f"{day} at "):
                return when.replace(f"{day} at ", f"{day} by ", 1)
        return f"by {when.removeprefix('on ')}"

    def day_in_words(self, day: date, now: datetime) -> str:
        """A day as customers say it: "today", "tomorrow", "on Friday"."""
        return self._day(day, now)

    def stretches(self, first: date, last: date) -> list[Stretch]:
        """The unbroken stretches at which people are here on these days and the days between, in order."""
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        return list(joined(chain.from_iterable(map(self._open_on, days))))

    def special_day(self, day: date) -> SpecialDay | None:
        """Why a day's hours differ from its weekday's, or None."""
        opening, holiday = self._openings.get(day), self._holiday(day)
        names = [opening.name] if opening else [holiday] if holiday and self._week.get(day.weekday()) else []
        stretches = stretches_of(day, self._windows_on(day), self.zone)
        names += [c.name for c in self._closures if without(stretches, c.stretch) != stretches]
        if not names:
            return None
        return SpecialDay(name=_listed(tuple(dict.fromkeys(names))), day=day, stretches=tuple(self._open_on(day)))

    def _current(self, now: datetime) -> Stretch | None:
        first = next(self._coming(now), None)
        return first if first and first.begins <= now else None

    def _coming(self, now: datetime) -> Iterator[Stretch]:
        """The stretches at which people are here and that end after now, in order."""
        today = now.astimezone(self.zone).date()
        days = (today + timedelta(days=offset) for offset in range(-1, HORIZON_DAYS))
        every = joined(chain.from_iterable(map(self._open_on, days)))
        return (stretch for stretch in every if stretch.ends > now)

    def _horizon(self, now: datetime) -> datetime:
        return now + timedelta(days=HORIZON_DAYS - 2)

    def _open_on(self, day: date) -> list[Stretch]:
        """When people are here on a day, all exceptions counted."""
        stretches = stretches_of(day, self._windows_on(day), self.zone)
        for closure in self._closures:
            stretches = without(stretches, closure.stretch)
        return stretches

    def _windows_on(self, day: date) -> tuple[Window, ...]:
        if day in self._openings:
            return self._openings[day].windows
        return () if self._holiday(day) else self._week.get(day.weekday(), ())

    def _closed_for(self, now: datetime, opening: datetime | None) -> tuple[str, ...]:
        """The holidays and closures that keep people away from now until the opening."""
        if opening is None:
            return ()
        names: list[str] = []
        day = now.astimezone(self.zone).date()
        while day <= opening.date():
            normal = stretches_of(day, self._week.get(day.weekday(), ()), self.zone)
            missed = [stretch for stretch in normal if stretch.ends > now and stretch.begins < opening]
            holiday = self._holiday(day)
            if missed and holiday and day not in self._openings:
                names.append(holiday)
            names += [c.name for c in self._closures if without(missed, c.stretch) != missed]
            day += timedelta(days=1)
        return tuple(dict.fromkeys(names))

    def _open_text(self, now: datetime, closes: datetime | None) -> str:
        if closes is None:
            return "People are here day and night."
        last = closes - timedelta(microseconds=1)  # midnight belongs to the day that ends with it
        clock = "midnight" if (closes.hour, closes.minute) == (0, 0) else f"{closes:%H:%M}"
        return f"People are here until {clock} {self._day(last.date(), now)} ({self.zone_name})."

    def _closed_text(self, now: datetime, opening: datetime | None, closed_for: tuple[str, ...]) -> str:
        if opening is None:
            return "Nobody is here at the moment."
        why = f" We are closed for {_listed(closed_for)}." if closed_for else ""
        return f"People are back {self.when(opening, now)}.{why}"

    def _day(self, day: date, now: datetime) -> str:
        today = now.astimezone(self.zone).date()
        distance = (day - today).days
        if distance in (0, 1):
            return ("today", "tomorrow")[distance]
        name = DAYS[day.weekday()].capitalize()
        if 1 < distance < 7:
            return f"on {name}"
        year = f" {day.year}" if day.year != today.year and distance > 300 else ""
        return f"on {name} {day.day} {MONTHS[day.month - 1]}{year}"


def _listed(names: tuple[str, ...]) -> str:
    """ "A", "A and B", "A, B and C"."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
