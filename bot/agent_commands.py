"""`frontdesk agent`: who may sign in at the desk, for those who run it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from bot.settings import Settings, SettingsError, read_settings
from bot.web.roles import Role

if TYPE_CHECKING:
    from bot.web.agents import Agents

T = TypeVar("T")

app = typer.Typer(
    help="Who may sign in at the desk: add people, change their role or password, list them.\n\n"
    "The demo agents ana and ben exist only with the sandbox; a real account needs people of its own.",
    no_args_is_help=True,
)

MUST_BE = {
    "name": "NAME must begin with a letter and hold only a-z, 0-9, - and _, at most 31 of them.",
    "display_name": "--display must be a name of 1 to 60 characters.",
    "initials": "--initials must be two or three capital letters, such as AR; replies are signed with them.",
}


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The name to sign in with, such as `ana`.")],
    display: Annotated[str, typer.Option("--display", help="The name that colleagues see.")],
    initials: Annotated[str, typer.Option("--initials", help="Two or three capital letters that sign replies.")],
    role: Annotated[
        Role, typer.Option("--role", help="`agent` and `lead` answer customers, `editor` keeps the articles true.")
    ] = Role.AGENT,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Change whoever has this name: everything, the password too.")
    ] = False,
) -> None:
    """Let somebody sign in at the desk, from now on and without a restart.

    The password (10 to 200 characters) is asked for twice; it is never an argument, because those can be read by
    others. Whoever gets a new password is signed out everywhere.
    """
    settings = _settings()
    if not replace and _at_desk(settings, lambda agents: agents.named(name)):
        _stop(f"There is somebody named {name} already. Choose another name, or give --replace to change them.")
    password = _password(from_stdin=password_stdin)
    agent = _at_desk(
        settings,
        lambda agents: agents.add(name=name, display_name=display, initials=initials, role=role, password=password),
    )
    print(f"{agent.display_name} may sign in as {agent.name} ({agent.role}) at {settings.desk_address}")


@app.command("list")
def list_agents(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")] = False,
) -> None:
    """List everybody who may sign in at the desk, by the name that colleagues see."""
    agents = _at_desk(_settings(), lambda agents: agents.all())
    told = [
        {"name": one.name, "display_name": one.display_name, "initials": one.initials, "role": str(one.role)}
        for one in agents
    ]
    if as_json:
        sys.stdout.write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    elif not told:
        print("Nobody may sign in yet. Add somebody with `frontdesk agent add`.")
    else:
        for one in told:
            print(f"{one['name']:<32}{one['role']:<8}{one['initials']:<5}{one['display_name']}")


def _at_desk(settings: Settings, work: Callable[[Agents], Awaitable[T]]) -> T:
    """Works on the people of the Redis in use; whatever is wrong ends in one line."""
    from pydantic import ValidationError
    from redis.exceptions import RedisError

    from bot.embedded_redis import NoRedis, redis_url

    try:
        return asyncio.run(_with_agents(redis_url(settings), work))
    except NoRedis as error:
        _stop(str(error))
    except RedisError as error:
        _stop(f"Redis does not answer ({type(error).__name__}). Start it with `frontdesk up`, or correct REDIS_URL.")
    except ValidationError as error:
        _stop(MUST_BE[str(error.errors()[0]["loc"][0])])
    except ValueError as error:
        _stop(str(error))


async def _with_agents(url: str, work: Callable[[Agents], Awaitable[T]]) -> T:
    from bot.web.agents import Agents
    from handoff.connection import connect

    async with connect(url) as redis:
        return await work(Agents(redis))


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        _stop("The password can only be asked for in a terminal. Run it there, or give --password-stdin.")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again"))


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _stop(str(error))


def _stop(line: str) -> NoReturn:
    print(f"frontdesk: {line}", file=sys.stderr, flush=True)
    raise typer.Exit(1)
