"""The report's page, and the same as JSON; leads also read the unanswered questions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta

from aiohttp import web

from handoff.report import charts, wording
from handoff.report.as_json import report_as_json
from handoff.report.charts import Chart
from handoff.report.definitions import DEFINITIONS, ENDING_LABELS, ITEMS
from handoff.report.journal import records_about
from handoff.report.parts import MAY_READ_QUESTIONS, ReportParts
from handoff.report.period import Period, PeriodError, read_period
from handoff.report.questions import Asked, asked
from handoff.report.report import Report
from handoff.report.tally import tally

AT_ONCE = 2
"""So many reports are computed side by side; the rest wait, so that the console stays quick."""
ASKED_FOR = ("day", "from", "to")


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The charts of a report; None where there is nothing to draw."""

    over_time: Chart | None
    reasons: Chart | None
    intents: Chart | None
    articles: Chart | None


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Where a reader may go from here: days as in the address."""

    before: str
    after: str | None
    today: date
    week_from: date


class Pages:
    """Reads and shows; changes nothing."""

    def __init__(self, parts: ReportParts) -> None:
        self._parts = parts
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The report of `?day=`, or of `?from=` and `?to=`; of today without."""
        try:
            period, problem = self._period(request), None
        except PeriodError as error:
            period, problem = self._today(), str(error)
        async with self._turns:
            report = await self._report(period)
            pictures = await asyncio.to_thread(_drawn, report)
        context = {
            "report": report,
            "asked": await self._asked(request, report),
            "pictures": pictures,
            "problem": problem,
            "ways": _ways(period, self._parts.now().astimezone(self._parts.zone).date()),
            "prices": self._parts.prices,
            "definitions": DEFINITIONS,
            "ending_labels": ENDING_LABELS,
            "items": ITEMS,
            "words": wording,
        }
        return self._parts.shell.render(request, "report/report.html", context, status=400 if problem else 200)

    async def json(self, request: web.Request) -> web.StreamResponse:
        """The same as values."""
        try:
            period = self._period(request)
        except PeriodError as error:
            return web.json_response({"error": str(error)}, status=400)
        async with self._turns:
            report = await self._report(period)
        return web.json_response(report_as_json(report, await self._asked(request, report)))

    def _period(self, request: web.Request) -> Period:
        asked_for = {name: request.query.get(name, "") for name in ASKED_FOR}
        return read_period(asked_for, now=self._parts.now(), zone=self._parts.zone)

    def _today(self) -> Period:
        return read_period({}, now=self._parts.now(), zone=self._parts.zone)

    async def _report(self, period: Period) -> Report:
        records = await records_about(self._parts.ledger, period)
        now, prices = self._parts.now(), self._parts.prices
        return await asyncio.to_thread(tally, records, period=period, now=now, prices=prices)

    async def _asked(self, request: web.Request, report: Report) -> list[Asked] | None:
        """The questions' texts, for those who may read them."""
        if self._parts.shell.agent(request).role != MAY_READ_QUESTIONS:
            return None
        return await asked(self._parts.ledger, report)


def _drawn(report: Report) -> Pictures:
    reasons = {wording.reason_words(reason): count for reason, count in report.reasons.items()}
    intents = {wording.intent_words(intent): count for intent, count in report.intents.items()}
    return Pictures(
        over_time=charts.over_time(report.over_time) if report.messages else None,
        reasons=charts.ranked(reasons) if reasons else None,
        intents=charts.ranked(intents) if intents else None,
        articles=charts.ranked(report.articles) if report.articles else None,
    )


def _ways(period: Period, today: date) -> Ways:
    """The same number of days before and after, and the usual ones."""
    step = timedelta(days=period.days)
    has_after = period.last < today
    return Ways(
        before=_address(period.first - step, period.last - step),
        after=_address(period.first + step, min(period.last + step, today)) if has_after else None,
        today=today,
        week_from=today - timedelta(days=6),
    )


def _address(first: date, last: date) -> str:
    return f"?day={first}" if first == last else f"?from={first}&to={last}"
