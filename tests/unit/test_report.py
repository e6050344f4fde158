"""The daily report: from records to numbers."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.policy import PolicyError
from handoff.report.as_json import report_as_json
from handoff.report.definitions import DEFINITIONS, ENDING_LABELS, ITEMS, definitions_table
from handoff.report.period import Period, PeriodError, read_period
from handoff.report.prices import ITEMS as PRICED
from handoff.report.prices import load_prices
from handoff.report.report import ENDINGS, Report, Times
from handoff.report.tally import tally
from handoff.report.wording import duration, money_words, reason_words, share_words, time_words
from handoff.words import Outcome, Reason
from tests.support.journal import Story

LONDON = ZoneInfo("Europe/London")
MONDAY = date(2026, 11, 23)
PRICES = load_prices()
EVENING = datetime.fromisoformat("2026-11-23T23:00:00+00:00")
NEXT_WEEK = datetime.fromisoformat("2026-12-01T12:00:00+00:00")


def report_of(story: Story, *, day: date = MONDAY, now: datetime = NEXT_WEEK, zone: ZoneInfo = LONDON) -> Report:
    return tally(story.records, period=Period(first=day, last=day, zone=zone), now=now, prices=PRICES)


def test_a_day_on_which_nobody_wrote_has_a_report_too() -> None:
    report = report_of(Story())

    assert (report.messages, report.conversations, report.cases, report.cost.total) == (0, 0, 0, Decimal(0))
    assert report.containment is None
    assert report.bot_first_reply == Times(count=0, median_ms=None, p90_ms=None)


def test_every_message_is_counted_by_how_it_ended() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1")
    story.writes("yan", "m2").calls_person("yan", "m2", "C1").writes("yan", "m3").ends("yan", "m3", "joined")
    story.writes("nora", "m4", place="private").ends("nora", "m4", "silent", rule="thanks").writes("nora", "m5")
    report = report_of(story)

    assert (report.answered, report.opened, report.joined, report.silent, report.waiting) == (1, 1, 1, 1, 1)
    assert (report.public, report.private) == (4, 1)
    assert report.silent_rules == {"thanks": 1}
    assert report.reasons == {"complaint": 1}


def test_a_message_belongs_to_the_day_on_which_it_came_although_it_was_answered_the_next() -> None:
    story = Story().at("2026-11-23T23:59:59+00:00").writes("zoe", "m1").after(seconds=3).answers("zoe", "m1")

    assert report_of(story).answered == 1
    assert report_of(story).bot_first_reply.median_ms == 4000
    assert report_of(story, day=date(2026, 11, 24)).messages == 0


@pytest.mark.parametrize(
    ("day", "first_moment", "last_moment", "hours"),
    [
        (date(2026, 10, 25), "2026-10-24T23:00:00+00:00", "2026-10-25T23:59:59.999+00:00", 25),
        (date(2026, 3, 29), "2026-03-29T00:00:00+00:00", "2026-03-29T22:59:59.999+00:00", 23),
        (date(2026, 7, 1), "2026-06-30T23:00:00+00:00", "2026-07-01T22:59:59.999+00:00", 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(day: date, first_moment: str, last_moment: str, hours: int) -> None:
    story = Story().at(first_moment).writes("zoe", "m1").at(last_moment).writes("zoe", "m2")
    before = datetime.fromisoformat(first_moment) - timedelta(milliseconds=1)
    story.at(before).writes("zoe", "m0").at(datetime.fromisoformat(last_moment) + timedelta(milliseconds=1))
    report = report_of(story.writes("zoe", "m3"), day=day)

    assert report.messages == 2
    assert len(report.over_time) == hours
    assert [sum(bar.counts.values()) for bar in report.over_time] == [1, *[0] * (hours - 2), 1]
    assert len({bar.stretch.label for bar in report.over_time}) == hours


def test_the_hour_that_comes_twice_says_which_it_is() -> None:
    labels = [
        stretch.label for stretch in Period(first=date(2026, 10, 25), last=date(2026, 10, 25), zone=LONDON).stretches()
    ]

    assert labels[:4] == ["00:00", "01:00 BST", "01:00 GMT", "02:00"]


def test_several_days_are_drawn_by_day() -> None:
    period = Period(first=date(2026, 10, 24), last=date(2026, 10, 26), zone=LONDON)

    assert [stretch.label for stretch in period.stretches()] == ["24 Oct", "25 Oct", "26 Oct"]
    assert [s.ends_at - s.starts_at for s in period.stretches()] == [timedelta(hours=n) for n in (24, 25, 24)]


def test_a_conversation_that_the_bot_answered_is_contained() -> None:
    report = report_of(Story().writes("zoe", "m1").answers("zoe", "m1"))

    assert (report.contained, report.abandoned, report.handed_over, report.containment) == (1, 0, 0, 1.0)


def test_who_leaves_after_a_clarifying_question_is_not_contained() -> None:
    report = report_of(Story().writes("zoe", "m1").answers("zoe", "m1", failed=True))

    assert (report.contained, report.abandoned, report.containment) == (0, 1, 0.0)


def test_a_clarifying_question_that_led_to_an_answer_is_contained() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1", failed=True).after(minutes=1)
    report = report_of(story.writes("zoe", "m2").answers("zoe", "m2"))

    assert (report.contained, report.abandoned) == (1, 0)


def test_who_wrote_again_without_an_answer_is_not_contained_whatever_came_after() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1").after(minutes=1)
    story.writes("zoe", "m2").answers("zoe", "m2", failed=True).after(minutes=1)
    report = report_of(story.writes("zoe", "m3").answers("zoe", "m3"))

    assert (report.contained, report.abandoned) == (0, 1)


def test_a_burst_that_failed_once_is_one_turn() -> None:
    story = Story().writes("zoe", "m1").writes("zoe", "m2")
    for message in ("m1", "m2"):
        story.tells("outcome", "zoe", message=message, outcome="answered", turn="t1", failed=True)
    report = report_of(story.writes("zoe", "m3").answers("zoe", "m3"))

    assert (report.contained, report.abandoned) == (1, 0)


def test_a_person_called_after_midnight_means_that_the_evening_was_not_contained() -> None:
    story = Story().at("2026-11-23T23:58:00+00:00").writes("zoe", "m1").answers("zoe", "m1")
    story.at("2026-11-24T00:01:00+00:00").writes("zoe", "m2").calls_person("zoe", "m2", "C1")

    assert report_of(story).handed_over == 1
    assert report_of(story, now=datetime.fromisoformat("2026-11-24T00:00:30+00:00")).contained == 1


def test_a_case_for_a_reply_that_could_not_be_sent_is_a_hand_over() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1")
    report = report_of(story.tells("case_opened", "zoe", case="C1", reason="not_delivered", priority=60))

    assert (report.contained, report.handed_over, report.cases, report.opened) == (0, 1, 1, 0)


def test_first_replies_of_bot_and_people_are_told_apart() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1", after_s=2)
    story.writes("yan", "m2").calls_person("yan", "m2", "C1").says("yan", author="desk", turn="t-m2")
    story.after(minutes=10).says("yan", author="agent:ana", after_s=5).after(minutes=1).says("yan", author="agent:ana")
    report = report_of(story)

    assert report.bot_first_reply == Times(count=1, median_ms=2000, p90_ms=2000)
    assert report.people_first_reply == Times(count=1, median_ms=605_000, p90_ms=605_000)
    assert (report.bot_said, report.people_said) == (2, 2)


def test_the_slow_end_is_the_ninth_of_ten() -> None:
    story = Story()
    for number in range(1, 11):
        story.writes(f"c{number}", f"m{number}").answers(f"c{number}", f"m{number}", after_s=number)

    assert report_of(story).bot_first_reply == Times(count=10, median_ms=5000, p90_ms=9000)


def test_words_of_an_earlier_case_are_no_reply_in_a_later_one() -> None:
    story = Story().writes("yan", "m1").calls_person("yan", "m1", "C1").after(minutes=1).says("yan", author="agent:ana")
    story.tells("case_resolved", "yan", case="C1", by="ana").after(hours=1)
    report = report_of(story.writes("yan", "m2").calls_person("yan", "m2", "C2"))

    assert report.people_first_reply == Times(count=1, median_ms=60_000, p90_ms=60_000)


def test_an_answer_that_never_went_out_is_no_reply() -> None:
    story = Story().writes("zoe", "m1").ends("zoe", "m1", "answered")
    story.tells("entry_queued", "zoe", entry="e1", author="bot", place="public", turn="t-m1")
    report = report_of(story.tells("entry_cancelled", "zoe", entry="e1", reason="stale_epoch"))

    assert report.bot_first_reply.count == 0
    assert (report.never_said, report.bot_said) == (1, 0)


def test_open_and_breached_cases_are_those_of_the_periods_end() -> None:
    story = Story().at("2026-11-22T10:00:00+00:00").writes("yan", "m1").calls_person("yan", "m1", "C1")
    story.after(minutes=30).tells("promise_broken", "yan", case="C1")
    story.at("2026-11-23T10:00:00+00:00").writes("zoe", "m2").calls_person("zoe", "m2", "C2")
    story.at("2026-11-24T09:00:00+00:00").tells("case_resolved", "yan", case="C1", by="ana")
    report, next_day = report_of(story), report_of(story, day=date(2026, 11, 24))

    assert (report.cases, report.open_cases, report.breached_cases) == (1, 2, 1)
    assert (next_day.cases, next_day.open_cases, next_day.breached_cases) == (0, 1, 0)


def test_promises_are_kept_broken_ended_or_running() -> None:
    story = Story()
    for number, ending in enumerate(("kept", "broken", "ended", None)):
        customer, case = f"c{number}", f"C{number}"
        story.writes(customer, f"m{number}").calls_person(customer, f"m{number}", case)
        if ending:
            story.tells(f"promise_{ending}", customer, case=case)
    report = report_of(story.writes("nora", "m9").calls_person("nora", "m9", "C9", promise_min=None))

    assert report.promises_told == 4
    found = (report.promises_kept, report.promises_broken, report.promises_ended, report.promises_running)
    assert found == (1, 1, 1, 1)


def test_topics_are_counted_without_the_articles_versions() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1", intent="ask_knowledge", articles="KB-bags@v1,KB-pets@v2")
    report = report_of(story.writes("yan", "m2").answers("yan", "m2", intent="ask_knowledge", articles="KB-bags@v2"))

    assert report.intents == {"ask_knowledge": 2}
    assert report.articles == {"KB-bags": 2, "KB-pets": 1}


def test_unanswered_questions_are_grouped_by_what_was_understood() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1", intent="ask_knowledge", failed=True).after(minutes=1)
    story.writes("yan", "m2").calls_person("yan", "m2", "C1", reason="no_answer", intent="ask_knowledge")
    story.writes("nora", "m3").calls_person("nora", "m3", "C2", reason="no_answer")
    story.writes("omar", "m4").calls_person("omar", "m4", "C3", reason="complaint", intent="complaint")
    story.writes("pia", "m5").answers("pia", "m5", failed=True, rule="picture_or_link_only")
    found = report_of(story).unanswered

    assert [(group.intent, group.count) for group in found] == [("ask_knowledge", 2), (None, 1)]
    assert found[0].messages == (("x:yan", "m2"), ("x:zoe", "m1"))


def test_the_cost_is_what_was_read_and_said_times_its_price() -> None:
    story = Story().writes("zoe", "m1").answers("zoe", "m1").writes("yan", "m2", place="private")
    story.answers("yan", "m2", place="private").says("frontdesk", author="announcement")
    report = report_of(story.says("frontdesk", author="announcement", link=True))

    counts = {line.item: line.count for line in report.cost.lines}
    assert counts == dict.fromkeys(PRICED, 1)
    assert report.cost.total == sum(getattr(PRICES, item) for item in PRICED)


def test_what_is_not_known_yet_is_not_told() -> None:
    story = Story().writes("zoe", "m1").at("2026-11-24T09:00:00+00:00").answers("zoe", "m1")

    assert report_of(story, now=EVENING).waiting == 1
    assert report_of(story).waiting == 0


def test_records_whose_beginning_is_out_of_sight_are_left_aside() -> None:
    story = (
        Story().answers("zoe", "m0").tells("promise_kept", "zoe", case="C0").tells("case_resolved", "zoe", case="C0")
    )

    assert report_of(story.tells("entry_sent", "zoe", entry="e77").tells("something_new", "zoe")).messages == 0


OUTCOMES = st.sampled_from([*[str(outcome) for outcome in Outcome], None])
FIRST = datetime.fromisoformat("2026-10-24T00:00:00+01:00")
MOMENTS = st.integers(0, 3 * 24 * 3600).map(lambda seconds: FIRST + timedelta(seconds=seconds))
STEPS = st.tuples(MOMENTS, st.sampled_from("abcd"), OUTCOMES, st.booleans(), st.sampled_from(["public", "private"]))


def _story(steps: list[tuple[datetime, str, str | None, bool, str]]) -> Story:
    story = Story()
    for number, (moment, customer, outcome, failed, place) in enumerate(
        sorted(steps, key=lambda step: step[0].timestamp())
    ):
        message = f"m{number}"
        story.at(moment).writes(customer, message, place=place)
        if outcome == "case_opened":
            story.calls_person(customer, message, f"C{number}")
        elif outcome:
            story.ends(customer, message, outcome, failed=failed, rule="thanks" if outcome == "silent" else None)
    return story


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25), st.sampled_from(["Europe/London", "Asia/Kathmandu", "America/New_York", "UTC"]))
def test_the_sums_agree(steps: list[tuple[datetime, str, str | None, bool, str]], zone: str) -> None:
    story, now = _story(steps), NEXT_WEEK
    days = [date(2026, 10, 23) + timedelta(days=number) for number in range(6)]
    reports = [report_of(story, day=day, now=now, zone=ZoneInfo(zone)) for day in days]
    whole = tally(
        story.records, period=Period(first=days[0], last=days[-1], zone=ZoneInfo(zone)), now=now, prices=PRICES
    )

    assert whole.messages == len(steps) == sum(report.messages for report in reports)
    for report in (*reports, whole):
        ended = report.answered + report.opened + report.joined + report.silent + report.waiting
        assert report.messages == ended == report.public + report.private
        assert report.messages == sum(sum(bar.counts.values()) for bar in report.over_time)
        assert report.silent == sum(report.silent_rules.values())
        fates = report.contained + report.abandoned + report.handed_over + report.only_heard
        assert report.conversations == fates
        assert report.cases == sum(report.reasons.values())
        promises = report.promises_kept + report.promises_broken + report.promises_ended + report.promises_running
        assert report.promises_told == promises
        assert report.containment is None or 0 <= report.containment <= 1
    assert whole.cost.total == sum(report.cost.total for report in reports)


def test_every_number_has_a_definition_and_every_definition_a_number() -> None:
    numbers = {field.name for field in fields(Report)} - {"period", "as_of"}
    told = set(report_as_json(report_of(Story()))) - {"period", "as_of"}

    assert set(DEFINITIONS) == numbers == told
    assert set(ENDING_LABELS) == set(ENDINGS)
    assert set(ITEMS) == set(PRICED)


def test_every_definition_is_one_sentence() -> None:
    wrong = [name for name, meant in DEFINITIONS.items() if meant.sentence.count(".") != 1 or meant.sentence[-1] != "."]

    assert wrong == []


def test_the_document_holds_the_definitions_as_they_are() -> None:
    assert definitions_table() in (Path(__file__).parents[2] / "docs" / "report.md").read_text()


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({}, "2026-11-23", "2026-11-23"),
        ({"day": "2026-11-22"}, "2026-11-22", "2026-11-22"),
        ({"from": "2026-11-20"}, "2026-11-20", "2026-11-23"),
        ({"from": "2026-11-20", "to": "2026-11-21"}, "2026-11-20", "2026-11-21"),
    ],
)
def test_days_are_read_as_they_are_written(asked: dict[str, str], first: str, last: str) -> None:
    period = read_period(asked, now=EVENING, zone=LONDON)

    assert (str(period.first), str(period.last)) == (first, last)


def test_today_is_the_day_of_the_services_clock() -> None:
    late = datetime.fromisoformat("2026-07-01T23:30:00+00:00")

    assert read_period({}, now=late, zone=LONDON).first == date(2026, 7, 2)


@pytest.mark.parametrize(
    "asked",
    [
        {"day": "yesterday"},
        {"day": "2026-02-30"},
        {"day": "2026-11-24"},
        {"day": "0001-01-01"},
        {"day": "2026-11-20", "to": "2026-11-21"},
        {"to": "2026-11-21"},
        {"from": "2026-11-21", "to": "2026-11-20"},
        {"from": "2026-01-01", "to": "2026-11-20"},
        {"from": "2026-11-21", "to": "9999-12-31"},
        {"day": "<script>"},
    ],
)
def test_days_that_cannot_be_reported_are_refused(asked: dict[str, str]) -> None:
    with pytest.raises(PeriodError) as refused:
        read_period(asked, now=EVENING, zone=LONDON)

    assert "<" not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mention_read: 0.001", "mention_read: free", "mention_read"),
        ("mention_read: 0.001", "mention_read: -1", "mention_read"),
        ("mention_read: 0.001", "mention_red: 0.001", "mention_red"),
        ("mention_read: 0.001", "", "mention_read"),
        ("currency: USD", "currency: 5", "currency"),
        ("as_of: 2026-08-31", "as_of: lately", "as_of"),
    ],
)
def test_a_price_list_that_cannot_be_used_says_what_to_mend(tmp_path: Path, old: str, new: str, told: str) -> None:
    shipped = (Path(__file__).parents[2] / "handoff" / "policies" / "prices.yml").read_text()
    path = tmp_path / "prices.yml"
    path.write_text(shipped.replace(old, new))

    with pytest.raises(PolicyError, match=rf"prices\.yml: .*{told}"):
        load_prices(path)


def test_numbers_read_as_people_say_them() -> None:
    assert [time_words(ms) for ms in (None, 0, 1250, 9999, 65_000)] == [
        "–",
        "0.0 s",
        "1.2 s",
        "10.0 s",
        duration(65_000),
    ]
    assert [share_words(share) for share in (None, 0.0, 0.4567, 0.999, 1.0)] == ["–", "0 %", "46 %", "99 %", "100 %"]
    assert [money_words(Decimal(text), "USD") for text in ("0", "0.030", "12.345")] == [
        "0.00 USD",
        "0.03 USD",
        "12.34 USD",
    ]


def test_every_reason_is_a_word_of_ours() -> None:
    assert all(reason_words(str(reason)) for reason in Reason)
    assert reason_words("no_longer_used") == "No longer used"
