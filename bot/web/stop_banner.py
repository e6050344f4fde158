"""The banner of a stop: everybody at the desk sees that nothing automated is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.web.shell import AGENT, STOP
from handoff.announcing import Announcing

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def stop_banner(announcing: Announcing) -> Middleware:
    """Tells the pages of signed-in people of a stop; goes behind the guard that knows them."""

    @web.middleware
    async def with_stop(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_page = AGENT in request and "/static/" not in request.path
        stop = await announcing.stopped() if is_page else None
        if stop:
            request[STOP] = stop
        return await handler(request)

    return with_stop
