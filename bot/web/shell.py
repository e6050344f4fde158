"""The shell: layout, who is signed in, and how pages are rendered, for the console and every other part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from bot.web.agents import Agent, Agents
from bot.web.roles import PARTS_OF_ROLE, home_of
from bot.web.sessions import Sessions
from handoff.announcing import Stop
from handoff.console.parts import Clock

HERE = Path(__file__).parent
AGENT = web.RequestKey("agent", Agent)
STOP = web.RequestKey("stop", Stop)


class Shell:
    """Renders pages of any part inside one layout, escaping everything by default."""

    def __init__(
        self,
        *,
        agents: Agents,
        sessions: Sessions,
        now: Clock,
        account: str,
        cookie: str,
        folders: Mapping[str, Path],
    ) -> None:
        """`folders`: part -> its folder with `templates/` and `static/`, such as console -> handoff/console."""
        self.agents = agents
        self.sessions = sessions
        self.now = now
        self.cookie = cookie
        self._folders = {"shell": HERE, **folders}
        self._versions: dict[str, str] = {}
        self._pages = self._environment(account)

    async def who(self, request: web.Request) -> Agent | None:
        """Who sends this request, by the session cookie."""
        token = request.cookies.get(self.cookie)
        return await self.sessions.agent(token, self.now()) if token else None

    def agent(self, request: web.Request) -> Agent:
        """Who is signed in; only for requests that passed the guard."""
        return request[AGENT]

    async def colleagues(self) -> list[Agent]:
        """Everybody who may answer customers, by display name."""
        return [agent for agent in await self.agents.all() if "console" in PARTS_OF_ROLE[agent.role]]

    def render(
        self, request: web.Request, template: str, context: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """A page such as `console/queue.html` or `shell/error.html`."""
        agent = request.get(AGENT)
        told = {
            "agent": agent,
            "home": home_of(agent.role) if agent else "/",
            "path": request.path,
            "stop": request.get(STOP),
        }
        html = self._pages.get_template(template).render({**told, **context})
        return web.Response(text=html, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})

    def asset(self, name: str) -> str:
        """The address of a static file such as `console/console.js`, with its content's version."""
        part, _, file = name.partition("/")
        if name not in self._versions:
            content = (self._folders[part] / "static" / file).read_bytes()
            self._versions[name] = sha256(content).hexdigest()[:12]
        prefix = "" if part == "shell" else f"/{part}"
        return f"{prefix}/static/{file}?v={self._versions[name]}"

    def _environment(self, account: str) -> Environment:
        folders = {part: FileSystemLoader(folder / "templates") for part, folder in self._folders.items()}
        pages = Environment(
            loader=PrefixLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        pages.globals.update(asset=self.asset, account=account)
        pages.filters.update(moment=moment, iso=iso)
        return pages


def iso(at_ms: int) -> str:
    """A time for `<time datetime>`, from milliseconds since 1970."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def moment(at_ms: int) -> str:
    """A time as read without JavaScript, from milliseconds since 1970; scripts turn it into local time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d %b %H:%M UTC")


def wants_json(request: web.Request) -> bool:
    """Whether the sender asked for JSON rather than a page."""
    return request.path.endswith(".json") or request.headers.get("Accept", "").startswith("application/json")
