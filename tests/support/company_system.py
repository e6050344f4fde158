"""A company's own system on a real port: answers by the contract, or lies, stalls and dies as told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from actions.demo_orders import PlacedOrder
from actions.fares import Fare
from actions.http_source import HttpSource, Patience
from actions.orders import Order

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TOKEN = "a-token-of-the-tests"
QUICK = Patience(limit_s=20.0, try_limit_s=10.0, longest_wait_s=0.001, failures_before_rest=1_000)
"""No time of its own ever runs out, so that a busy machine decides nothing; a test about time gives its own."""
Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came in."""

    method: str
    target: str  # path and query
    token: str | None
    body: Any


@dataclass(kw_only=True)
class CompanySystem:
    """Fares and orders of one company behind the two paths of the contract."""

    fares: Iterable[Fare] = ()
    orders: Iterable[PlacedOrder] = ()
    as_of: str = "2026-11-23T09:42:00Z"
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    misbehaves: list[Misbehaviour | None] = field(default_factory=list)
    """What the next requests get instead of an answer, None for an answer; the last one stays."""
    sent_bytes: int = 0
    _runner: web.AppRunner | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def answers(self, content: Any, **changes: Any) -> None:
        """From now on it answers everything with this."""
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        body = text.encode() if isinstance(text, str) else text

        async def lie(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, **{"content_type": "application/json", **changes})

        self.misbehaves = [lie]

    async def dies(self) -> None:
        """Nobody listens there any more, and whoever was connected no longer is."""
        assert self._runner
        await self._runner.cleanup()

    async def hangs(self, request: web.Request) -> web.StreamResponse:
        """Takes the question and never answers."""
        await self._over.wait()
        return web.Response()

    async def breaks_off(self, request: web.Request) -> web.StreamResponse:
        """Dies in the middle of the answer."""
        response = await self._begun(request, length=1_000)
        await response.write(b'{"as_of": "2026-')
        assert request.transport
        request.transport.abort()
        return response

    async def drips(self, request: web.Request) -> web.StreamResponse:
        """Begins to answer and then stops."""
        response = await self._begun(request, length=1_000)
        await response.write(b'{"as_of": "2026-')
        await self._over.wait()
        return response

    async def floods(self, request: web.Request) -> web.StreamResponse:
        """Answers 50 MB, and counts how much of them went out."""
        response = await self._begun(request, length=None)
        try:
            for _ in range(50):
                await response.write(b" " * 1_000_000)
                self.sent_bytes += 1_000_000
        except (ConnectionError, asyncio.CancelledError):
            return response
        return response

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Remembers the request and answers it, or does not."""
        text = await request.text()
        body = json.loads(text) if text else None
        token = request.headers.get("Authorization")
        self.asked.append(Asked(method=request.method, target=request.path_qs, token=token, body=body))
        now = self.misbehaves[0] if self.misbehaves else None
        if len(self.misbehaves) > 1:
            self.misbehaves.pop(0)
        if now is not None:
            return await now(request)
        if token != f"Bearer {TOKEN}":
            return web.Response(status=401)
        return web.json_response(self.answer(request.path, dict(request.query), body))

    def answer(self, path: str, query: dict[str, str], body: Any) -> Any:
        """What the contract says."""
        if path.endswith("/orders/lookup"):
            found = [p for p in self.orders if (p.order.number, p.email.lower()) == (body["number"], body["email"])]
            return {"as_of": self.as_of, "order": order_on_the_wire(found[0].order) if found else None}
        fares = [fare_on_the_wire(fare) for fare in self.fares]
        return {
            "as_of": self.as_of,
            "fares": [fare for fare in fares if all(fare[name] == value for name, value in query.items())],
        }

    async def _begun(self, request: web.Request, *, length: int | None) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/json"
        response.content_length = length
        await response.prepare(request)
        return response

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CompanySystem]:
        """Listens on a free port until the block ends."""
        app = web.Application()
        app.router.add_get("/v1/fares", self.handle)
        app.router.add_post("/v1/orders/lookup", self.handle)
        self._runner = runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            self._over.set()
            await runner.cleanup()

    @asynccontextmanager
    async def source(self, name: str = "fares", *, patience: Patience = QUICK) -> AsyncIterator[HttpSource]:
        """A client of it."""
        source = HttpSource(name=name, url=self.url, token=TOKEN, patience=patience)
        try:
            yield source
        finally:
            await source.aclose()


def fare_on_the_wire(fare: Fare) -> dict[str, Any]:
    """A fare as the contract writes it."""
    return {
        "origin": fare.origin,
        "destination": fare.destination,
        "trip": str(fare.trip),
        "cabin": str(fare.cabin),
        "price": f"{fare.price:.2f}",
        "currency": fare.currency,
        "travel_from": fare.travel_from.isoformat(),
        "travel_until": fare.travel_until.isoformat(),
        "sold_out": fare.sold_out,
    }


def order_on_the_wire(order: Order) -> dict[str, Any]:
    """An order as the contract writes it."""
    return {
        "number": order.number,
        "status": str(order.status),
        "placed_on": order.placed_on.isoformat(),
        "updated_on": order.updated_on.isoformat(),
        "items": [
            {"title": item.title, "quantity": item.quantity, "price": f"{item.price:.2f}"} for item in order.items
        ],
        "total": f"{order.total:.2f}",
        "currency": order.currency,
        "carrier": order.carrier,
        "tracking": order.tracking,
        "expected_on": order.expected_on.isoformat() if order.expected_on else None,
    }
