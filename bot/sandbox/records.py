"""The things that exist on the sandbox's network: users, posts and direct messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SNOWFLAKE_EPOCH_MS = 1288834974657
SNOWFLAKE_SHIFT = 22
MAX_ID = 2**63 - 1  # what SQLite can compare; no id gets there before the year 2080


def snowflake_at(ms: int) -> int:
    """The smallest id that can be given out at this time (Unix milliseconds)."""
    return max(ms - SNOWFLAKE_EPOCH_MS, 0) << SNOWFLAKE_SHIFT


def iso(ms: int) -> str:
    """Unix milliseconds in X's notation, e.g. `2026-07-07T13:17:01.000Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody with a profile: a customer, or the company's account."""

    id: int
    handle: str
    name: str
    bio: str
    protected: bool
    dm_open: bool
    suspended: bool
    automated: bool
    created_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """One version of a post; an edit is a post of its own with the same first id in its history."""

    id: int
    author_id: int
    conversation_id: int
    in_reply_to_id: int | None
    in_reply_to_user_id: int | None
    quoted_id: int | None
    typed: str  # what the author typed: not escaped, without the hidden mention prefix
    text: str  # what the API shows: escaped, links as t.co, with the prefix
    display: tuple[int, int]  # code points of `text` that a client shows
    entities: Mapping[str, Any]
    note: Mapping[str, Any] | None  # the whole text, where `text` had to be cut
    lang: str
    reply_settings: str
    deep_link: str | None
    media_key: str | None
    history: tuple[int, ...]  # ids of all versions, oldest first
    created_ms: int
    visible_ms: int  # before this time other people's timelines do not show it
    deleted: bool
    via_api: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectMessage:
    """One private message between two users."""

    id: int
    conversation_id: str  # "smaller-larger" of the two user ids
    sender_id: int
    recipient_id: int
    text: str
    created_ms: int
    via_api: bool


def conversation_of(one: int, other: int) -> str:
    """The id of the one-to-one conversation of two users."""
    low, high = sorted((one, other))
    return f"{low}-{high}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Which part of a timeline is asked for; both ids are exclusive."""

    limit: int
    after_id: int = 0
    before_id: int = MAX_ID
    backwards: bool = False  # page towards newer entries (a previous_token)
    continued: bool = False  # a pagination token was given
