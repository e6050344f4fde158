"""Announcements: what the account says to everybody, and when it is due; the hours give most of the moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType

from handoff.announcement_text import LONGEST_VALUE_CHARS, AnnouncementText, TextRefused
from handoff.hours import DAYS, MONTHS, ServiceHours, SpecialDay
from handoff.windows import at

LOOK_AROUND = timedelta(days=2)
"""How far before and after a stretch of service the neighbours are looked for; more than the longest `break`."""

EVERYWHERE = frozenset({"company", "account", "date", "zone"})
PLACEHOLDERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "opening": EVERYWHERE | {"closes"},
        "closing": EVERYWHERE | {"back"},
        "special_day": EVERYWHERE | {"day", "when", "hours", "back"},
    }
)
"""What the texts of the hours may name; a template of the team's own adds its `values` to EVERYWHERE."""


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """One announcement at one moment; its id is the same in every process that works it out."""

    id: str
    template: str
    at: datetime
    expires_at: datetime
    """Not said from then on: it would be old news."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Once:
    """An announcement for one moment, planned by the team."""

    name: str
    template: str
    at: datetime
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What announcements.yml says."""

    texts: Mapping[str, AnnouncementText]
    """By template: `opening`, `closing`, `special_day` where they are wanted, and the team's own."""
    grace: timedelta
    shortest_break: timedelta
    """People who are away for less than that have not closed."""
    closing_before: timedelta = timedelta()
    special_minutes: int = 9 * 60
    """After midnight on the wall clock."""
    special_days_before: tuple[int, ...] = (0,)
    once: tuple[Once, ...] = ()


