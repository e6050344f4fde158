"""`frontdesk announce`, `stop` and `go`: what the account says to everybody, and the switch that silences the bot."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from bot.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from bot.wiring import LedgerParts
    from handoff.announcements import Announcements, Occurrence
    from handoff.announcing import Stop

Plan = TypeVar("Plan")

NEXT_DAYS = 400
"""How far ahead the next occurrence of a template is looked for."""

app = typer.Typer(
    name="announce",
    help="Say something to everybody: what is planned, how it reads, now, or not at all.\n\n"
    "Texts and times stand in `handoff/policies/announcements.yml`; the desk announces them when they are due.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")]
Values = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=WORDS", help="A value the template takes; once for each.")
]
By = Annotated[str, typer.Option(metavar="NAME", help="Who decides it; the journal and the console name them.")]


class Refusal(Exception):
    """What was asked for cannot be done; the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a command found: as JSON, in words, and whether it worked."""

    data: Any
    lines: list[str]
    worked: bool = True


@app.command("list")
def list_(
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days ahead, and back, to show.")] = 7,
    as_json: Json = False,
) -> None:
    """Show what was announced lately and what is coming, with its id, moment and state.

    States: `planned`; `queued`, `sending`, `retry_at`, `unknown` (on its way); `sent`; `skipped` (too late);
    `cancelled`, `blocked`, `dead`.
    """

    async def run(parts: LedgerParts, plan: Announcements, now: datetime) -> Told:
        span = timedelta(days=days)
        recorded = {one.id: one for one in await parts.announcing.recorded(now - span)}
        coming = [one for one in plan.between(now, now + span) if one.id not in recorded]
        rows = [
            *(_row(one.id, one.at_ms, one.state, one.text, one.detail, one.external_id) for one in recorded.values()),
            *(_row(one.id, _ms(one.at), "planned", one.text, _problem(one), "") for one in coming),
        ]
        lines = [f"{row['at']}  {row['state']:<9}  {row['id']}{_aside(row)}" for row in rows]
        stop = await parts.announcing.stopped()
        data = {"stopped": stop.model_dump() if stop else None, "announcements": rows}
        return Told(data=data, lines=[*_stop_lines(stop), *(lines or ["Nothing."])])

    _tell(run, as_json)


@app.command()
def preview(
    name: Annotated[str, typer.Argument(help="A template such as `opening` or `incident`, or an id from `list`.")],
    values: Values = None,
    as_json: Json = False,
) -> None:
    """Show how an announcement reads, how long X finds it, and what is wrong with it; nothing is said or stored.

    Of the hours' own (`opening`, `closing`, `special_day`) the next one is shown. Needs no running Frontdesk.
    Exit code 1 when it could not be sent.
    """

    def run(plan: Announcements, now: datetime) -> Told:
        from bot.channels.x.text import PUBLIC_LIMIT, weighted_length
        from handoff.announcements import PLACEHOLDERS

        coming = plan.between(now, now + timedelta(days=NEXT_DAYS)) if name in PLACEHOLDERS or ":" in name else []
        found = next((one for one in coming if name in (one.id, one.template)), None)
        if found is None and (name in PLACEHOLDERS or ":" in name):
            raise Refusal(f"nothing by “{name}” is planned within {NEXT_DAYS} days. See `frontdesk announce list`.")
        occurrence = found or plan.at_once(name, _values(values), now)
        problem, length = _problem(occurrence), weighted_length(occurrence.text)
        data = {"id": occurrence.id, "at": occurrence.at.isoformat(), "text": occurrence.text, "length": length}
        lines = [occurrence.text, f"({length} of {PUBLIC_LIMIT} characters)", *([problem] if problem else [])]
        return Told(data={**data, "problem": problem or None}, lines=lines, worked=not problem)

    _ended(lambda: run(_plan(_settings()), datetime.now(UTC)), as_json)


@app.command()
def now(
    template: Annotated[str, typer.Argument(help="One of the `templates` in announcements.yml, such as `incident`.")],
    values: Values = None,
    as_json: Json = False,
) -> None:
    """Say something to everybody now, such as: now incident --set what="the check-in outage".

    Refused during a stop. The same words within one minute are said once. Delivery sends it; `list` tells when.
    """

    async def run(parts: LedgerParts, plan: Announcements, now: datetime) -> Told:
        occurrence = plan.at_once(template, _values(values), now)
        if problem := _problem(occurrence):
            raise Refusal(f"{problem} Change the words; `frontdesk announce preview` shows them.")
        if stop := await parts.announcing.stopped():
            raise Refusal(f"{_stop_lines(stop)[0]} Run `frontdesk go` first.")
        ruling = await parts.announcing.announce(occurrence, now)
        said = f"{ruling.result}: {occurrence.id}"
        data = {"id": occurrence.id, "result": ruling.result, "text": occurrence.text}
        return Told(data=data, lines=[said, occurrence.text])

    _tell(run, as_json)


@app.command()
def cancel(
    announcement: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `frontdesk announce list` shows it.")],
    as_json: Json = False,
) -> None:
    """Call an announcement off: one that is planned, or one that waits to be sent.

    Exit code 1 when it is being sent or was; delete the post on X then.
    """

    async def run(parts: LedgerParts, plan: Announcements, now: datetime) -> Told:
        ahead = plan.between(now - plan.plan.grace, now + timedelta(days=NEXT_DAYS))
        planned = next((one for one in ahead if one.id == announcement), None)
        recorded = await parts.announcing.record(announcement)
        if planned is None and recorded is None:
            raise Refusal(f"no announcement “{announcement}”. `frontdesk announce list` shows their ids.")
        at = datetime.fromtimestamp(recorded.at_ms / 1000, UTC) if recorded else planned.at if planned else now
        kind = recorded.template if recorded else planned.template if planned else ""
        ruling = await parts.announcing.cancel(announcement, at, now, template=kind)
        data = {"id": announcement, "result": ruling.result, "state": ruling.state}
        state = f" ({ruling.state})" if ruling.result == "too_late" else ""
        return Told(data=data, lines=[f"{ruling.result}{state}: {announcement}"], worked=ruling.result == "cancelled")

    _tell(run, as_json)


def stop(
    reason: Annotated[str, typer.Option(help="Why; the console shows it.")] = "",
    by: By = "an operator",
    as_json: Json = False,
) -> None:
    """Stop everything automated at once: replies of the bot, notices and announcements.

    Delivery looks just before each sending. What agents write still goes, messages are still received, and the console
    shows a banner. What waits is sent after `frontdesk go`, unless it has expired or a person has answered since.
    """

    async def run(parts: LedgerParts, _: None, now: datetime) -> Told:
        ruling = await parts.announcing.stop(by[:60], reason[:200], now)
        found = await parts.announcing.stopped()
        data = {"result": ruling.result, "stopped": found.model_dump() if found else None}
        return Told(data=data, lines=_stop_lines(found))

    _tell(run, as_json, plan_of=lambda _: None)


def go(by: By = "an operator", as_json: Json = False) -> None:
    """End a stop: the bot answers again, and announcements that are not too late are made."""

    async def run(parts: LedgerParts, _: None, now: datetime) -> Told:
        ruling = await parts.announcing.go(by[:60], now)
        words = "Automated words go out again." if ruling.result == "resumed" else "There is no stop; nothing to end."
        return Told(data={"result": ruling.result, "stopped": None}, lines=[words])

    _tell(run, as_json, plan_of=lambda _: None)


def _plan(settings: Settings) -> Announcements:
    from bot.wiring import announcements

    return announcements(settings)


def _tell(
    run: Callable[[LedgerParts, Plan, datetime], Awaitable[Told]],
    as_json: bool,
    *,
    plan_of: Callable[[Settings], Plan] = _plan,  # type: ignore[assignment]
) -> None:
    """Runs a command on the ledger, and prints what it found."""

    async def with_parts() -> Told:
        from bot.wiring import ledger_parts

        settings = _settings()
        plan = plan_of(settings)
        parts = ledger_parts(settings)
        try:
            return await run(parts, plan, datetime.now(UTC))
        finally:
            await parts.redis.aclose()

    _ended(lambda: asyncio.run(with_parts()), as_json)


def _ended(run: Callable[[], Told], as_json: bool) -> None:
    from redis.exceptions import RedisError

    from bot.embedded_redis import NoRedis
    from handoff.announcement_text import TextRefused
    from handoff.policy import PolicyError
    from handoff.scripts import LedgerAway, LedgerFull

    try:
        told = run()
    except (Refusal, NoRedis, TextRefused, PolicyError) as error:
        _refuse(str(error))
    except (LedgerAway, LedgerFull, RedisError) as error:
        _refuse(f"Redis does not answer as it should ({type(error).__name__}). Is `frontdesk up` running?")
    text = json.dumps(told.data, ensure_ascii=False, indent=2) if as_json else "\n".join(told.lines)
    sys.stdout.write(text + "\n")
    raise typer.Exit(0 if told.worked else 1)


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _refuse(str(error))


def _refuse(line: str) -> NoReturn:
    print(f"frontdesk: {line}", file=sys.stderr, flush=True)
    raise typer.Exit(1)


def _values(given: list[str] | None) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given or []:
        name, sign, words = one.partition("=")
        if not sign:
            raise Refusal(f"“{one}” is no value. Write it like  --set what='the check-in outage'.")
        values[name.strip()] = words
    return values


def _problem(occurrence: Occurrence) -> str:
    """Why X or our rules would refuse it; empty when nothing is wrong."""
    from bot.channels.x.rules import XRules
    from handoff.announcing import entry_of

    refused = XRules().refusal(entry_of(occurrence, occurrence.at), None)
    return refused.detail if refused else ""


def _row(name: str, at_ms: int, state: str, text: str, detail: str, external_id: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="minutes")
    return {"id": name, "at": at, "state": state, "text": text, "detail": detail, "external_id": external_id}


def _aside(row: dict[str, Any]) -> str:
    return f"  ({row['detail']})" if row["detail"] else ""


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _stop_lines(stop: Stop | None) -> list[str]:
    if stop is None:
        return []
    since = datetime.fromtimestamp(stop.since_ms / 1000, UTC).isoformat(timespec="minutes")
    why = f": {stop.reason}" if stop.reason else ""
    return [f"Nothing automated is said since {since}, stopped by {stop.by}{why}."]
