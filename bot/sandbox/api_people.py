"""The endpoints under /2 for users."""

from aiohttp import web

from bot.sandbox import problems, query
from bot.sandbox.api import READER, answer
from bot.sandbox.people import HANDLE
from bot.sandbox.reading import Reader
from bot.sandbox.records import User

routes = web.RouteTableDef()


@routes.get("/2/users/me")
async def me(request: web.Request) -> web.Response:
    """The user in whose name the request is signed."""
    reader = request[READER]
    return answer(reader.answer(reader.users([reader.viewer])[0]))


@routes.get("/2/users")
async def users_by_ids(request: web.Request) -> web.Response:
    """Several users by their ids."""
    reader = request[READER]
    wanted = {value: reader.world.people.by_id(query.id_of(value, "ids")) for value in query.ids(request.query)}
    return _several(reader, wanted, "ids")


@routes.get("/2/users/by")
async def users_by_handles(request: web.Request) -> web.Response:
    """Several users by their handles."""
    reader = request[READER]
    handles = [value for value in request.query.get("usernames", "").split(",") if value]
    if not 1 <= len(handles) <= 100:
        raise problems.invalid("The number of values in the `usernames` query parameter list is not between 1 and 100")
    wanted = {_handle(value, "usernames"): reader.world.people.by_handle(value) for value in handles}
    return _several(reader, wanted, "usernames")


@routes.get("/2/users/by/username/{username}")
async def user_by_handle(request: web.Request) -> web.Response:
    """One user by handle."""
    reader = request[READER]
    handle = _handle(request.match_info["username"], "username")
    return _one(reader, reader.world.people.by_handle(handle), handle, "username")


@routes.get("/2/users/{id}")
async def user_by_id(request: web.Request) -> web.Response:
    """One user by id."""
    reader = request[READER]
    value = request.match_info["id"]
    return _one(reader, reader.world.people.by_id(query.id_of(value, "id")), value, "id")


def _handle(value: str, parameter: str) -> str:
    if not HANDLE.fullmatch(value):
        message = f"The `{parameter}` query parameter value [{value}] does not match ^[A-Za-z0-9_]{{1,15}}$"
        raise problems.invalid(message, **{parameter: value})
    return value


def _several(reader: Reader, wanted: dict[str, User | None], parameter: str) -> web.Response:
    found = []
    for value, user in wanted.items():
        if user and not user.suspended:
            found.append(user)
        else:
            reader.errors.append(_gone(user, value, parameter))
    return answer(reader.answer(reader.users(found)))


def _one(reader: Reader, user: User | None, value: str, parameter: str) -> web.Response:
    if user is None or user.suspended:
        reader.errors.append(_gone(user, value, parameter))
        return answer(reader.answer(None))
    return answer(reader.answer(reader.users([user])[0]))


def _gone(user: User | None, value: str, parameter: str) -> dict[str, str]:
    error = problems.not_found("user", value, parameter)
    if user:
        error |= {"title": "Forbidden", "detail": f"User has been suspended: [{value}]."}
    return error
