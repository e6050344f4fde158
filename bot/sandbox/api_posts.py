"""The endpoints under /2 for posts: reading mentions and timelines, posting, deleting."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from bot.sandbox import problems, query
from bot.sandbox.api import READER, answer, body_of, created
from bot.sandbox.people import RefusedError
from bot.sandbox.reading import Json, Reader, page_meta
from bot.sandbox.records import Post, User, Window
from bot.sandbox.rules import check_draft, draft_of

routes = web.RouteTableDef()


@routes.get("/2/users/{id}/mentions")
async def mentions(request: web.Request) -> web.Response:
    """Posts that mention a user, newest first."""
    reader = request[READER]
    user = _user_in_path(request)
    window = query.window(request.query, least=5, default=10)
    extras = _redelivered(reader, user, window)
    found = reader.world.timeline.mentions_of(user, replace(window, limit=window.limit - len(extras)))
    page, meta = page_meta(found, replace(window, limit=window.limit - len(extras)))
    shown_ids = {post.id for post in page}
    extras = [post for post in extras if post.id not in shown_ids]
    reader.world.store.redelivered("post", user.id, [post.id for post in extras])
    return _timeline(reader, sorted([*page, *extras], key=lambda post: -post.id), meta)


def _redelivered(reader: Reader, user: User, window: Window) -> list[Post]:
    """Posts that are to appear a second time; they take room on a first page only."""
    if window.continued:
        return []
    ids = reader.world.store.redeliveries("post", user.id)[: window.limit // 2]
    found = (reader.world.timeline.readable(id, user.id) for id in ids)
    return [post for post in found if post]


@routes.get("/2/users/{id}/tweets")
async def own_posts(request: web.Request) -> web.Response:
    """A user's own posts, newest first."""
    reader = request[READER]
    user = _user_in_path(request)
    if reader.world.people.hides_from(user.id, reader.viewer.id):
        reader.errors.append(problems.not_authorized("user", str(user.id), "id"))
        return answer(reader.answer(None))
    excluded = query.listed(request.query, "exclude", query.EXCLUDABLE)
    window = query.window(request.query, least=5, default=10)
    found = reader.world.timeline.posts_of(user, window, replies="replies" not in excluded)
    page, meta = page_meta(found, window)
    return _timeline(reader, page, meta)


def _timeline(reader: Reader, page: list[Post], meta: Json) -> web.Response:
    meta["result_count"] = len(page)
    if page:
        meta |= {"newest_id": str(page[0].id), "oldest_id": str(page[-1].id)}
    data, includes = reader.posts(page)
    return answer(reader.answer(data, includes, meta))


def _user_in_path(request: web.Request) -> User:
    value = request.match_info["id"]
    user = request[READER].world.people.by_id(query.id_of(value, "id"))
    if user is None:
        raise problems.ProblemError(200, {"errors": [problems.not_found("user", value, "id")]})
    return user


@routes.get("/2/tweets")
async def posts_by_ids(request: web.Request) -> web.Response:
    """Several posts by their ids; `errors` tells which are gone."""
    reader = request[READER]
    found = []
    for id in dict.fromkeys(query.id_of(value, "ids") for value in query.ids(request.query)):
        if post := reader.world.timeline.readable(id, reader.viewer.id):
            found.append(post)
        else:
            reader.errors.append(reader.missing_post(id, "ids"))
    data, includes = reader.posts(found)
    return answer(reader.answer(data, includes))


@routes.get("/2/tweets/{id}")
async def post_by_id(request: web.Request) -> web.Response:
    """One post; one that is gone is a 200 with `errors` and no `data`."""
    reader = request[READER]
    id = query.id_of(request.match_info["id"], "id")
    post = reader.world.timeline.readable(id, reader.viewer.id)
    if post is None:
        reader.errors.append(reader.missing_post(id, "id"))
        return answer(reader.answer(None))
    data, includes = reader.posts([post])
    return answer(reader.answer(data[0], includes))


@routes.post("/2/tweets")
async def create_post(request: web.Request) -> web.Response:
    """Post, or reply, if the rules of the platform allow it."""
    reader = request[READER]
    body: Mapping[str, Any] = await body_of(request)
    draft = draft_of(reader.world, reader.viewer, body)
    check_draft(reader.world, reader.viewer, draft)
    try:
        post, _ = reader.world.post(reader.viewer, draft)
    except RefusedError as error:
        raise problems.bad_text(str(error)) from None
    data, _ = reader.posts([post])
    return created({"data": data[0]}, f"https://api.twitter.com/2/tweets/{post.id}")


@routes.delete("/2/tweets/{id}")
async def delete_post(request: web.Request) -> web.Response:
    """Delete an own post; deleting what is already gone is no error."""
    reader = request[READER]
    post = reader.world.timeline.by_id(query.id_of(request.match_info["id"], "id"))
    if post is None:
        return answer({"data": {"deleted": False}})
    if post.author_id != reader.viewer.id:
        raise problems.forbidden(problems.NOT_PERMITTED)
    reader.world.delete(post)
    return answer({"data": {"deleted": True}})
