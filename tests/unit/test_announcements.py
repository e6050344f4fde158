"""What is due and when, worked out from the hours; and texts that are refused before they are needed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from handoff.announcement_text import TextRefused
from handoff.announcements import Announcements, Occurrence
from handoff.announcements_policy import ANNOUNCEMENTS, load_announcements
from handoff.hours import ServiceHours
from handoff.hours_policy import load_hours
from handoff.policy import PolicyError

LONDON = ZoneInfo("Europe/London")
HOURS = """\
time_zone: Europe/London
time_zone_name: London time
week:
  monday: ["08:00-20:00"]
  tuesday: ["08:00-20:00"]
  wednesday: ["08:00-20:00"]
  thursday: ["08:00-20:00"]
  friday: ["08:00-20:00"]
  saturday: ["09:00-13:00", "14:00-17:00"]
  sunday: ["10:00-16:00"]
holidays: {country: GB, subdivision: ENG}
closures:
  - {name: our move, from: "2026-12-02 00:00", until: "2026-12-04 24:00"}
openings:
  - {name: Boxing Day travel, date: 2026-12-26, hours: ["10:00-16:00"]}
"""
PLAN = """\
opening:
  text: "{{ date }}: open until {{ closes }}"
closing:
  text: "{{ date }}: back {{ back }}"
special_day:
  days_before: [1, 0]
  text: "{{ when }} ({{ day }}): {{ hours }}, back {{ back }}"
