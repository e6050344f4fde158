"""What the console is given: the ledger's sides, the composer's rules, and the shell of the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from handoff.desk import Desk
from handoff.ledger import Ledger
from handoff.queue import Queue
from handoff.words import Message, Place

Clock = Callable[[], datetime]
"""Tells the time, with its zone."""


class Colleague(Protocol):
    """Somebody who answers customers."""

    @property
    def name(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def initials(self) -> str: ...


class Shell(Protocol):
    """Layout and sign-in, of which the console is one part."""

    def agent(self, request: web.Request) -> Colleague:
        """Who is signed in."""

    async def colleagues(self) -> Sequence[Colleague]:
        """Everybody who may answer customers."""

    def render(
        self, request: web.Request, template: str, context: Mapping[str, Any], *, status: int = 200
    ) -> web.Response:
        """A page in the common layout."""


class Composer(Protocol):
    """The channel's rules for what may be written, and where."""

    @property
    def public_limit(self) -> int:
        """The longest public text, weighted: 280 on X."""

    def weighted_length(self, text: str) -> int:
        """How long the platform counts a text."""

    def problems(self, text: str, place: Place) -> list[str]:
        """Sentences that say why a text may not go out, its length included; empty when it may."""

    def public_reply_possible(self, message: Message) -> bool:
        """Whether the platform lets us answer this post."""

    def private_possible(self, messages: Sequence[Message]) -> bool:
        """Whether who wrote these messages can certainly be reached privately."""


@dataclass(frozen=True, kw_only=True)
class ConsoleParts:
    """Everything the console works with."""

    ledger: Ledger
    desk: Desk
    queue: Queue
    composer: Composer
    shell: Shell
    now: Clock
