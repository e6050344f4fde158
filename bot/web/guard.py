"""What every request passes: where it comes from, who sends it, what goes wrong, and the headers of the answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from redis.exceptions import RedisError

from bot.web.errors import error_page
from bot.web.roles import may_open
from bot.web.shell import AGENT, Shell, wants_json
from handoff.scripts import LedgerAway, LedgerFull

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OPEN_PATHS = re.compile(r"^/(sign-in|healthz|readyz|metrics|favicon\.ico|([a-z]+/)?static/.+)$")
SAFE_METHODS = frozenset({"GET", "HEAD"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def guards(shell: Shell, *, public_origin: str | None) -> list[Middleware]:
    """The middlewares, outermost first: errors become pages, foreign forms are refused, strangers sign in."""

    @web.middleware
    async def with_error_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return await error_page(shell, request, error.status)
        except (LedgerAway, LedgerFull, RedisError) as error:
            log.warning("web_store_away", path=request.path, error=type(error).__name__)
            return await error_page(shell, request, 503)
        except ConnectionResetError:  # the browser left
            raise
        except Exception as error:
            log.exception("web_failed", path=request.path, error=type(error).__name__)
            return await error_page(shell, request, 500)

    @web.middleware
    async def from_this_site(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method not in SAFE_METHODS and not _is_ours(request, public_origin):
            log.warning("web_foreign_form", path=request.path)
            raise web.HTTPForbidden
        return await handler(request)

    @web.middleware
    async def signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        if OPEN_PATHS.match(request.path):
            return await handler(request)
        agent = await shell.who(request)
        if agent is None:
            return _please_sign_in(request)
        request[AGENT] = agent
        if not may_open(agent.role, request.path):
            raise web.HTTPForbidden
        return await handler(request)

    return [with_error_pages, from_this_site, signed_in]


def header_signal(*, secure: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Adds the security headers to every answer, streams included."""

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)
        if secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if "/static/" in request.path and "v" in request.query:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        elif "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"

    return add


def _is_ours(request: web.Request, public_origin: str | None) -> bool:
    """Whether a change was asked for by a page of this site: `Origin` must match, `Sec-Fetch-Site` if sent."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("Origin", "")
    if public_origin:
        return origin == public_origin.rstrip("/")
    return bool(origin) and urlsplit(origin).netloc == request.host


def _please_sign_in(request: web.Request) -> web.StreamResponse:
    if wants_json(request) or request.path == "/live":
        return web.json_response({"error": "Sign in first.", "sign_in": "/sign-in"}, status=401)
    # A form that was posted cannot be repeated after signing in: its page is shown instead.
    back = request.headers.get("Referer", "") if request.method == "POST" else request.path_qs
    path = urlsplit(back).path if request.method == "POST" else back
    raise web.HTTPSeeOther(f"/sign-in?next={quote(path)}" if path not in ("", "/") else "/sign-in")
