"""A sandbox in the test's own process, its people, and our channel to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from bot.channels.x.adapter import XChannel
from bot.channels.x.transport import Keys, Transport
from bot.clock import SystemClock
from bot.sandbox.app import create_app
from bot.sandbox.world import Account, World

ACCOUNT = Account()
KEYS = Keys(
    consumer_key=ACCOUNT.consumer_key,
    consumer_secret=ACCOUNT.consumer_secret,
    access_token=ACCOUNT.access_token,
    access_token_secret=ACCOUNT.access_secret,
)
MIA = "mia_travels"
TOM = "tom_okafor"


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A local X on which a test plays the customers."""

    client: TestClient[Any, Any]
    channel: XChannel
    transport: Transport
    url: str

    async def tell(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        """A command of the control plane."""
        async with self.client.request(method, f"/_sim/{path}", json=body) as response:
            answer: dict[str, Any] = await response.json()
            assert response.ok, answer
            return answer

    async def post(self, text: str, *, author: str = MIA, **more: Any) -> str:
        """The id of a new post."""
        return str((await self.tell("POST", "posts", author=author, text=text, **more))["id"])

    async def write(self, text: str, *, author: str = MIA, **more: Any) -> str:
        """The id of a new direct message to us."""
        return str((await self.tell("POST", "dms", author=author, text=text, **more))["id"])

    async def user_id(self, handle: str) -> str:
        return next(str(u["id"]) for u in (await self.tell("GET", "users"))["users"] if u["handle"] == handle)

    async def fault(self, kind: str, path: str = "/2/*", **more: Any) -> None:
        await self.tell("POST", "faults", kind=kind, path=path, **more)

    async def mend(self) -> None:
        await self.tell("DELETE", "faults")

    async def sent(self) -> list[dict[str, Any]]:
        """What we wrote through the API, in order."""
        found: list[dict[str, Any]] = (await self.tell("GET", "sent"))["sent"]
        return found

    async def said(self) -> list[str]:
        """The texts of that."""
        return [str(item["text"]) for item in await self.sent()]


@asynccontextmanager
async def sandbox_in(
    folder: Path, *, call_limit_s: float = 5.0, keys: Keys = KEYS, base_url: str | None = None
) -> AsyncIterator[Sandbox]:
    """A sandbox of this test's own; `base_url` leads our channel elsewhere, such as through a faulty network."""
    server = TestServer(create_app(World(state_path=folder / "x.db")))
    client = TestClient(server)
    await client.start_server()
    url = str(server.make_url("/")).rstrip("/")
    transport = Transport(keys, clock=SystemClock(), base_url=base_url or url, call_limit_s=call_limit_s)
    try:
        yield Sandbox(client=client, channel=XChannel(transport), transport=transport, url=url)
    finally:
        transport.close()
        await client.close()


def wrong_keys() -> Keys:
    """Keys that the platform refuses."""
    return replace(KEYS, consumer_secret="not the secret")
