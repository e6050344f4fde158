"""The desk's web application: the shell, and in it the console."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

import handoff.console
import handoff.report
from bot.announcement_clock import AnnouncementClock, announce_what_is_due
from bot.ending import end
from bot.web.agents import Agents
from bot.web.guard import guards, header_signal
from bot.web.live import Live
from bot.web.roles import home_of
from bot.web.sessions import Attempts, Sessions
from bot.web.shell import HERE, Shell
from bot.web.sign_in import SignIn
from bot.web.stop_banner import stop_banner
from handoff.announcements import Announcements
from handoff.announcing import Announcing
from handoff.changes import Announced, Changes
from handoff.console.app import create_console
from handoff.console.parts import Clock, Composer, ConsoleParts
from handoff.desk import Desk
from handoff.ledger import Ledger
from handoff.queue import Queue
from handoff.report.app import create_report
from handoff.report.parts import ReportParts
from handoff.report.prices import Prices
from handoff.scripts import LedgerAway, LedgerFull

log = structlog.get_logger()

LIVE = web.AppKey("live", Live)
LARGEST_REQUEST_BYTES = 256 * 1024
"""The longest reply (10,000 characters of 4 bytes), as a form sends it, and some room."""


async def create_desk_app(
    *,
    redis: Redis,
    ledger: Ledger,
    desk: Desk,
    queue: Queue,
    agents: Agents,
    composer: Composer,
    now: Clock,
    account: str,
    zone: ZoneInfo,
    prices: Prices,
    announcing: Announcing,
    announcements: Announcements | None = None,
    secure: bool = False,
    public_origin: str | None = None,
    demo_hint: str | None = None,
    health: Sequence[web.AbstractRouteDef] = (),
    heartbeat_s: float = 15.0,
    promises_every_s: float = 5.0,
    announcements_every_s: float = 1.0,
) -> web.Application:
    """Everything under one address; while it runs it follows the ledger, breaks overdue promises, announces.

    `secure`: served by https. `public_origin`: the address browsers see, where a proxy changes the Host header.
    `zone`: in which the report's days begin and end.
    `announcements`: None announces nothing.
    """
    shell = Shell(
        agents=agents,
        sessions=Sessions(redis, agents),
        now=now,
        account=account,
        cookie="__Host-frontdesk" if secure else "frontdesk",
        folders={"console": Path(handoff.console.__path__[0]), "report": Path(handoff.report.__path__[0])},
    )
    live = Live(Changes(redis, Announced.CHANGES), shell, heartbeat_s=heartbeat_s)
    passed = [*guards(shell, public_origin=public_origin), stop_banner(announcing)]
    app = web.Application(client_max_size=LARGEST_REQUEST_BYTES, middlewares=passed)
    app[LIVE] = live
    app.on_response_prepare.append(header_signal(secure=secure))
    app.add_routes(SignIn(shell, Attempts(redis), secure=secure, demo_hint=demo_hint).routes())
    app.add_routes([web.get("/", _home(shell)), web.get("/live", live.stream), web.static("/static", HERE / "static")])
    app.add_routes(health)
    parts = ConsoleParts(ledger=ledger, desk=desk, queue=queue, composer=composer, shell=shell, now=now)
    app.add_subapp("/console", create_console(parts))
    report = ReportParts(ledger=ledger, shell=shell, now=now, zone=zone, prices=prices)
    app.add_subapp("/report", create_report(report))
    timers = [partial(break_promises, desk, now, every_s=promises_every_s)]
    if announcements:
        clock = AnnouncementClock(announcements, announcing)
        timers.append(partial(announce_what_is_due, clock, now, every_s=announcements_every_s))
    app.cleanup_ctx.append(_running(live.follow, *timers))
    app.on_shutdown.append(_ending(live))
    return app


def _home(shell: Shell) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Leads to the page of one's role; editors have none and learn where the articles are."""

    async def home(request: web.Request) -> web.StreamResponse:
        page = home_of(shell.agent(request).role)
        if page != "/":
            raise web.HTTPSeeOther(page)
        return shell.render(request, "shell/articles.html", {})

    return home


def _ending(live: Live) -> Callable[[web.Application], Awaitable[None]]:
    async def end(_: web.Application) -> None:
        live.close()

    return end


def _running(*works: Callable[[], Coroutine[None, None, None]]) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(_: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work()) for work in works]
        yield
        for task in tasks:
            await end(task)

    return run


async def break_promises(desk: Desk, now: Clock, *, every_s: float) -> None:
    """Marks overdue promises for ever; waits while Redis is away."""
    while True:
        try:
            for case_id in await desk.break_due_promises(now()):
                log.info("promise_broken", case=case_id)
        except (LedgerAway, LedgerFull, RedisError) as error:
            log.warning("promises_wait", error=type(error).__name__)
        except Exception:
            log.exception("promises_failed")
        await asyncio.sleep(every_s)
