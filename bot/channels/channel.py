"""The channel port: a place where customers write, as ingress reads it and delivery writes to it.

Nothing here is X's alone. On Mastodon a feed is the notifications, its cursor a notification id, a private message a
status of visibility `direct`, and `find_sent` reads the account's own statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from handoff.words import Entry, Message, Place


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a feed, newest part of what is new first; messages within it in any order."""

    messages: tuple[Message, ...]
    newest_id: str | None
    """The newest platform id on the page, of what we ignore too; None for an empty page."""
    older: str | None
    """Where the next page begins; None when the cursor is reached."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """It went out, and this is its platform id."""

    external_id: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The platform, or a rule that we check before, refuses it; it did not go out."""

    rule: str
    """Such as `not_summoned`, `dm_closed`, `too_long`, `duplicate`."""
    detail: str


@dataclass(frozen=True, kw_only=True)
class TryLater:
    """It certainly did not happen, and may succeed later."""

    detail: str
    at: datetime | None = None
    """Nothing of this kind before then; None: the caller's own pause."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Nobody knows whether it happened."""

    detail: str


@dataclass(frozen=True, kw_only=True)
class Halted:
    """The account may do nothing any more (no credits, keys refused); stop everything and call an operator."""

    detail: str


@dataclass(frozen=True, kw_only=True)
class Absent:
    """The account's own words were read back far enough, and it is not among them."""


SendResult = Sent | Refused | TryLater | Unknown | Halted
LookResult = Sent | Absent | TryLater | Unknown | Halted
FetchResult = Page | TryLater | Halted


@dataclass(frozen=True, kw_only=True)
class Search:
    """What to look for among the account's own words."""

    entry: Entry
    since: datetime
    """Not before this moment of the platform's clock, with allowance for clocks that differ."""
    known: frozenset[str]
    """Platform ids that belong to other entries."""


class Inlet(Protocol):
    """What ingress reads from."""

    @property
    def name(self) -> str:
        """The channel's name in conversation keys, such as `x`."""
        ...

    @property
    def feeds(self) -> Mapping[str, Place]:
        """What there is to read, such as `mentions` and `direct`, and what place each shows."""
        ...

    def cursor_at(self, moment: datetime) -> str:
        """The platform id that something of this moment would have."""
        ...

    def cursor_before(self, cursor: str, seconds: float) -> str:
        """The platform id of something that is this much older than `cursor`."""
        ...

    async def fetch(self, feed: str, since: str, older: str | None = None) -> FetchResult:
        """A page of what came after `since`, or the page named by an earlier page's `older`."""
        ...


class Outlet(Protocol):
    """What delivery writes to. No method raises for what the platform does; each call ends within `call_limit_s`."""

    @property
    def call_limit_s(self) -> float:
        """After this time a call has ended, and nothing of it can reach the platform any more."""
        ...

    async def send(self, entry: Entry) -> SendResult:
        """Says it, once."""
        ...

    async def find_sent(self, search: Search) -> LookResult:
        """Reads the account's own words to learn whether it was said."""
        ...


class SendRules(Protocol):
    """What must hold before an entry may be sent; checked without the platform."""

    def refusal(self, entry: Entry, target: Message | None) -> Refused | None:
        """Why it may not be sent, or None; `target` is the message that a public entry answers, if known."""
        ...


PLACES = (Place.PUBLIC, Place.PRIVATE)
"""Each has its own limits, so each pauses by itself."""
