"""A desk over HTTP, and agents who use it as a browser without scripts would."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiohttp import ClientResponse, ClientSession, CookieJar
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher

from bot.health import health_routes, redis_check
from bot.metrics import ProcessMetrics
from bot.web.agents import Agents, seed_demo_agents
from bot.web.app import LIVE, create_desk_app
from bot.web.live import Live
from handoff.announcements import Announcements
from handoff.connection import connect
from handoff.report.prices import load_prices
from tests.support.cases import House
from tests.support.composer import LengthComposer

PASSWORD = "kestrel-demo"
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, kw_only=True)
class Page:
    """What came back, read whole."""

    status: int
    path: str
    html: str
    headers: dict[str, str]

    @property
    def text(self) -> str:
        """The page as read by people."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    def field(self, name: str, form: str = "/reply") -> str:
        """The value of a hidden field in the form that posts to an address ending so."""
        found = re.search(rf'action="[^"]*{form}".*?name="{name}" value="([^"]*)"', self.html, re.DOTALL)
        assert found, f"no field {name} in {form}"
        return html.unescape(found.group(1))


class Person:
    """Somebody at the desk."""

    def __init__(self, session: ClientSession, server: TestServer, name: str) -> None:
        self.session = session
        self.name = name
        self._server = server
        self.origin = str(server.make_url("/")).rstrip("/")

    async def signs_in(self, password: str = PASSWORD) -> Page:
        return await self.posts("/sign-in", name=self.name, password=password)

    async def opens(self, path: str, **headers: str) -> Page:
        async with self.session.get(self._server.make_url(path), headers=headers) as answer:
            return await _page(answer)

    async def posts(self, path: str, *, headers: dict[str, str] | None = None, **fields: object) -> Page:
        told = {"Origin": self.origin} if headers is None else headers
        data = {name: str(value) for name, value in fields.items()}
        async with self.session.post(self._server.make_url(path), data=data, headers=told) as answer:
            return await _page(answer)

    async def case(self, case_id: str) -> Page:
        return await self.opens(f"/console/cases/{case_id}")

    async def takes(self, case_id: str, page: Page | None = None) -> Page:
        """Takes a case as a page showed it (else as it stands)."""
        page = page or await self.case(case_id)
        return await self.posts(f"/console/cases/{case_id}/take", epoch=page.field("epoch", "/take"))

    async def replies(self, case_id: str, page: Page, text: str, **fields: object) -> Page:
        """Sends the reply form of a page."""
        hidden = {name: page.field(name) for name in ("command", "epoch", "seen_seq")}
        target = re.search(r'<option value="([0-9]+)"', page.html)
        told = {"place": "public" if target else "private", "reply_to": target.group(1) if target else "", **fields}
        return await self.posts(f"/console/cases/{case_id}/reply", **{**hidden, **told, "text": text})

    async def presses(self, case_id: str, action: str, page: Page, **fields: object) -> Page:
        """Sends one of the other forms of a page."""
        names = re.findall(
            r'name="(\w+)" value="', re.search(rf'action="[^"]*/{action}".*?</form>', page.html, re.DOTALL)[0]
        )
        hidden = {name: page.field(name, f"/{action}") for name in names if name in ("command", "epoch", "seen_seq")}
        return await self.posts(f"/console/cases/{case_id}/{action}", **{**hidden, **fields})


class Office:
    """The house with its desk open."""

    def __init__(self, house: House, server: TestServer, agents: Agents, live: Live) -> None:
        self.house = house
        self.live = live
        self.server = server
        self.agents = agents
        self._sessions: list[ClientSession] = []

    def somebody(self, name: str = "") -> Person:
        """A browser nobody has signed in with."""
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        self._sessions.append(session)
        return Person(session, self.server, name)

    async def agent(self, name: str) -> Person:
        """An agent, signed in."""
        person = self.somebody(name)
        page = await person.signs_in()
        assert page.status == 200
        return person

    async def close(self) -> None:
        for session in self._sessions:
            await session.close()


@asynccontextmanager
async def open_office(
    redis_url: str,
    *,
    heartbeat_s: float = 15.0,
    promises_every_s: float = 5.0,
    announcements: Announcements | None = None,
) -> AsyncIterator[Office]:
    """A desk with Ana and Ben, over real HTTP and Redis."""
    redis = connect(redis_url)
    house = House(redis)
    agents = Agents(redis, hasher=PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
    await seed_demo_agents(agents, PASSWORD)
    app = await create_desk_app(
        redis=redis,
        ledger=house.ledger,
        desk=house.desk,
        queue=house.queue,
        agents=agents,
        composer=LengthComposer(),
        now=house.now,
        account="@KestrelAir",
        zone=LONDON,
        prices=load_prices(),
        announcing=house.announcing,
        announcements=announcements,
        health=health_routes(ProcessMetrics("desk"), {"redis": redis_check(redis)}),
        heartbeat_s=heartbeat_s,
        promises_every_s=promises_every_s,
    )
    server = TestServer(app)
    await server.start_server()
    office = Office(house, server, agents, app[LIVE])
    try:
        yield office
    finally:
        await office.close()
        await server.close()
        await redis.aclose()


async def _page(answer: ClientResponse) -> Page:
    return Page(status=answer.status, path=answer.url.path_qs, html=await answer.text(), headers=dict(answer.headers))
