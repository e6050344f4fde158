"""What the report's pages are given: the ledger to read, the shell of the pages, the prices and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from handoff.ledger import Ledger
from handoff.report.prices import Prices

Clock = Callable[[], datetime]
"""Tells the time, with its zone."""
MAY_READ_QUESTIONS = "lead"


class Reader(Protocol):
    """Somebody who reads the report."""

    @property
    def role(self) -> str: ...


class Shell(Protocol):
    """Layout and sign-in, of which the report is one part."""

    def agent(self, request: web.Request) -> Reader:
        """Who is signed in."""

    def render(
        self, request: web.Request, template: str, context: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """A page in the common layout."""


@dataclass(frozen=True, kw_only=True)
class ReportParts:
    """Everything the report works with."""

    ledger: Ledger
    shell: Shell
    now: Clock
    zone: ZoneInfo
    """In which a day begins and ends: that of the service hours."""
    prices: Prices
