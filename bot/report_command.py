"""`frontdesk report`: counts what the journal tells of some days."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from handoff.report.questions import Asked
    from handoff.report.report import Report

DAY = "YYYY-MM-DD"


def report(
    day: Annotated[str, typer.Option(metavar=DAY, help="One day. Without any day: today.")] = "",
    first: Annotated[str, typer.Option("--from", metavar=DAY, help="The first of several days.")] = "",
    last: Annotated[str, typer.Option("--to", metavar=DAY, help="The last of them; today if left out.")] = "",
    texts: Annotated[bool, typer.Option("--texts", help="Show the texts of unanswered questions too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")] = False,
) -> None:
    """Show the report of a day or of several: messages, hand-overs, reply times, promises, topics, cost.

    Counted from the journal alone; days begin and end by the clock of `hours.yml`. What each number means stands in
    `docs/report.md`. The same with charts: `/report` on the desk.
    """
    from redis.exceptions import RedisError
    from rich.console import Console

    from bot.embedded_redis import NoRedis
    from handoff.policy import PolicyError
    from handoff.report.as_json import report_as_json
    from handoff.report.period import PeriodError
    from handoff.report.terminal import print_report

    days = {"day": day, "from": first, "to": last}
    try:
        counted, asked = asyncio.run(reported(read_settings(), days, with_texts=texts))
    except (SettingsError, PeriodError, NoRedis, PolicyError) as error:
        _refuse(str(error))
    except RedisError as error:
        _refuse(f"Redis does not answer as it should ({type(error).__name__}). Is `frontdesk up` running?")
    if as_json:
        sys.stdout.write(json.dumps(report_as_json(counted, asked), ensure_ascii=False, indent=2) + "\n")
    else:
        print_report(counted, Console(highlight=False), asked)


async def reported(
    settings: Settings, days: Mapping[str, str], *, with_texts: bool
) -> tuple[Report, list[Asked] | None]:
    """The report of some days, as `day`, `from` and `to` name them, and the questions' texts if they are wanted.

    Raises PeriodError, NoRedis, PolicyError, or what redis-py raises when it cannot be read.
    """
    from bot import wiring
    from bot.clock import SystemClock
    from handoff.report.journal import records_about
    from handoff.report.period import read_period
    from handoff.report.questions import asked
    from handoff.report.tally import tally

    now, prices = SystemClock().now(), wiring.prices()
    period = read_period(days, now=now, zone=wiring.service_hours().zone)
    parts = wiring.ledger_parts(settings)
    try:
        counted = tally(await records_about(parts.ledger, period), period=period, now=now, prices=prices)
        return counted, await asked(parts.ledger, counted) if with_texts else None
    finally:
        await parts.redis.aclose()


def _refuse(line: str) -> NoReturn:
    print(f"frontdesk: {line}", file=sys.stderr, flush=True)
    raise typer.Exit(1)
