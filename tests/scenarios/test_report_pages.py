"""The report on the desk: who may read what, and that it counts what really happened."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from bot.web.roles import Role
from handoff.report.definitions import DEFINITIONS
from handoff.report.journal import BATCH, records_about
from handoff.report.period import Period
from handoff.words import Customer, Place, Reason
from tests.support.desk import LONDON, PASSWORD, Office, Person, open_office
from tests.support.journal import Story, a_busy_day

NOON = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
DAY = NOON.date()
YAN = Customer(id="5822", handle="yan_travels", name="Yan Li")
HOSTILE = "<script>alert(1)</script> why does the lounge " + "never " * 60 + "open?"


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as opened:
        opened.house.set_clock(NOON)
        yield opened


async def somebody(office: Office, role: Role) -> Person:
    """Eve, in a role, signed in."""
    await office.agents.add(name="eve", display_name="Eve Ode", initials="EO", role=role, password=PASSWORD)
    person = office.somebody("eve")
    await person.signs_in()
    return person


async def test_the_report_counts_what_happened_at_the_desk(office: Office) -> None:
    await office.house.writes("How heavy may my bag be?")
    await office.house.bot_turn(says="Up to eight kilograms.")
    case = await office.house.opens_case("I want to talk to a person.", customer=YAN, place=Place.PRIVATE)
    ana = await office.agent("ana")
    await ana.takes(case)
    await ana.replies(case, await ana.case(case), "Hello, this is Ana.")
    told = json.loads((await ana.opens("/report/report.json")).html)

    assert (told["messages"], told["public"], told["private"]) == (2, 1, 1)
    assert (told["answered"], told["opened"], told["cases"], told["open_cases"]) == (1, 1, 1, 1)
    assert told["reasons"] == {"complaint": 1}
    assert (told["promises_told"], told["promises_kept"]) == (1, 1)
    page = await ana.opens("/report")
    assert page.status == 200
    assert "Friday 20 November 2026" in page.text


async def test_leads_read_the_questions_and_agents_only_their_number(office: Office) -> None:
    await office.house.opens_case(HOSTILE, reason=Reason.NO_ANSWER)
    lead, agent = await office.agent("ana"), await somebody(office, Role.AGENT)
    shown, hidden = await lead.opens("/report/"), await agent.opens("/report/")

    assert "why does the lounge" in shown.text
    assert "<script>alert" not in shown.html
    assert "open?" not in shown.text  # it is cut before
    assert "lounge" not in hidden.html
    assert "Leads see the questions themselves." in hidden.text
    assert "lounge" not in (await agent.opens("/report/report.json")).html
    assert json.loads((await lead.opens("/report/report.json")).html)["unanswered"][0]["texts"][0].endswith("…")


async def test_editors_and_strangers_read_no_report(office: Office) -> None:
    editor = await somebody(office, Role.EDITOR)

    assert (await editor.opens("/report/")).status == 403
    assert (await editor.opens("/report/report.json")).status == 403
    assert (await office.somebody().opens("/report/report.json")).status == 401
    assert (await office.somebody().opens("/report/")).path.startswith("/sign-in")


async def test_the_page_defines_every_number_and_fetches_nothing_from_elsewhere(office: Office) -> None:
    await a_busy_day(NOON.replace(hour=1)).is_stored(office.house.redis, office.house.ledger.partitions[0])
    page = await (await office.agent("ana")).opens("/report/")

    assert [name for name, meant in DEFINITIONS.items() if meant.sentence not in page.text] == []
    assert [name for name in DEFINITIONS if f'href="#means-{name}"' not in page.html] == []
    assert page.html.count("<svg ") >= 8
    assert "style=" not in page.html
    assert "<style" not in page.html
    assert "http://" not in page.html.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "style-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("asked", ["day=tomorrow", "day=2026-11-21", "from=2026-11-20&to=2026-11-01", "day=<b>"])
async def test_days_that_cannot_be_shown_are_refused_in_words(office: Office, asked: str) -> None:
    ana = await office.agent("ana")
    page = await ana.opens(f"/report/?{asked}")

    assert page.status == 400
    assert "Here is today instead." in page.text
    assert (await ana.opens(f"/report/report.json?{asked}")).status == 400


async def test_a_long_journal_is_read_whole_and_only_as_far_as_the_period_needs(office: Office) -> None:
    story = Story().at("2026-10-01T12:00:00+00:00").writes("zoe", "m-old").at(NOON)
    for number in range(BATCH + 10):
        story.writes("zoe", f"m{number}")
    await (
        story.at("2026-12-24T12:00:00+00:00")
        .writes("zoe", "m-new")
        .is_stored(office.house.redis, office.house.ledger.partitions[1])
    )
    records = await records_about(office.house.ledger, Period(first=DAY, last=DAY, zone=LONDON))

    assert len(records) == BATCH + 10
    assert {record.facts["message"] for record in records}.isdisjoint({"m-old", "m-new"})
