"""An agent who works at the console over HTTP, and sends a form again, unchanged, when nothing came back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar

from bot.settings import DEMO_PASSWORD

PAUSE_S = 0.3
CALL_LIMIT_S = 8.0


@dataclass(kw_only=True)
class Agent:
    """Ana. A form that got no answer is sent again, the same form, as a browser's user would."""

    address: str
    dice: Random
    name: str = "ana"
    asked: list[str] = field(default_factory=list)
    """The texts of all replies she ever asked for."""
    accepted: list[str] = field(default_factory=list)
    """Those that the console accepted."""
    repeated: int = 0
    """How often a form had to be sent again."""

    async def work(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; what is begun is finished."""
        jar = CookieJar(unsafe=True)
        async with ClientSession(cookie_jar=jar, timeout=ClientTimeout(total=CALL_LIMIT_S)) as session:
            await self._form(session, "/sign-in", {"name": self.name, "password": DEMO_PASSWORD})
            while not stop.is_set():
                rows = (await self._page(session, "/console/queue.json"))["waiting"]
                if rows:
                    await self._handle(session, rows[0])
                await asyncio.sleep(PAUSE_S)

    async def _handle(self, session: ClientSession, row: dict[str, Any]) -> None:
        case = f"/console/cases/{row['case']}"
        status, _ = await self._form(session, f"{case}/take", {"epoch": row["epoch"]})
        if status != 200:
            return
        await self._reply(session, case)
        if self.dice.random() < 0.6:
            await self._end(session, case, self.dice.choice(["resolve", "give-back"]))

    async def _reply(self, session: ClientSession, case: str) -> None:
        """One reply, written anew each time the customer was quicker."""
        while True:
            view = await self._page(session, f"{case}.json")
            if not view["mine"]:
                return
            text = f"This is reply {len(self.asked) + 1} of our team: we are looking into it."
            self.asked.append(text)
            targets = view["ways"]["targets"]
            form = {
                "place": view["ways"]["place"],
                "reply_to": targets[0]["platform_id"] if targets else "",
                "text": text,
            }
            status, told = await self._form(session, f"{case}/reply", self._seen(view) | form)
            if status == 200 and told["result"] == "queued":
                self.accepted.append(text)
            if status != 409:
                return

    async def _end(self, session: ClientSession, case: str, how: str) -> None:
        view = await self._page(session, f"{case}.json")
        if view["mine"]:
            await self._form(session, f"{case}/{how}", self._seen(view))

    def _seen(self, view: dict[str, Any]) -> dict[str, Any]:
        command = f"{self.dice.getrandbits(128):032x}"
        return {"command": command, "epoch": view["conversation"]["epoch"], "seen_seq": view["seq"]}

    async def _page(self, session: ClientSession, path: str) -> dict[str, Any]:
        _, told = await self._call(session, "GET", path, None)
        return told

    async def _form(self, session: ClientSession, path: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return await self._call(session, "POST", path, form)

    async def _call(
        self, session: ClientSession, method: str, path: str, form: dict[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        """The answer to a request that is sent again, unchanged, until there is one."""
        headers = {"Origin": self.address, "Accept": "application/json"}
        while True:
            try:
                async with session.request(
                    method, f"{self.address}{path}", data=form, headers=headers, allow_redirects=False
                ) as answer:
                    if answer.status < 500:
                        return answer.status, await answer.json() if answer.content_type == "application/json" else {}
            except (ClientError, TimeoutError, ConnectionError):
                pass
            self.repeated += form is not None
            await asyncio.sleep(PAUSE_S)
