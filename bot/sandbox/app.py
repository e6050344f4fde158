"""The server: the API, the control plane and the page on one port."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from bot.sandbox import api_messages, api_people, api_posts, control, control_rules, page
from bot.sandbox.api import MAX_BODY_BYTES, SIGNATURES, WORLD, api_middleware
from bot.sandbox.oauth import SignatureCheck
from bot.sandbox.people import RefusedError
from bot.sandbox.wishes import MissingError
from bot.sandbox.world import Account, World

MAX_BULK_BYTES = 64 * MAX_BODY_BYTES
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(world: World, *, other_apps: Mapping[str, str] | None = None) -> web.Application:
    """The sandbox over a world, which it closes at its end; `other_apps` maps consumer keys to their secrets."""
    account = world.account_settings
    apps = {account.consumer_key: account.consumer_secret, **(other_apps or {})}
    app = web.Application(middlewares=[control_middleware, api_middleware], client_max_size=MAX_BULK_BYTES)
    app[WORLD] = world
    app[SIGNATURES] = SignatureCheck(apps=apps, people=world.people, now_s=lambda: world.store.now_ms() / 1000)
    app[page.TEMPLATES] = page.templates()
    for part in (api_people, api_posts, api_messages, control, control_rules, page):
        app.add_routes(part.routes)
    app.router.add_get("/healthz", _healthy)
    app.router.add_get("/readyz", _ready)
    app.on_shutdown.append(_stop_listeners)
    app.on_cleanup.append(_close_world)
    return app


@web.middleware
async def control_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals of the control plane into JSON, and keep other sites' pages away from it."""
    if not request.path.startswith("/_sim/"):
        return await handler(request)
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return web.json_response({"error": "Only the sandbox's own page may do this."}, status=403)
    try:
        return await handler(request)
    except RefusedError as error:
        return web.json_response({"error": str(error)}, status=400)
    except MissingError as error:
        return web.json_response({"error": str(error)}, status=404)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)


async def _healthy(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _ready(request: web.Request) -> web.Response:
    return web.json_response({"status": "ready", "account": request.app[WORLD].account.handle})


async def _stop_listeners(app: web.Application) -> None:
    app[WORLD].live.close()


async def _close_world(app: web.Application) -> None:
    app[WORLD].close()


async def serve(
    *,
    host: str,
    port: int,
    state_path: Path,
    account: Account | None = None,
    limits: str = "off",
    stop: asyncio.Event | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run the sandbox until `stop` is set or the task is cancelled; `ready` gets the address once it listens.

    Port 0 takes a free one. A taken port is an OSError."""
    world = World(state_path=state_path, account=account, limits=limits)
    runner = web.AppRunner(create_app(world), access_log=None, shutdown_timeout=2)
    try:
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        if ready:
            ready(f"http://{host}:{runner.addresses[0][1]}")
        await (stop or asyncio.Event()).wait()
    finally:
        await runner.cleanup()
