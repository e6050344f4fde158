"""The control plane under /_sim: what the people of the network do."""

import asyncio
from typing import Any

from aiohttp import web

from bot.sandbox.api import WORLD
from bot.sandbox.people import RefusedError
from bot.sandbox.records import Post, User
from bot.sandbox.timeline import Draft
from bot.sandbox.views import user_on_page
from bot.sandbox.wishes import MissingError, Wish, post_with, user_named, wish_of
from bot.sandbox.world import World

routes = web.RouteTableDef()
ROWS_PER_COMMIT = 200
DM_STATES = {"open": True, "closed": False}


@routes.get("/_sim/users")
async def list_users(request: web.Request) -> web.Response:
    """Everybody on the network."""
    return web.json_response({"users": [user_on_page(user) for user in request.app[WORLD].people.all()]})


@routes.post("/_sim/users")
async def create_user(request: web.Request) -> web.Response:
    """Let somebody join: handle, name, bio, protected, dms ("open" or "closed")."""
    world, wish = request.app[WORLD], await wish_of(request)
    user = world.join(
        wish.text("handle"),
        name=wish.text("name", ""),
        bio=wish.text("bio", ""),
        protected=wish.flag("protected"),
        dm_open=_dm_state(wish, "open"),
    )
    return web.json_response(user_on_page(user), status=201)


@routes.patch("/_sim/users/{handle}")
async def change_user(request: web.Request) -> web.Response:
    """Change name, bio, protected, suspended or dms of a user."""
    world, wish = request.app[WORLD], await wish_of(request)
    changes: dict[str, Any] = {n: wish.text(n) for n in ("name", "bio") if n in wish.values}
    changes |= {n: wish.flag(n) for n in ("protected", "suspended", "automated") if n in wish.values}
    if "dms" in wish.values:
        changes["dm_open"] = _dm_state(wish, None)
    user = world.change(user_named(world, request.match_info["handle"]), changes)
    return web.json_response(user_on_page(user))


def _dm_state(wish: Wish, default: str | None) -> bool:
    state = wish.text("dms", default)
    if state not in DM_STATES:
        raise RefusedError('`dms` is "open" or "closed".')
    return DM_STATES[state]


@routes.post("/_sim/users/{handle}/token")
async def issue_token(request: web.Request) -> web.Response:
    """Give a user keys of their own for the API."""
    world = request.app[WORLD]
    token, secret = world.people.issue_token(user_named(world, request.match_info["handle"]))
    return web.json_response({"access_token": token, "access_token_secret": secret}, status=201)


@routes.post("/_sim/blocks")
async def block(request: web.Request) -> web.Response:
    """Let `blocker` block `blocked`."""
    world, wish = request.app[WORLD], await wish_of(request)
    world.people.block(wish.user(world, "blocker"), wish.user(world, "blocked"))
    return web.json_response({}, status=201)


@routes.delete("/_sim/blocks")
async def unblock(request: web.Request) -> web.Response:
    """Take a block back."""
    world, wish = request.app[WORLD], await wish_of(request)
    world.people.unblock(wish.user(world, "blocker"), wish.user(world, "blocked"))
    return web.json_response({})


@routes.post("/_sim/posts")
async def create_post(request: web.Request) -> web.Response:
    """Post as somebody; the same key again redelivers the post written before, as a 200."""
    world, wish = request.app[WORLD], await wish_of(request)
    post, new = world.post(wish.user(world, "author"), _draft(world, wish), key=wish.maybe_text("key"))
    return web.json_response(world.on_page(post), status=201 if new else 200)


def _draft(world: World, wish: Wish) -> Draft:
    return Draft(
        text=wish.text("text", ""),
        in_reply_to=wish.post(world, "in_reply_to"),
        quote=wish.post(world, "quote"),
        media=wish.flag("media"),
        lang=wish.maybe_text("lang"),
        delay_ms=int(wish.number("delay_s", 0) * 1000),
    )


@routes.post("/_sim/bulk")
async def create_posts(request: web.Request) -> web.Response:
    """Post many at once: `posts` as for one, `create_authors` lets unknown authors join."""
    world, wish = request.app[WORLD], await wish_of(request)
    rows = wish.values.get("posts")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusedError("`posts` should be a list of objects.")
    join = wish.flag("create_authors")
    results: list[dict[str, Any]] = []
    for start in range(0, len(rows), ROWS_PER_COMMIT):
        with world.store.writing():
            results += [_bulk_row(world, Wish(row), join) for row in rows[start : start + ROWS_PER_COMMIT]]
        await asyncio.sleep(0)  # others are served between two commits
    world.live.publish({"type": "resync"})
    return web.json_response({"results": results}, status=201)


def _bulk_row(world: World, wish: Wish, join: bool) -> dict[str, Any]:
    try:
        post, new = world.post(_author(world, wish, join), _draft(world, wish), key=wish.maybe_text("key"), quiet=True)
    except (RefusedError, MissingError) as error:
        return {"error": str(error)}
    return {"id": str(post.id), "new": new}


def _author(world: World, wish: Wish, join: bool) -> User:
    handle = wish.text("author")
    known = world.people.by_handle(handle)
    return known or (world.people.create(handle) if join else user_named(world, handle))


@routes.post("/_sim/posts/{id}/edit")
async def edit_post(request: web.Request) -> web.Response:
    """Give a post a new text; the new version has an id of its own."""
    world, wish = request.app[WORLD], await wish_of(request)
    return web.json_response(world.on_page(world.edit(_post_in_path(request), wish.text("text"))))


@routes.delete("/_sim/posts/{id}")
async def delete_post(request: web.Request) -> web.Response:
    """Take a post away."""
    request.app[WORLD].delete(_post_in_path(request))
    return web.json_response({})


@routes.post("/_sim/posts/{id}/redeliver")
async def redeliver_post(request: web.Request) -> web.Response:
    """Let a post appear once more in the account's next mentions answer."""
    world, post = request.app[WORLD], _post_in_path(request)
    world.store.redeliver("post", world.account.id, post.id)
    return web.json_response({"id": str(post.id)})


def _post_in_path(request: web.Request) -> Post:
    return post_with(request.app[WORLD], request.match_info["id"])


@routes.post("/_sim/dms")
async def create_dm(request: web.Request) -> web.Response:
    """Write to the account (or to `to`) as somebody; the same key again redelivers, as a 200."""
    world, wish = request.app[WORLD], await wish_of(request)
    recipient = wish.user(world, "to") if "to" in wish.values else world.account
    message, new = world.write_dm(wish.user(world, "author"), recipient, wish.text("text"), key=wish.maybe_text("key"))
    return web.json_response(world.dm_on_page(message), status=201 if new else 200)