"""


def hours_of(folder: Path, text: str = HOURS) -> ServiceHours:
    path = folder / "hours.yml"
    path.write_text(text)
    return load_hours(path)


def announcements(folder: Path, plan: str = PLAN, hours: str = HOURS) -> Announcements:
    path = folder / "announcements.yml"
    path.write_text(dedent(plan))
    return load_announcements(hours_of(folder, hours), company="Kestrel Air", account="@KestrelAir", path=path)


def london(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=LONDON)


def due(announcements: Announcements, day: date, *, days: int = 1) -> list[Occurrence]:
    """What is due on a day, from midnight to midnight."""
    begins = datetime(day.year, day.month, day.day, tzinfo=LONDON) - timedelta(seconds=1)
    return announcements.between(begins, begins + timedelta(days=days))


def told(found: list[Occurrence]) -> list[tuple[str, str]]:
    return [(f"{one.at.astimezone(LONDON):%a %H:%M}", one.text) for one in found]


def test_the_day_opens_and_closes_when_people_come_and_leave(tmp_path: Path) -> None:
    assert told(due(announcements(tmp_path), date(2026, 11, 23))) == [
        ("Mon 08:00", "Monday 23 November: open until 20:00"),
        ("Mon 20:00", "Monday 23 November: back tomorrow at 08:00 (London time)"),
    ]


def test_lunch_is_no_closing(tmp_path: Path) -> None:
    assert [when for when, _ in told(due(announcements(tmp_path), date(2026, 11, 28)))] == ["Sat 09:00", "Sat 17:00"]


def test_nobody_opens_on_a_holiday_and_the_account_says_so_on_its_eve_and_on_the_day(tmp_path: Path) -> None:
    plan = announcements(tmp_path)
    assert told(due(plan, date(2026, 12, 25))) == [
        ("Fri 09:00", "today (Christmas Day): closed, back tomorrow at 10:00 (London time)"),
        ("Fri 09:00", "tomorrow (Boxing Day travel): open 10:00-16:00, back on Sunday at 10:00 (London time)"),
    ]
    assert ("Thu 09:00", "tomorrow (Christmas Day): closed, back on Saturday at 10:00 (London time)") in told(
        due(plan, date(2026, 12, 24))
    )


def test_a_special_opening_is_told_with_its_hours(tmp_path: Path) -> None:
    texts = [text for _, text in told(due(announcements(tmp_path), date(2026, 12, 26)))]
    assert texts == [
        "today (Boxing Day travel): open 10:00-16:00, back tomorrow at 10:00 (London time)",
        "Saturday 26 December: open until 16:00",
        "Saturday 26 December: back tomorrow at 10:00 (London time)",
    ]


def test_a_closure_of_several_days_is_announced_once(tmp_path: Path) -> None:
    found = due(announcements(tmp_path), date(2026, 12, 1), days=5)
    assert [one.id for one in found if one.template == "special_day"] == [
        "special_day:2026-12-02:1",
        "special_day:2026-12-02:0",
    ]
    assert [f"{one.at:%d}" for one in found if one.template == "opening"] == ["01", "05"]


@pytest.mark.parametrize(("sunday", "opens_utc"), [(date(2026, 3, 29), 9), (date(2026, 10, 25), 10)])
def test_the_day_the_clock_changes_opens_once_by_the_wall_clock(tmp_path: Path, sunday: date, opens_utc: int) -> None:
    begins = datetime(sunday.year, sunday.month, sunday.day, tzinfo=LONDON).astimezone(UTC) - timedelta(seconds=1)
    found = [
        one
        for one in announcements(tmp_path).between(begins, begins + timedelta(hours=24))
        if one.template == "opening"
    ]
    assert [(one.at.hour, one.id) for one in found] == [(opens_utc, f"opening:{sunday}T{opens_utc:02}:00Z")]


def test_an_hour_that_comes_twice_announces_once_and_one_that_is_skipped_all_the_same(tmp_path: Path) -> None:
    once = """\
    templates: {notice: {text: "{{ words }}", values: [words]}}
    once:
      - {name: twice, at: "2026-10-25 01:30", template: notice, values: {words: autumn}}
      - {name: never, at: "2026-03-29 01:30", template: notice, values: {words: spring}}
    """
    plan = announcements(tmp_path, once)
    assert [one.id for one in plan.between(london(2026, 1, 1), london(2026, 12, 31))] == ["once:never", "once:twice"]


def test_looking_minute_by_minute_finds_what_one_look_finds(tmp_path: Path) -> None:
    plan = announcements(tmp_path)
    begins = london(2026, 12, 23).astimezone(UTC)
    steps = [begins + timedelta(minutes=30 * step) for step in range(2 * 24 * 5 + 1)]
    piecewise = [one for a, b in pairwise(steps) for one in plan.between(a, b)]
    assert piecewise == plan.between(steps[0], steps[-1])


def test_a_service_that_never_closes_announces_no_hours(tmp_path: Path) -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    hours = "time_zone: Europe/London\nweek:\n" + "".join(f'  {day}: ["00:00-24:00"]\n' for day in days)
    assert due(announcements(tmp_path, hours=hours), date(2026, 11, 23), days=7) == []


def test_a_night_shift_opens_in_the_evening_and_closes_in_the_morning(tmp_path: Path) -> None:
    hours = """\
time_zone: Europe/London
week:
  monday: ["22:00-24:00"]
  tuesday: ["00:00-06:00"]
