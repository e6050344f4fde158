"""The API under /2: who asks, what goes wrong, how much is left, and what every answer carries."""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web

from bot.sandbox import problems
from bot.sandbox.faults import Fault
from bot.sandbox.oauth import SignatureCheck
from bot.sandbox.problems import ProblemError
from bot.sandbox.reading import Json, Reader
from bot.sandbox.world import World

WORLD = web.AppKey("world", World)
SIGNATURES = web.AppKey("signatures", SignatureCheck)
READER = web.RequestKey("reader", Reader)
MAX_BODY_BYTES = 2**20

log = structlog.get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer; header and body leave in one write."""
    return web.Response(
        text=json.dumps(body, ensure_ascii=False),
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def created(body: Mapping[str, Any], location: str) -> web.Response:
    """A 201 with the address of what was made."""
    return answer(body, status=201, headers={"Location": location})


async def body_of(request: web.Request) -> Json:
    """The JSON object in the body; anything else is an invalid request."""
    try:
        body = await request.json()
    except ValueError:
        raise problems.invalid("The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise problems.invalid("The body is not a JSON object")
    return body


@web.middleware
async def api_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put faults, signature, limits and headers around every endpoint under /2."""
    if not request.path.startswith("/2/"):
        return await handler(request)
    world, began = request.app[WORLD], time.perf_counter()
    trouble = world.faults.trouble_for(request.method, request.path)
    await asyncio.sleep(trouble.wait_ms / 1000)
    strike = trouble.strike
    if strike and strike.kind != "drop_after":
        return _struck(request, strike)
    response = await _answer_or_problem(request, handler)
    await asyncio.sleep(trouble.wait_after_ms / 1000)
    if strike:
        return _dropped(request)
    response.headers["x-response-time"] = str(int((time.perf_counter() - began) * 1000))
    return response


def _struck(request: web.Request, fault: Fault) -> web.Response:
    if fault.kind == "error":
        titles = {500: "Internal Server Error", 503: "Service Unavailable"}
        title = titles.get(fault.status, "Something went wrong")
        return _problem(problems.blank(fault.status, title, title))
    if fault.kind == "unavailable":
        return web.Response(status=503, text="Service Unavailable")
    return _dropped(request)


def _dropped(request: web.Request) -> web.Response:
    """Close the connection; the response that aiohttp wants goes nowhere."""
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _answer_or_problem(request: web.Request, handler: Handler) -> web.StreamResponse:
    spent: dict[str, str] = {}
    try:
        response = await _checked(request, handler, spent)
    except ProblemError as error:
        response = _problem(error)
    except web.HTTPException as error:
        response = _problem(problems.blank(error.status, error.reason, error.reason))
    except Exception:
        log.exception("sandbox_failed", method=request.method, path=request.path)
        response = _problem(problems.blank(500, "Internal Server Error", "Internal Server Error"))
    response.headers.update(spent)
    response.headers["api-version"] = "2.166"
    response.headers["x-access-level"] = "read-write-directmessages"
    response.headers["x-transaction-id"] = secrets.token_hex(8)
    return response


async def _checked(request: web.Request, handler: Handler, spent: dict[str, str]) -> web.StreamResponse:
    world = request.app[WORLD]
    viewer = request.app[SIGNATURES].user_of(request)
    resource = request.match_info.route.resource
    if resource is not None:
        allowance = world.limits.spend(viewer.id, f"{request.method} {resource.canonical}")
        spent |= allowance.headers
        if allowance.exceeded:
            raise problems.too_many({})
    request[READER] = Reader(world=world, viewer=viewer, query=request.query)
    return await handler(request)


def _problem(error: ProblemError) -> web.Response:
    if isinstance(error.body, str):
        return web.Response(status=error.status, text=error.body, headers=error.headers)
    kind = "application/json" if error.status == 200 else "application/problem+json"
    headers = {"Content-Type": f"{kind}; charset=utf-8", **error.headers}
    return answer(error.body, status=error.status, headers=headers)
