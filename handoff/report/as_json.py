"""The report as JSON: every number by the name that definitions.py gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handoff.report.questions import Asked
from handoff.report.report import Cost, Report, Times
from handoff.report.wording import exact_words

PLAIN = (
    *("messages", "public", "private", "answered", "opened", "joined", "silent", "waiting"),
    *("conversations", "contained", "abandoned", "handed_over", "only_heard"),
    *("cases", "open_cases", "breached_cases"),
    *("promises_told", "promises_kept", "promises_broken", "promises_ended", "promises_running"),
    *("bot_said", "people_said", "never_said"),
)
COUNTED = ("silent_rules", "reasons", "intents", "articles")


def report_as_json(report: Report, asked: Sequence[Asked] | None = None) -> dict[str, Any]:
    """Times in milliseconds, money as text; the questions' texts only where they were asked for."""
    period = report.period
    return {
        "period": {
            "from": period.first.isoformat(),
            "to": period.last.isoformat(),
            "time_zone": period.zone.key,
            "starts_at": period.starts_at.isoformat(),
            "ends_at": period.ends_at.isoformat(),
        },
        "as_of": report.as_of.isoformat(timespec="seconds"),
        **{name: getattr(report, name) for name in PLAIN},
        **{name: dict(getattr(report, name)) for name in COUNTED},
        "containment": None if report.containment is None else round(report.containment, 4),
        "bot_first_reply": _times(report.bot_first_reply),
        "people_first_reply": _times(report.people_first_reply),
        "over_time": [{"starts_at": bar.stretch.starts_at.isoformat(), **bar.counts} for bar in report.over_time],
        "unanswered": _unanswered(report, asked),
        "cost": _cost(report.cost),
    }


def _times(times: Times) -> dict[str, int | None]:
    return {"count": times.count, "median_ms": times.median_ms, "p90_ms": times.p90_ms}


def _unanswered(report: Report, asked: Sequence[Asked] | None) -> list[dict[str, Any]]:
    if asked is None:
        return [{"intent": group.intent, "count": group.count} for group in report.unanswered]
    return [{"intent": group.intent, "count": group.count, "texts": list(group.texts)} for group in asked]


def _cost(cost: Cost) -> dict[str, Any]:
    lines = [
        {"item": line.item, "count": line.count, "price": exact_words(line.price), "amount": exact_words(line.amount)}
        for line in cost.lines
    ]
    return {"currency": cost.currency, "total": exact_words(cost.total), "lines": lines}
