"""The dates that customers write, relative to the day of their message."""

from datetime import date

import pytest

from nlu.dates import MOST_DATES, find_dates

SUNDAY = date(2026, 11, 22)
MONDAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("tomorrow", "2026-11-23"),
        ("day after tomorrow", "2026-11-24"),
        ("on 12 Dec", "2026-12-12"),
        ("Dec 12th", "2026-12-12"),
        ("12/12", "2026-12-12"),
        ("12.12.2026", "2026-12-12"),
        ("2026-12-12", "2026-12-12"),
        ("the 12th of May", "2027-05-12"),
        ("3 Nov", "2027-11-03"),
        ("3 January 2020", "2020-01-03"),
        ("Christmas", "2026-12-25"),
        ("new year's eve", "2026-12-31"),
        ("new year", "2027-01-01"),
        ("the 20th", "2026-12-20"),
        ("in two weeks", "2026-12-06"),
        ("in March", "2027-03-01"),
        ("next month", "2026-12-01"),
        ("this weekend", "2026-11-28"),
    ],
)
def test_a_date_is_found(text: str, day: str) -> None:
    assert [found.day.isoformat() for found in find_dates(text, SUNDAY)] == [day]


@pytest.mark.parametrize(
    ("text", "day"), [("friday", "2026-11-27"), ("next friday", "2026-12-04"), ("next monday", "2026-11-30")]
)
def test_next_weekday_is_not_the_one_of_this_week(text: str, day: str) -> None:
    assert [found.day.isoformat() for found in find_dates(text, MONDAY)] == [day]


@pytest.mark.parametrize(
    "text", ["from 3 to 7 April", "3-7 april", "out on 3 April and back on the 7 april", "3 april, returning 7 april"]
)
def test_a_way_out_and_a_way_back(text: str) -> None:
    found = [(one.day.isoformat(), one.is_return) for one in find_dates(text, SUNDAY)]
    assert found == [("2027-04-03", False), ("2027-04-07", True)]


@pytest.mark.parametrize(
    "text", ["may I bring a bag", "31 Feb", "5 kg", "the sat nav is wet", "99/99", "march on!", "0"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert find_dates(text, SUNDAY) == []


def test_there_are_never_many() -> None:
    assert len(find_dates("12 Dec " * 5000, SUNDAY)) == MOST_DATES
