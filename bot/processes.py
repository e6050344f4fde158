"""The processes, each in the foreground until SIGTERM or Ctrl-C; what is in hand is finished first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import wiring
from bot.ending import beside
from bot.folder import Folder
from bot.health import Check, health_pages, health_routes, redis_check, serving, told
from bot.settings import Settings
from knowledge.published import PublishedKnowledge

log = structlog.get_logger()


class Progress:
    """How far a process has come, for its readiness."""

    def __init__(self) -> None:
        self.trouble: str | None = "It is starting."


async def run_sandbox(settings: Settings, *, limits: str) -> None:
    """The local X; `limits`: `off`, or `ppu` for X's own."""
    from bot.sandbox.app import serve

    with _stop_signals() as stop:
        await serve(
            host=settings.host,
            port=settings.sandbox_port,
            state_path=Folder(settings.var).sandbox,
            limits=limits,
            stop=stop,
            ready=lambda address: log.info("sandbox_listens", address=address),
        )


async def run_channel(settings: Settings) -> None:
    """Reads the account and delivers the outbox; at its end both leases are given back."""
    from bot.channels.process import run_channel as read_and_deliver

    parts = wiring.ledger_parts(settings, "channel")
    channel = wiring.channel(settings)
    with _stop_signals() as stop:
        await read_and_deliver(
            ingress=wiring.ingress(settings, parts, channel),
            delivery=wiring.delivery(settings, parts, channel),
            redis=parts.redis,
            metrics=parts.metrics,
            stop=stop,
            host=settings.host,
            port=settings.channel_port,
        )
    await parts.redis.aclose()


async def run_responder(settings: Settings) -> None:
    """Turns; at its end the leases are given back."""
    parts = wiring.ledger_parts(settings, "responder")
    progress = Progress()
    checks: dict[str, Check] = {
        "redis": redis_check(parts.redis),
        "responder": told(lambda: progress.trouble),
    }
    with _stop_signals() as stop:
        async with health_pages(parts.metrics, checks, host=settings.host, port=settings.responder_port):
            if await _redis_answers(parts.redis, stop):
                async with wiring.published_knowledge(settings) as knowledge:
                    await _respond(settings, parts, knowledge, progress, checks, stop)
    await parts.redis.aclose()


async def _respond(
    settings: Settings,
    parts: wiring.LedgerParts,
    knowledge: PublishedKnowledge,
    progress: Progress,
    checks: dict[str, Check],
    stop: asyncio.Event,
) -> None:
    """Loads the model, which holds up everything else for some seconds, and works."""
    progress.trouble = "The model is being loaded."
    await asyncio.sleep(0)
    hours = wiring.service_hours()
    async with wiring.sources(settings) as sources:
        assistant = await wiring.assistant(settings, parts, knowledge, hours, sources)
        responder = await wiring.responder(settings, parts, assistant, hours)
        checks["responder"] = told(lambda: responder.trouble)
        checks["knowledge"] = told(lambda: None if knowledge.status.version else knowledge.status.error)
        if not stop.is_set():
            await responder.run(stop)


async def run_desk(settings: Settings) -> None:
    """The console and its timers."""
    parts = wiring.ledger_parts(settings, "desk")
    progress = Progress()
    checks = {"redis": redis_check(parts.redis), "desk": told(lambda: progress.trouble)}
    app = await wiring.desk_app(settings, parts, health_routes(parts.metrics, checks))
    wiring.follow_backlog(settings, parts)
    daily_purge = wiring.daily_purge(settings, parts)
    with _stop_signals() as stop:
        async with serving(app, host=settings.host, port=settings.desk_port):
            if await _redis_answers(parts.redis, stop):
                if settings.is_demo:
                    await wiring.seed_demo(parts)
                progress.trouble = None
                async with beside(daily_purge.run()):
                    await stop.wait()
    await parts.redis.aclose()


async def _redis_answers(redis: Redis, stop: asyncio.Event) -> bool:
    """Waits until Redis answers; False if the process was stopped before."""
    said = False
    while not stop.is_set():
        try:
            await redis.ping()
            return True
        except RedisError as error:
            if not said:
                log.warning("waiting_for_redis", error=type(error).__name__)
                said = True
        try:
            async with asyncio.timeout(0.2):
                await stop.wait()
        except TimeoutError:
            continue
    return False


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
