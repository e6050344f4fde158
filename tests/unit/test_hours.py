"""Service hours: when people are here, told right across holidays, lunch breaks and changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.hours import Closure, NeverOpen, Opening, ServiceHours
from handoff.hours_policy import HOURS, load_hours
from handoff.policy import PolicyError
from handoff.windows import Stretch, Window, WindowError, at, read_windows

LONDON = ZoneInfo("Europe/London")
SHIPPED = load_hours()
SPLIT = ("08:00-12:30", "13:30-18:00")


def london(*parts: int) -> datetime:
    """A moment on London's wall clock."""
    return datetime(*parts, tzinfo=LONDON)  # type: ignore[misc,arg-type]


def hours_of(week: dict[int, tuple[str, ...]], **more: object) -> ServiceHours:
    """Hours with these windows by weekday, Monday 0."""
    windows = {day: read_windows(texts) for day, texts in week.items()}
    return ServiceHours(**{"zone": LONDON, "zone_name": "London time", "week": windows, **more})  # type: ignore[arg-type]


WORKDAYS = hours_of(dict.fromkeys(range(5), SPLIT))
ALWAYS = hours_of(dict.fromkeys(range(7), ("00:00-24:00",)))
NIGHTS = hours_of({4: ("22:00-24:00",), 5: ("00:00-02:00",)})


def test_people_are_here_in_the_windows_and_not_between_them() -> None:
    for clock, is_open in [
        ((7, 59), False),
        ((8, 0), True),
        ((12, 29), True),
        ((12, 30), False),
        ((13, 30), True),
        ((18, 0), False),
    ]:
        assert WORKDAYS.is_open(london(2026, 11, 23, *clock)) is is_open


def test_the_asking_clock_may_be_anywhere() -> None:
    assert WORKDAYS.is_open(datetime(2026, 11, 23, 3, 30, tzinfo=ZoneInfo("America/New_York")))
    assert not WORKDAYS.is_open(datetime(2026, 7, 20, 17, 30, tzinfo=UTC))  # 18:30 in London's summer


def test_the_next_opening_skips_lunch_and_weekend() -> None:
    assert WORKDAYS.next_opening(london(2026, 11, 23, 12, 45)) == london(2026, 11, 23, 13, 30)
    assert WORKDAYS.next_opening(london(2026, 11, 20, 18, 0)) == london(2026, 11, 23, 8, 0)


def test_the_next_opening_is_now_while_people_are_here() -> None:
    now = london(2026, 11, 23, 9, 17, 3)
    assert WORKDAYS.next_opening(now) == now


def test_people_leave_at_the_end_of_the_current_window() -> None:
    assert WORKDAYS.closes_at(london(2026, 11, 23, 9)) == london(2026, 11, 23, 12, 30)
    assert WORKDAYS.closes_at(london(2026, 11, 23, 13)) is None


def test_windows_that_meet_at_midnight_are_one() -> None:
    assert NIGHTS.closes_at(london(2026, 11, 27, 23)) == london(2026, 11, 28, 2)
    assert NIGHTS.describe(london(2026, 11, 27, 23)).text == "People are here until 02:00 tomorrow (London time)."


def test_midnight_belongs_to_the_day_that_ends() -> None:
    late = hours_of({0: ("20:00-24:00",)})
    assert late.describe(london(2026, 11, 23, 21)).text == "People are here until midnight today (London time)."


def test_people_who_never_leave_are_here_day_and_night() -> None:
    notice = ALWAYS.describe(london(2026, 11, 23, 3))
    assert notice.open
    assert notice.closes_at is None
    assert notice.text == "People are here day and night."


def test_business_time_only_runs_while_people_are_here() -> None:
    add = WORKDAYS.add_business_time
    assert add(london(2026, 11, 23, 12, 0), 30) == london(2026, 11, 23, 12, 30)
    assert add(london(2026, 11, 23, 12, 0), 31) == london(2026, 11, 23, 13, 31)
    assert add(london(2026, 11, 20, 17, 0), 120) == london(2026, 11, 23, 9, 0)
    assert add(london(2026, 11, 21, 11, 0), 0) == london(2026, 11, 23, 8, 0)
    with pytest.raises(ValueError, match="taken away"):
        add(london(2026, 11, 23, 12, 0), -1)


def test_time_that_never_comes_is_an_error_not_a_promise() -> None:
    with pytest.raises(NeverOpen):
        NIGHTS.add_business_time(london(2026, 11, 23, 12), 60 * 24 * 365)


def test_a_promise_is_due_on_the_full_minute() -> None:
    assert WORKDAYS.reply_by(london(2026, 11, 23, 9, 0, 1), 15) == london(2026, 11, 23, 9, 16)
    assert WORKDAYS.reply_by(london(2026, 11, 23, 9), 15) == london(2026, 11, 23, 9, 15)


