"""What every process tells operators: `/healthz` (is it alive), `/readyz` (can it work), `/metrics` (what it did)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client.exposition import choose_encoder
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.metrics import ProcessMetrics

Check = Callable[[], Awaitable[str | None]]
"""Says what is wrong in one line, or None."""


def health_routes(metrics: ProcessMetrics, checks: Mapping[str, Check]) -> list[web.RouteDef]:
    """`/healthz`: 200 while the process runs; `/readyz`: 200, or 503 with what it waits for; `/metrics`."""
    process = metrics.process

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"process": process, "alive": True})

    async def readyz(_: web.Request) -> web.Response:
        troubles = await troubles_of(checks)
        body = {"process": process, "ready": not troubles, "troubles": troubles}
        return web.json_response(body, status=503 if troubles else 200)

    async def exported(request: web.Request) -> web.Response:
        troubles, *_ = await asyncio.gather(troubles_of(checks), *(refresh() for refresh in metrics.refreshes))
        metrics.note_ready(not troubles)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(metrics.registry), headers={"Content-Type": content_type})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", exported)]


async def troubles_of(checks: Mapping[str, Check]) -> dict[str, str]:
    """What is wrong now, by check."""
    return {name: trouble for name, check in dict(checks).items() if (trouble := await check())}


def redis_check(redis: Redis) -> Check:
    """Whether Redis answers and takes what is written."""

    async def check() -> str | None:
        try:
            state = await redis.info()  # Redis 6 refuses to be asked for two sections at once
        except RedisError as error:
            return f"Redis does not answer ({type(error).__name__}); messages wait."
        if state.get("loading"):
            return "Redis is still reading its file."
        if state.get("aof_last_write_status", "ok") != "ok":
            return "Redis cannot write its file; free some disk."
        if 0 < state.get("maxmemory", 0) <= state["used_memory"]:
            return "Redis is full; raise its maxmemory."
        return None

    return check


def told(trouble: Callable[[], str | None]) -> Check:
    """A check of something that already knows its trouble."""

    async def check() -> str | None:
        return trouble()

    return check


@asynccontextmanager
async def serving(app: web.Application, *, host: str, port: int) -> AsyncIterator[None]:
    """Serves an application until the end of the block. Raises OSError where the port is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def health_pages(
    metrics: ProcessMetrics, checks: Mapping[str, Check], *, host: str, port: int
) -> AsyncIterator[None]:
    """Serves only the health checks and the metrics, for processes that have no pages."""
    app = web.Application()
    app.add_routes(health_routes(metrics, checks))
    async with serving(app, host=host, port=port):
        yield
