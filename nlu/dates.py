"""The dates a customer names, relative to the day the message was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dateparser

LONGEST_TEXT_CHARS = 1000
MOST_DATES = 4

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+\d{4})?"
_WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
)
_LONG_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"  # "sat" and "wed" alone are other words too

# the first alternative that fits wins, so ranges and full dates come before their parts
_PATTERN = re.compile(
    rf"""\b(?:
      (?P<range>(?:the\s)?{_DAY}\s?(?:-|–|to|until|till)\s?(?:the\s)?{_DAY}\s(?:of\s)?{MONTH}\b{_YEAR})
    | (?P<full>\d{{4}}-\d{{2}}-\d{{2}}
        |(?:the\s)?{_DAY}\s?(?:of\s)?{MONTH}\b{_YEAR}
        |{MONTH}\.?\s(?:the\s)?{_DAY}\b(?!\s?(?:kg|am|pm)){_YEAR}
        |\d{{1,2}}/\d{{1,2}}(?:/\d{{2,4}})?
        |\d{{1,2}}\.\d{{1,2}}\.\d{{2,4}})
    | (?P<relative>day\safter\stomorrow|today|tonight|tomorrow|tmrw?|tmw|tomorow|yesterday
        |(?:this|next)\sweekend|next\sweek|next\smonth|in\s(?:\d{{1,2}}|a|two|three|four)\s(?:days?|weeks?|months?))
    | (?P<weekday>(?:(?:this|next|coming|on)\s){_WEEKDAY}|{_LONG_WEEKDAY})
    | (?P<holiday>christmas(?:\seve|\sday)?|xmas|boxing\sday|new\syear(?:['’]?s)?(?:\seve|\sday)?
        |valentine['’]?s(?:\sday)?)
    | (?P<day>the\s\d{{1,2}}(?:st|nd|rd|th))
    | (?P<month>(?:(?:in|during|next|early|mid|late|for)\s(?:the\s)?)(?:next\s)?{MONTH}\b{_YEAR}|{MONTH}\s\d{{4}})
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_RETURN_BEFORE = re.compile(
    r"\b(?:back|returning|return|home|until|till)\s*(?:on|by|is|at|from|:)?\s*(?:the\s)?$", re.IGNORECASE
)
_AROUND = re.compile(r"\b(?:in|during|next|early|mid|late|for|the|of)\b|(?<=\d)(?:st|nd|rd|th)\b")
_FIXED = {
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "xmas": (12, 25),
    "boxing day": (12, 26),
    "new year eve": (12, 31),
    "new years eve": (12, 31),
    "new year": (1, 1),
    "valentines": (2, 14),
}
_COUNTS = {"a": 1, "two": 2, "three": 3, "four": 4}


@dataclass(frozen=True, kw_only=True)
class FoundDate:
    """A date in a text; `is_return` when the words before it say that it is the way back."""

    day: date
    start: int
    end: int
    is_return: bool


def find_dates(text: str, today: date) -> list[FoundDate]:
    """At most four dates, in the order of the text; phrases that name no real day are left out."""
    found = (
        FoundDate(day=day, start=start, end=end, is_return=is_return)
        for match in _PATTERN.finditer(text[:LONGEST_TEXT_CHARS])
        for day, start, end, is_return in _days(match, text, today)
    )
    return [one for one, _ in zip(found, range(MOST_DATES), strict=False)]


def _days(match: re.Match[str], text: str, today: date) -> Iterator[tuple[date, int, int, bool]]:
    kind, phrase = str(match.lastgroup), match.group().lower()
    if kind == "range":
        first, second = _range(phrase, today)
        if first and second:
            yield first, match.start(), match.end(), False
            yield second, match.start(), match.end(), True
        return
    day = _day(kind, phrase, today)
    if day:
        is_return = _RETURN_BEFORE.search(text[max(0, match.start() - 25) : match.start()]) is not None
        yield day, match.start(), match.end(), is_return


def _range(phrase: str, today: date) -> tuple[date | None, date | None]:
    numbers = re.findall(r"\d{1,2}(?!\d)", re.sub(r"\d{4}$", "", phrase))
    tail = re.search(rf"{MONTH}.*$", phrase)
    if len(numbers) < 2 or not tail:
        return None, None
    second = _absolute(f"{numbers[1]} {tail.group()}", today)
    first = second and _on_day(second, int(numbers[0]))
    return first, second


def _on_day(other: date, day: int) -> date | None:
    try:
        return other.replace(day=day)
    except ValueError:
        return None


def _day(kind: str, phrase: str, today: date) -> date | None:
    if kind in ("full", "month"):
        return _absolute(
            re.sub(r"\b(?:in|during|next|early|mid|late|for|the|of)\b|(?<=\d)(?:st|nd|rd|th)\b", "", phrase), today
        )
    if kind == "relative":
        return _relative(phrase, today)
    if kind == "weekday":
        return _weekday(phrase, today)
    if kind == "holiday":
        return _holiday(phrase, today)
    return _next_with_day(int(re.findall(r"\d+", phrase)[0]), today)


def _absolute(phrase: str, today: date) -> date | None:
    parsed = dateparser.parse(
        " ".join(phrase.split()),
        languages=["en"],
        settings={
            "RELATIVE_BASE": datetime(today.year, today.month, today.day),  # noqa: DTZ001 dateparser wants it naive
            "PREFER_DATES_FROM": "future",
            "PREFER_DAY_OF_MONTH": "first",
            "DATE_ORDER": "YMD" if re.match(r"\d{4}-", phrase) else "DMY",
        },
    )
    return parsed.date() if parsed else None


def _relative(phrase: str, today: date) -> date | None:
    if phrase in ("today", "tonight"):
        return today
    if phrase.startswith("day after"):
        return today + timedelta(days=2)
    if phrase.startswith(("tom", "tm")):
        return today + timedelta(days=1)
    if phrase == "yesterday":
        return today - timedelta(days=1)
    if phrase.endswith("weekend"):
        saturday = today + timedelta(days=(5 - today.weekday()) % 7)
        return saturday + timedelta(days=7 if phrase.startswith("next") else 0)
    if phrase == "next week":
        return today + timedelta(days=7 - today.weekday())
    if phrase == "next month":
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    _, count, unit = phrase.split()
    days = {"d": 1, "w": 7, "m": 30}[unit[0]]
    return today + timedelta(days=days * (_COUNTS.get(count) or int(count)))


def _weekday(phrase: str, today: date) -> date:
    name = phrase.split()[-1]
    wanted = next(index for index, weekday in enumerate(WEEKDAYS) if weekday.startswith(name[:3]))
    ahead = (wanted - today.weekday()) % 7 or 7
    if phrase.startswith("next ") and today.weekday() + ahead < 7:  # "next Friday" said on Monday is not this one
        ahead += 7
    return today + timedelta(days=ahead)


def _holiday(phrase: str, today: date) -> date:
    plain = re.sub(r"['’]", "", phrase)
    month, day = next(value for name, value in _FIXED.items() if plain.startswith(name))
    this_year = today.replace(month=month, day=day)
    return this_year if this_year >= today else this_year.replace(year=today.year + 1)


def _next_with_day(day: int, today: date) -> date | None:
    month = today.replace(day=1)
    for _ in range(3):
        candidate = _on_day(month, day) if day else None
        if candidate and candidate >= today:
            return candidate
        month = (month + timedelta(days=32)).replace(day=1)
    return None