def test_an_hour_that_the_clock_skips_is_not_worked() -> None:
    # on 28 March 2027 London goes from 01:00 straight to 02:00
    assert ALWAYS.add_business_time(london(2027, 3, 28, 0, 30), 60) == london(2027, 3, 28, 2, 30)
    night = hours_of({6: ("00:00-03:00",)})
    assert night.add_business_time(london(2027, 3, 28, 0, 0), 120) == london(2027, 3, 28, 3, 0)


def test_an_hour_that_the_clock_repeats_is_worked_twice() -> None:
    # on 25 October 2026 London has 01:00 to 02:00 twice
    night = hours_of({6: ("00:00-03:00",)})
    assert night.add_business_time(london(2026, 10, 25, 0, 0), 240) == london(2026, 10, 25, 3, 0)


def test_a_window_that_the_clock_skips_altogether_is_left_out() -> None:
    skipped = hours_of({6: ("01:00-02:00",)})
    opening = skipped.next_opening(london(2027, 3, 27, 12))
    assert opening
    assert skipped.is_open(opening)


def test_the_opening_hour_is_local_before_and_after_the_clock_changes() -> None:
    for day in (date(2027, 3, 26), date(2027, 3, 29)):
        opening = WORKDAYS.next_opening(datetime(day.year, day.month, day.day, 0, 0, tzinfo=LONDON))
        assert opening
        assert (opening.hour, opening.minute) == (8, 0)


def test_a_closure_cuts_out_its_time() -> None:
    closed = Stretch(begins=london(2026, 11, 23, 10), ends=london(2026, 11, 23, 15))
    hours = hours_of({0: SPLIT}, closures=(Closure(name="a fire drill", stretch=closed),))
    assert hours.closes_at(london(2026, 11, 23, 9)) == london(2026, 11, 23, 10)
    notice = hours.describe(london(2026, 11, 23, 11))
    assert notice.next_opening == london(2026, 11, 23, 15)
    assert notice.closed_for == ("a fire drill",)
    assert notice.text == "People are back today at 15:00 (London time). We are closed for a fire drill."


def test_an_opening_takes_the_place_of_a_holiday() -> None:
    opening = Opening(name="sale", day=date(2026, 12, 25), windows=(Window(begins=600, ends=660),))
    hours = hours_of({4: SPLIT}, holiday=lambda day: "Christmas Day", openings=(opening,))
    assert hours.is_open(london(2026, 12, 25, 10, 30))
    assert not hours.is_open(london(2026, 12, 25, 9))
    assert hours.describe(london(2026, 12, 25, 9)).closed_for == ()


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (london(2026, 11, 23, 9), "People are here until 20:00 today (London time)."),
        (london(2026, 11, 22, 9), "People are back today at 10:00 (London time)."),
        (london(2026, 11, 23, 21), "People are back tomorrow at 08:00 (London time)."),
        (london(2026, 11, 28, 13, 30), "People are back today at 14:00 (London time)."),
        (
            london(2026, 12, 8, 21),
            "People are back on Thursday at 08:00 (London time). We are closed for our staff training.",
        ),
        (
            london(2026, 12, 24, 15),
            "People are back on Saturday at 10:00 (London time). We are closed for Christmas Eve and Christmas Day.",
        ),
        (
            london(2026, 12, 27, 17),
            "People are back on Tuesday at 08:00 (London time). We are closed for Boxing Day.",
        ),
    ],
)
def test_the_shipped_hours_read_well(now: datetime, text: str) -> None:
    assert SHIPPED.describe(now).text == text


def test_an_ordinary_sunday_is_not_blamed_on_a_holiday() -> None:
    assert WORKDAYS.describe(london(2026, 11, 22, 12)).closed_for == ()


def test_a_holiday_with_normal_hours_is_a_normal_day() -> None:
    assert SHIPPED.is_open(london(2027, 3, 29, 9))  # Easter Monday
    assert not SHIPPED.is_open(london(2027, 3, 26, 9))  # Good Friday


def test_a_far_opening_is_told_with_its_date_and_year() -> None:
    once = Opening(name="day", day=date(2027, 11, 22), windows=(Window(begins=480, ends=540),))
    hours = hours_of({}, openings=(once,))
    assert hours.describe(london(2026, 11, 22, 12)).text.startswith(
        "People are back on Monday 22 November 2027 at 08:00"
    )
    assert (
        SHIPPED.when(london(2026, 12, 4, 9, 5), london(2026, 11, 22, 12))
        == "on Friday 4 December at 09:05 (London time)"
    )


def test_hours_without_any_opening_say_so_without_a_date() -> None:
    notice = hours_of({}).describe(london(2026, 11, 22, 12))
    assert notice.next_opening is None
    assert notice.text == "Nobody is here at the moment."


moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
some_hours = st.sampled_from([SHIPPED, WORKDAYS, NIGHTS, ALWAYS])


