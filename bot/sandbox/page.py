"""The page in the browser, and what it reads: timelines, threads, conversations, live events."""

import asyncio
import json
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.sandbox.api import WORLD
from bot.sandbox.people import RefusedError
from bot.sandbox.records import MAX_ID, Window, conversation_of
from bot.sandbox.views import user_on_page
from bot.sandbox.wishes import post_with, user_named

HERE = Path(__file__).parent
HEARTBEAT_S = 15
MAX_PAGE = 100
CONTENT_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
TEMPLATES = web.AppKey("templates", Environment)

routes = web.RouteTableDef()
routes.static("/static", HERE / "static")


def templates() -> Environment:
    """The templates of the page; everything that they show is escaped."""
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


@routes.get("/")
async def page(request: web.Request) -> web.Response:
    """The network as its people see it."""
    account = request.app[WORLD].account
    html = request.app[TEMPLATES].get_template("page.html").render(account=account)
    return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": CONTENT_POLICY})


@routes.get("/_sim/state")
async def state(request: web.Request) -> web.Response:
    """Who is here, and which of them is the company."""
    world = request.app[WORLD]
    users = [user_on_page(user) for user in world.people.all()]
    return web.json_response({"account": user_on_page(world.account), "users": users})


@routes.get("/_sim/posts")
async def posts(request: web.Request) -> web.Response:
    """The newest posts, of everybody or of `author`; `before` leads on to older ones."""
    world, window = request.app[WORLD], _window(request)
    if author := request.query.get("author"):
        found = world.timeline.posts_of(user_named(world, author), window)
    else:
        found = world.timeline.everything(window)
    shown = [world.on_page(post) for post in found[: window.limit]]
    return web.json_response({"posts": shown, "more": len(found) > window.limit})


@routes.get("/_sim/posts/{id}/thread")
async def thread(request: web.Request) -> web.Response:
    """The whole conversation of a post, oldest first; of deleted posts only the place remains."""
    world = request.app[WORLD]
    post = post_with(world, request.match_info["id"])
    shown = [world.on_page(other) for other in world.timeline.thread(post.conversation_id)]
    for other in shown:
        if other["deleted"]:
            other["text"] = ""
    return web.json_response({"posts": shown, "id": str(post.id)})


@routes.get("/_sim/dms")
async def messages(request: web.Request) -> web.Response:
    """The messages between the account and `with`, newest first."""
    world, window = request.app[WORLD], _window(request)
    other = user_named(world, request.query.get("with", ""))
    found = world.direct.of_conversation(conversation_of(world.account.id, other.id), window)
    shown = [world.dm_on_page(message) for message in found[: window.limit]]
    return web.json_response({"messages": shown, "more": len(found) > window.limit})


def _window(request: web.Request) -> Window:
    limit, before = request.query.get("limit", "40"), request.query.get("before", str(MAX_ID))
    if not (limit.isascii() and limit.isdecimal() and before.isascii() and before.isdecimal() and len(before) <= 19):
        raise RefusedError("`limit` and `before` should be numbers.")
    return Window(limit=max(1, min(int(limit), MAX_PAGE)), before_id=min(int(before), MAX_ID))


@routes.get("/_sim/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Everything that happens from now on, as server-sent events."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    with request.app[WORLD].live.listening() as queue:
        await response.prepare(request)
        await response.write(b"retry: 1000\n\n")
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), HEARTBEAT_S)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event["type"] == "closing":
                return response
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