"""
    found = told(due(announcements(tmp_path, hours=hours), date(2026, 11, 23), days=7))
    assert [when for when, _ in found] == ["Mon 22:00", "Tue 06:00"]


def test_closing_can_be_told_some_minutes_before(tmp_path: Path) -> None:
    plan = 'closing: {minutes_before: 30, text: "{{ date }}: back {{ back }}"}'
    assert [when for when, _ in told(due(announcements(tmp_path, plan), date(2026, 11, 23)))] == ["Mon 19:30"]


def test_a_part_that_is_left_out_is_not_announced(tmp_path: Path) -> None:
    assert due(announcements(tmp_path, "grace_minutes: 5"), date(2026, 12, 24), days=3) == []


def test_the_shipped_file_reads_and_its_texts_differ_from_day_to_day() -> None:
    plan = load_announcements(load_hours(), company="Kestrel Air", account="@KestrelAir", path=ANNOUNCEMENTS)
    found = plan.between(london(2026, 11, 23), london(2026, 12, 31))
    assert {one.template for one in found} == {"opening", "closing", "special_day"}
    assert len({one.text for one in found}) == len(found) == len({one.id for one in found})


@pytest.mark.parametrize(
    ("plan", "line", "words"),
    [
        ("grace_minutes: 5\nopening:\n  text: >-\n    Good morning!\n    Until {{ close }}.", 5, "“close”"),
        ("closing:\n  text: '{{ closes }}'", 2, "There are: account, back, company, date, zone"),
        ("templates:\n  a:\n    values: [what]\n    text: |\n      {{ what }}\n      {{ who }}", 6, "“who”"),
        ("opening:\n  text: '{{ closes '", 2, "Placeholders are written like {{ date }}"),
        ("opening:\n  text: '{{ closes.__class__.__mro__ }}'", 2, "cannot be filled"),
        ("opening:\n  text: '{{ range(9) }}'", 2, "unknown placeholder “range”"),
        ("opening:\n  text: '{{ closes.hour }}'", 2, "plain placeholders"),
        ("opening:\n  text: ''", 2, "the text is empty"),
        ("opening: {}", 1, "it has no text"),
        ("opening:\n  texts: Hello", 2, "unknown key “texts”"),
        ("grace_minutes: soon", 1, "whole number of minutes"),
        ("special_day:\n  at: noon\n  text: '{{ day }}'", 2, "a time in quotes"),
        ("special_day:\n  days_before: [-1]\n  text: '{{ day }}'", 2, "list numbers"),
        ("templates:\n  opening:\n    text: Hello", 2, "none of the hours' own"),
        ("templates:\n  a:\n    values: [date]\n    text: Hello", 3, "“date” is there in every text already"),
        ("once:\n  - name: x\n    at: 2026-12-24 09:00\n    template: zork", 4, "no template “zork”"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, plan: str, line: int, words: str) -> None:
    with pytest.raises(PolicyError) as refused:
        announcements(tmp_path, plan)
    assert f"announcements.yml line {line}: " in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('{name: a, at: "2026-12-24 09:00", template: t}', "the value “what” is missing"),
        ('{name: a, at: "2026-12-24 09:00", template: t, values: {what: x, who: y}}', "unknown value “who”"),
        ('{name: a, at: "yesterday", template: t, values: {what: x}}', "is no"),
        ('{name: "A b", at: "2026-12-24 09:00", template: t, values: {what: x}}', "small letters"),
    ],
)
def test_a_one_off_that_lacks_something_is_refused(tmp_path: Path, entry: str, words: str) -> None:
    plan = f"templates:\n  t: {{values: [what], text: '{{{{ what }}}}'}}\nonce:\n  - {entry}"
    with pytest.raises(PolicyError, match=r"announcements\.yml line 4") as refused:
        announcements(tmp_path, plan)
    assert words in str(refused.value)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    entry = '{name: a, at: "2026-12-24 09:00", template: t}'
    with pytest.raises(PolicyError, match="“a” stands twice"):
        announcements(tmp_path, f"templates:\n  t: {{text: Hello}}\nonce:\n  - {entry}\n  - {entry}")


def test_what_operators_say_is_filled_in_and_never_run(tmp_path: Path) -> None:
    plan = announcements(tmp_path, "templates:\n  t: {values: [what], text: 'We know about {{ what }}.'}")
    now = london(2026, 11, 23, 12)
    assert plan.filled("t", {"what": "{{ company }}"}, now) == "We know about {{ company }}."
    with pytest.raises(TextRefused, match="1 to 200 characters"):
        plan.filled("t", {"what": "x" * 201}, now)
    with pytest.raises(TextRefused, match="no template “opening”"):
        plan.filled("opening", {}, now)
