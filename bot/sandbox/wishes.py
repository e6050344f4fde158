"""Reads the JSON of a request to the control plane, and says plainly what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.people import RefusedError
from bot.sandbox.records import MAX_ID, Post, User
from bot.sandbox.world import World


class MissingError(Exception):
    """Something that a request names does not exist."""


async def wish_of(request: web.Request) -> "Wish":
    """The JSON object in the body; an empty body is an empty object."""
    if not request.can_read_body:
        return Wish({})
    try:
        body = await request.json()
    except ValueError:
        raise RefusedError("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError("The body is not a JSON object.")
    return Wish(body)


class Wish:
    """The values of a JSON object, each checked for its type when asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def text(self, name: str, default: str | None = None) -> str:
        """A string; one that is neither given nor has a default is refused."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise RefusedError(f"`{name}` should be a string.")
        return value

    def maybe_text(self, name: str) -> str | None:
        """A string, or nothing."""
        return self.text(name) if self.values.get(name) is not None else None

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise RefusedError(f"`{name}` should be true or false.")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A number that is not negative."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise RefusedError(f"`{name}` should be a number, 0 or larger.")
        return value

    def user(self, world: World, name: str) -> User:
        """The user whose handle is given."""
        return user_named(world, self.text(name))

    def post(self, world: World, name: str) -> Post | None:
        """The post whose id is given, or nothing."""
        value = self.values.get(name)
        return post_with(world, str(value)) if value is not None else None


def user_named(world: World, handle: str) -> User:
    """The user with this handle; a MissingError if there is none."""
    user = world.people.by_handle(handle)
    if user is None:
        raise MissingError(f"There is no user @{handle.removeprefix('@')}.")
    return user


def post_with(world: World, id: str) -> Post:
    """The post with this id, if it is not deleted; a MissingError otherwise."""
    known = id.isascii() and id.isdecimal() and len(id) <= 19
    post = world.timeline.by_id(min(int(id), MAX_ID)) if known else None
    if post is None or post.deleted:
        raise MissingError(f"There is no post {id}.")
    return post
