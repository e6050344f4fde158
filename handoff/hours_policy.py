"""Service hours as a team lead writes them: reads policies/hours.yml."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from handoff.hours import DAYS, Closure, Opening, ServiceHours
from handoff.policy import POLICIES, PolicyError, read_policy, refuse_unknown_keys
from handoff.windows import DAY_MINUTES, Stretch, Window, WindowError, at, read_windows

HOURS = POLICIES / "hours.yml"
KEYS = {"time_zone", "time_zone_name", "week", "holidays", "closures", "openings"}


def load_hours(path: Path = HOURS) -> ServiceHours:
    """Read the hours; raises PolicyError with file, place and remedy."""
    data = read_policy(path)
    try:
        refuse_unknown_keys(data, KEYS, "at the top")
        zone = _zone(data.get("time_zone"))
        hours = ServiceHours(
            zone=zone,
            zone_name=str(data.get("time_zone_name") or zone.key),
            week=_week(data.get("week")),
            holiday=_holiday(data.get("holidays") or {}),
            closures=tuple(_closure(entry, zone) for entry in _entries(data, "closures")),
            openings=tuple(_opening(entry) for entry in _entries(data, "openings")),
        )
    except PolicyError as error:
        raise PolicyError(f"{path.name}: {error}") from error
    return hours


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise PolicyError(
            f"time_zone “{name}” is not known. Use a name like Europe/London or America/New_York."
        ) from error


def _week(week: Any) -> dict[int, tuple[Window, ...]]:
    """Windows by weekday, Monday 0."""
    if not isinstance(week, dict):
        raise PolicyError('week: list the days, as in  monday: ["08:00-18:00"].')
    refuse_unknown_keys(week, set(DAYS), "week")
    windows = {number: _windows(week.get(day), day) for number, day in enumerate(DAYS)}
    if not any(windows.values()):
        raise PolicyError("week: no day has a window, so people would never be here. Add one.")
    return windows


def _windows(texts: Any, place: str) -> tuple[Window, ...]:
    if texts is None:
        return ()
    if not isinstance(texts, list):
        raise PolicyError(f'{place}: put the windows in brackets, as in ["08:00-18:00"].')
    try:
        return read_windows(texts)
    except WindowError as error:
        raise PolicyError(f"{place}: {error}") from error


def _holiday(rule: Any) -> Callable[[date], str | None]:
    """What names the holiday on which a day is closed, or gives None."""
    if not rule:
        return lambda day: None
    if not isinstance(rule, dict):
        raise PolicyError("holidays: give country, and subdivision if there is one.")
    refuse_unknown_keys(rule, {"country", "subdivision", "open_on"}, "holidays")
    try:
        calendar = holidays.country_holidays(str(rule.get("country")), subdiv=rule.get("subdivision"))
        known = holidays.country_holidays(
            str(rule.get("country")), subdiv=rule.get("subdivision"), years=range(2020, 2040)
        )
    except (NotImplementedError, ValueError) as error:
        raise PolicyError(f"holidays: {error}. Use codes of the `holidays` package, like GB and ENG.") from error
    names = {_plain(name) for text in known.values() for name in text.split("; ")}
    open_on = set(rule.get("open_on") or ())
    unknown = sorted(open_on - names)
    if unknown:
        raise PolicyError(
            f"holidays: open_on “{unknown[0]}” is no holiday there; known are {', '.join(sorted(names))}."
        )

    def closed_for(day: date) -> str | None:
        celebrated = [_plain(name) for name in calendar.get(day, "").split("; ") if name]
        return None if not celebrated or open_on.issuperset(celebrated) else " and ".join(celebrated)

    return closed_for


def _plain(name: str) -> str:
    """A holiday's name without the remark that it is observed on another day."""
    return name.removesuffix(" (observed)")


def _entries(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = data.get(key) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PolicyError(f"{key}: write a list, each entry with a name and a date.")
    for entry in entries:
        if not isinstance(entry.get("name"), str):
            raise PolicyError(f"{key}: an entry has no name. Customers are told it, so give it one.")
    return entries


def _closure(entry: dict[str, Any], zone: ZoneInfo) -> Closure:
    place = f"closures, “{entry['name']}”"
    refuse_unknown_keys(entry, {"name", "date", "from", "until"}, place)
    if ("date" in entry) == ("from" in entry or "until" in entry):
        raise PolicyError(f"{place}: give either date, or from and until.")
    if "date" in entry:
        day = read_date(entry["date"], place)
        begins, ends = at(day, 0, zone), at(day, DAY_MINUTES, zone)
    else:
        begins, ends = (read_moment(entry.get(key), zone, f"{place}: {key}") for key in ("from", "until"))
    if ends <= begins:
        raise PolicyError(f"{place}: it ends before it begins. Swap from and until.")
    return Closure(name=entry["name"], stretch=Stretch(begins=begins, ends=ends))


def _opening(entry: dict[str, Any]) -> Opening:
    place = f"openings, “{entry['name']}”"
    refuse_unknown_keys(entry, {"name", "date", "hours"}, place)
    windows = _windows(entry.get("hours"), place)
    if not windows:
        raise PolicyError(f'{place}: it has no hours. Write hours: ["10:00-16:00"], or make it a closure.')
    return Opening(name=entry["name"], day=read_date(entry.get("date"), place), windows=windows)


def read_date(value: Any, place: str) -> date:
    """A day; YAML gives it as one, unless it is in quotes."""
    try:
        return value if type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise PolicyError(f"{place}: “{value}” is no date. Write it like 2026-12-24.") from error


def read_moment(value: Any, zone: ZoneInfo, place: str) -> datetime:
    """A moment, from "2026-12-24 14:00" on the service's wall clock."""
    day, _, clock = (value.isoformat(" ", "minutes") if isinstance(value, datetime) else str(value)).partition(" ")
    if clock == "00:00":
        return at(read_date(day, place), 0, zone)
    try:
        minutes = read_windows([f"00:00-{clock}"])[0].ends
    except WindowError as error:
        raise PolicyError(f'{place}: “{value}” is no moment. Write it like "2026-12-24 14:00".') from error
    return at(read_date(day, place), minutes, zone)