@settings(max_examples=150, deadline=None)
@given(hours=some_hours, now=moments)
def test_people_are_here_at_the_next_opening_and_gone_at_the_close(hours: ServiceHours, now: datetime) -> None:
    opening = hours.next_opening(now)
    assert opening
    assert opening >= now
    assert hours.is_open(opening)
    assert hours.is_open(now) == (opening == now)
    closes = hours.closes_at(opening)
    assert closes is None or not hours.is_open(closes)
    assert hours.describe(now).text


@settings(max_examples=150, deadline=None)
@given(
    hours=some_hours,
    now=moments,
    wait=st.integers(0, 5000),
    minutes=st.integers(0, 4000),
    more=st.integers(1, 500),
)
def test_business_time_never_runs_backwards(
    hours: ServiceHours, now: datetime, wait: int, minutes: int, more: int
) -> None:
    due = hours.add_business_time(now, minutes)
    assert due >= now + timedelta(minutes=minutes)
    assert hours.add_business_time(now, minutes + more) > due
    assert hours.add_business_time(now + timedelta(minutes=wait), minutes) >= due


def changed(folder: Path, old: str, new: str) -> Path:
    """The shipped file with one place changed."""
    text = HOURS.read_text(encoding="utf-8")
    assert old in text
    path = folder / "hours.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("Europe/London", "Europe/Lodnon", "time_zone “Europe/Lodnon” is not known. Use a name like"),
        ("time_zone: Europe/London", "", "time_zone “None” is not known"),
        ('monday: ["08:00-20:00"]', "monday: [", r"line \d+: .* Check the indentation"),
        ('monday: ["08:00-20:00"]', 'monday: ["08:00-12:00", "11:00-20:00"]', "08:00-12:00 and 11:00-20:00 overlap"),
        ('monday: ["08:00-20:00"]', 'monday: ["9-5"]', "monday: “9-5” is no window. Write it like"),
        ('monday: ["08:00-20:00"]', 'monday: ["20:00-08:00"]', "ends before it begins. Past midnight, write two"),
        ('monday: ["08:00-20:00"]', 'monday: ["08:00-25:00"]', "a time that no clock shows"),
        ('monday: ["08:00-20:00"]', 'monday: ["08:61-20:00"]', "a time that no clock shows"),
        ('monday: ["08:00-20:00"]', "monday: 08:00-20:00", "put the windows in brackets"),
        ("  monday:", "  moonday:", "week: unknown key “moonday”"),
        ("  tuesday:", "  monday:", "(?i)duplicate key"),
        ("week:", "weeks:", "unknown key “weeks”"),
        ("subdivision: ENG", "subdivision: XXX", "holidays: .* Use codes of the `holidays` package"),
        ("country: GB", "country: ZZ", "holidays: .* Use codes"),
        ('open_on: ["Easter Monday"]', 'open_on: ["Towel Day"]', "“Towel Day” is no holiday there"),
        ("    date: 2026-12-09", "    date: soon", "“soon” is no date. Write it like 2026-12-24"),
        ("    date: 2026-12-09", "    day: 2026-12-09", "unknown key “day”"),
        ('until: "2026-12-24 24:00"', 'until: "2026-12-23 24:00"', "it ends before it begins. Swap"),
        ('until: "2026-12-24 24:00"', "until: teatime", "is no moment. Write it like"),
        ('    until: "2026-12-24 24:00"', "", "is no moment"),
        ("  - name: our staff training\n    date", "  - date", "an entry has no name"),
        ('    hours: ["10:00-16:00"]', "", "it has no hours"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place_and_remedy(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(PolicyError, match=complaint) as refusal:
        load_hours(changed(tmp_path, old, new))
    assert str(refusal.value).startswith("hours.yml")


@pytest.mark.parametrize("text", ["", "- a\n- list", "just words", "week: {}\ntime_zone: Europe/London", "\x00"])
def test_a_file_that_holds_no_hours_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hours.yml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=r"hours\.yml"):
        load_hours(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_hours(tmp_path / "hours.yml")
    (tmp_path / "hours.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_hours(tmp_path / "hours.yml")


def test_hours_without_holidays_closures_and_openings_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "hours.yml"
    path.write_text('time_zone: Asia/Tokyo\nweek:\n  monday: ["09:00-17:00"]\n')
    hours = load_hours(path)
    assert hours.describe(datetime(2026, 11, 23, 1, tzinfo=UTC)).text.endswith("today (Asia/Tokyo).")


def test_windows_may_touch_but_not_overlap() -> None:
    assert read_windows(["12:00-13:00", "8:00–12:00"])[0] == Window(begins=480, ends=720)
    with pytest.raises(WindowError):
        read_windows(["08:00-12:00", "08:00-12:00"])
    assert at(date(2026, 11, 23), 24 * 60, LONDON) == london(2026, 11, 24)