class Announcements:
    """Works out what is due between two moments; the same in every process that has the same files."""

    def __init__(self, plan: Plan, hours: ServiceHours, *, company: str, account: str) -> None:
        self.plan = plan
        self._hours = hours
        self._everywhere = {"company": company, "account": account}

    def between(self, after: datetime, until: datetime) -> list[Occurrence]:
        """What is due after one moment, until and with another, in order of time."""
        found = (*self._opening_and_closing(after, until), *self._special(after, until), *self._once())
        return sorted((one for one in found if after < one.at <= until), key=lambda one: (one.at, one.id))

    def at_once(self, template: str, values: Mapping[str, str], now: datetime) -> Occurrence:
        """An announcement of the team's for this moment; the same words within a minute are the same one.

        Raises TextRefused for values that are missing, unknown or too long, and for a template that there is not.
        """
        text = self.filled(template, values, now)
        told = sha256(text.encode()).hexdigest()[:8]
        return self._occurrence(f"{template}:{_stamp(now)}:{told}", template, now, text)

    def filled(self, template: str, values: Mapping[str, str], moment: datetime) -> str:
        """The words of one of the team's own templates; raises TextRefused."""
        own = {name: text for name, text in self.plan.texts.items() if name not in PLACEHOLDERS}
        if template not in own:
            raise TextRefused(f"there is no template “{template}”. There are: {', '.join(sorted(own)) or 'none'}.")
        check_values(values, own[template].placeholders - EVERYWHERE)
        return self._text(template, moment, values)

    def _opening_and_closing(self, after: datetime, until: datetime) -> Iterator[Occurrence]:
        first = after.astimezone(self._hours.zone).date()
        last = (until + self.plan.closing_before).astimezone(self._hours.zone).date()
        stretches = self._hours.stretches(first - LOOK_AROUND, last + LOOK_AROUND)
        gaps = list(pairwise(stretches))
        openings = {later.begins: later for earlier, later in gaps if self._is_break(earlier.ends, later.begins)}
        closings = [earlier.ends for earlier, later in gaps if self._is_break(earlier.ends, later.begins)]
        edge = at(first - LOOK_AROUND, 24 * 60, self._hours.zone)
        if stretches and stretches[0].begins >= edge:  # nobody was there for at least the day before
            openings[stretches[0].begins] = stretches[0]
        if stretches and stretches[-1].ends <= at(last + LOOK_AROUND, 0, self._hours.zone):
            closings.append(stretches[-1].ends)
        if "opening" in self.plan.texts:
            for begins in openings:
                yield self._opening(begins)
        if "closing" in self.plan.texts:
            for ends in closings:
                yield self._closing(ends)

    def _is_break(self, ends: datetime, begins: datetime) -> bool:
        return begins - ends >= self.plan.shortest_break

    def _opening(self, begins: datetime) -> Occurrence:
        closes = self._hours.closes_at(begins)
        values = {"closes": _clock(closes) if closes else "further notice"}
        return self._occurrence(f"opening:{_stamp(begins)}", "opening", begins, self._text("opening", begins, values))

    def _closing(self, ends: datetime) -> Occurrence:
        moment = ends - self.plan.closing_before
        values = {"back": self._back(ends, moment)}
        return self._occurrence(f"closing:{_stamp(ends)}", "closing", moment, self._text("closing", moment, values))

    def _special(self, after: datetime, until: datetime) -> Iterator[Occurrence]:
        if "special_day" not in self.plan.texts:
            return
        first, last = (moment.astimezone(self._hours.zone).date() for moment in (after, until))
        for offset in range((last - first).days + max(self.plan.special_days_before) + 1):
            day = first + timedelta(days=offset)
            special, eve = self._hours.special_day(day), self._hours.special_day(day - timedelta(days=1))
            if special and not (eve and eve.name == special.name):  # a long closure is told of once
                for before in self.plan.special_days_before:
                    yield self._special_day(special, before)

    def _special_day(self, special: SpecialDay, days_before: int) -> Occurrence:
        moment = at(special.day - timedelta(days=days_before), self.plan.special_minutes, self._hours.zone)
        ends = special.stretches[-1].ends if special.stretches else at(special.day, 0, self._hours.zone)
        values = {
            "day": special.name,
            "when": self._hours.day_in_words(special.day, moment),
            "hours": self._hours_of(special),
            "back": self._back(ends, moment),
        }
        text = self._text("special_day", moment, values)
        return self._occurrence(f"special_day:{special.day}:{days_before}", "special_day", moment, text)

    def _hours_of(self, special: SpecialDay) -> str:
        zone = self._hours.zone
        windows = [f"{_clock(s.begins.astimezone(zone))}-{_clock(s.ends.astimezone(zone))}" for s in special.stretches]
        return f"open {' and '.join(windows)}" if windows else "closed"

    def _once(self) -> Iterator[Occurrence]:
        for one in self.plan.once:
            text = self._text(one.template, one.at, one.values)
            yield self._occurrence(f"once:{one.name}", one.template, one.at, text)

    def _back(self, ends: datetime, moment: datetime) -> str:
        opening = self._hours.next_opening(ends)
        return self._hours.when(opening, moment) if opening else "at a time that we shall tell you"

    def _text(self, template: str, moment: datetime, values: Mapping[str, str]) -> str:
        local = moment.astimezone(self._hours.zone)
        date = f"{DAYS[local.weekday()].capitalize()} {local.day} {MONTHS[local.month - 1]}"
        told = {**self._everywhere, "date": date, "zone": self._hours.zone_name, **values}
        return self.plan.texts[template].fill(told)

    def _occurrence(self, name: str, template: str, moment: datetime, text: str) -> Occurrence:
        moment = moment.astimezone(UTC)
        return Occurrence(id=name, template=template, at=moment, expires_at=moment + self.plan.grace, text=text)


def check_values(values: Mapping[str, str], wanted: frozenset[str]) -> None:
    """Raises TextRefused unless exactly these values are given, each a short line."""
    needs = f"It takes: {', '.join(sorted(wanted)) or 'none'}."
    for name in sorted(wanted - values.keys()):
        raise TextRefused(f"the value “{name}” is missing. {needs}", placeholder=name)
    for name in sorted(values.keys() - wanted):
        raise TextRefused(f"unknown value “{name}”. {needs}", placeholder=name)
    for name, value in values.items():
        if not value.strip() or len(value) > LONGEST_VALUE_CHARS:
            raise TextRefused(f"the value “{name}” must have 1 to {LONGEST_VALUE_CHARS} characters.", placeholder=name)


def _stamp(moment: datetime) -> str:
    """A moment within an id, such as `2026-11-23T08:00Z`; in UTC, where no hour comes twice."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _clock(moment: datetime) -> str:
    return "midnight" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%H:%M}"
