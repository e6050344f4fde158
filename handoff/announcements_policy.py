"""Announcements as a team lead writes them: reads policies/announcements.yml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML

from handoff.announcement_text import AnnouncementText, TextRefused
from handoff.announcements import EVERYWHERE, PLACEHOLDERS, Announcements, Once, Plan, check_values
from handoff.hours import ServiceHours
from handoff.hours_policy import read_moment
from handoff.policy import POLICIES, PolicyError, read_policy, refuse_unknown_keys
from handoff.windows import WindowError, read_windows

ANNOUNCEMENTS = POLICIES / "announcements.yml"
KEYS = {"grace_minutes", "shortest_break_minutes", "opening", "closing", "special_day", "templates", "once"}
RULE_KEYS = {
    "opening": {"text"},
    "closing": {"text", "minutes_before"},
    "special_day": {"text", "at", "days_before"},
}
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
PLACEHOLDER = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_MINUTES = 24 * 60
MOST_DAYS_BEFORE = 14

Steps = tuple[str, ...]


def load_announcements(hours: ServiceHours, *, company: str, account: str, path: Path = ANNOUNCEMENTS) -> Announcements:
    """Reads the announcements; raises PolicyError with file, line and remedy."""
    data = read_policy(path)
    plan = _Reader(path, data, hours).plan()
    return Announcements(plan, hours, company=company, account=account)


class _Reader:
    """One file, and where in it things stand."""

    def __init__(self, path: Path, data: Mapping[str, Any], hours: ServiceHours) -> None:
        self._data = data
        self._hours = hours
        self._name = path.name
        self._source = path.read_text(encoding="utf-8").splitlines()
        self._places = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))

    def plan(self) -> Plan:
        self._known(self._data, KEYS, ())
        texts = {name: self._rule(name) for name in RULE_KEYS if self._data.get(name) is not None}
        own = {name: self._template(name) for name in self._map(("templates",))}
        special = self._map(("special_day",))
        return Plan(
            texts={**texts, **own},
            grace=timedelta(minutes=self._minutes(("grace_minutes",), 15, lowest=1)),
            shortest_break=timedelta(minutes=self._minutes(("shortest_break_minutes",), 240, lowest=1)),
            closing_before=timedelta(minutes=self._minutes(("closing", "minutes_before"), 0)),
            special_minutes=self._wall_clock(special.get("at", "09:00")),
            special_days_before=self._days_before(special.get("days_before", [0])),
            once=self._once(own),
        )

    def _rule(self, name: str) -> AnnouncementText:
        self._known(self._map((name,)), RULE_KEYS[name], (name,))
        return self._text((name, "text"), PLACEHOLDERS[name])

    def _template(self, name: str) -> AnnouncementText:
        where = ("templates", str(name))
        if not NAME.fullmatch(str(name)) or name in PLACEHOLDERS:
            self._refuse(where, "a template's name has small letters, digits, - and _, and is none of the hours' own.")
        template = self._map(where)
        self._known(template, {"text", "values"}, where)
        values = template.get("values") or []
        if not isinstance(values, list) or not all(PLACEHOLDER.fullmatch(str(value)) for value in values):
            self._refuse((*where, "values"), "list the placeholders' names, as in  values: [what].")
        if taken := EVERYWHERE.intersection(values):
            self._refuse((*where, "values"), f"“{min(taken)}” is there in every text already. Choose another name.")
        return self._text((*where, "text"), EVERYWHERE.union(values))

    def _once(self, own: Mapping[str, AnnouncementText]) -> tuple[Once, ...]:
        entries = self._data.get("once") or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._refuse(("once",), "write a list, each entry with name, at and template.")
        found = tuple(self._one(number, entry, own) for number, entry in enumerate(entries))
        names = [one.name for one in found]
        for twice in sorted({name for name in names if names.count(name) > 1}):
            self._refuse(("once",), f"the name “{twice}” stands twice, and is announced once. Give each its own.")
        return found

    def _one(self, number: int, entry: dict[str, Any], own: Mapping[str, AnnouncementText]) -> Once:
        where = ("once", str(number))
        self._known(entry, {"name", "at", "template", "values"}, where)
        name, template = str(entry.get("name")), str(entry.get("template"))
        if not isinstance(entry.get("name"), str) or not NAME.fullmatch(name):
            self._refuse(where, "give it a name of small letters, digits, - and _.")
        if template not in own:
            self._refuse((*where, "template"), f"no template “{template}”. There are: {', '.join(sorted(own))}.")
        try:
            moment = read_moment(entry.get("at"), self._hours.zone, f"once, “{name}”: at")
        except PolicyError as error:
            self._refuse((*where, "at"), str(error))
        values = {str(key): str(value) for key, value in (self._map((*where, "values"))).items()}
        try:
            check_values(values, own[template].placeholders - EVERYWHERE)
        except TextRefused as error:
            self._refuse((*where, "values"), str(error))
        return Once(name=name, template=template, at=moment, values=values)

    def _text(self, where: Steps, placeholders: frozenset[str]) -> AnnouncementText:
        source = self._at(where)
        if not isinstance(source, str):
            self._refuse(where[:-1], "it has no text. Write  text:  and what is to be said.")
        try:
            return AnnouncementText(source, placeholders=placeholders)
        except TextRefused as error:
            self._refuse(where, str(error), placeholder=error.placeholder)

    def _minutes(self, where: Steps, usual: int, *, lowest: int = 0) -> int:
        value = self._at(where)
        if value is None:
            return usual
        if type(value) is int and lowest <= value <= MOST_MINUTES:
            return value
        self._refuse(where, f"it must be a whole number of minutes from {lowest} to {MOST_MINUTES}.")

    def _wall_clock(self, text: Any) -> int:
        try:
            return read_windows([f"{text}-24:00"])[0].begins
        except WindowError:
            self._refuse(("special_day", "at"), 'it must be a time in quotes, as in  at: "09:00".')

    def _days_before(self, days: Any) -> tuple[int, ...]:
        if (
            not isinstance(days, list)
            or not days
            or not all(type(d) is int and 0 <= d <= MOST_DAYS_BEFORE for d in days)
        ):
            self._refuse(("special_day", "days_before"), f"list numbers from 0 to {MOST_DAYS_BEFORE}, as in  [1, 0].")
        return tuple(dict.fromkeys(days))

    def _map(self, where: Steps) -> dict[str, Any]:
        found = self._at(where)
        if found is not None and not isinstance(found, dict):
            self._refuse(where, "it must hold keys with values, as the shipped file does.")
        return found or {}

    def _at(self, where: Steps) -> Any:
        found: Any = self._data
        for step in where:
            if isinstance(found, list):
                found = found[int(step)]
            elif isinstance(found, dict):
                found = found.get(step)
            else:
                return None
        return found

    def _known(self, given: Mapping[str, Any], known: set[str], where: Steps) -> None:
        try:
            refuse_unknown_keys(dict(given), known, ".".join(where) or "at the top")
        except PolicyError as error:
            unknown = next(str(key) for key in given if key not in known)
            raise PolicyError(f"{self._name} line {self._line((*where, unknown))}: {error}") from error

    def _refuse(self, where: Steps, problem: str, *, placeholder: str | None = None) -> NoReturn:
        line = self._line(where)
        if placeholder:
            named = re.compile(rf"\{{[{{%][^}}]*\b{re.escape(placeholder)}\b")
            below = enumerate(self._source[line - 1 :], start=line)
            line = next((number for number, text in below if named.search(text)), line)
        raise PolicyError(f"{self._name} line {line}: {'.'.join(where)}: {problem}")

    def _line(self, where: Steps) -> int:
        """The line on which a key stands, or the last key above it that there is."""
        found: Any = self._places
        line = 1
        for step in where:
            key: Any = int(step) if isinstance(found, list) else step
            try:
                line = _place(found, key)[0] + 1
                found = found[key]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
        return line


def _place(found: Any, key: Any) -> tuple[int, int]:
    """Line and column, from 0, of an item of what the round-trip reader gives."""
    place: tuple[int, int] = found.lc.item(key) if isinstance(key, int) else found.lc.key(key)
    return place
