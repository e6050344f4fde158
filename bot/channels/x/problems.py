"""What an answer of X means for the one who asked: the table of errors and decisions, as one function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.channels.channel import Halted, Refused, TryLater, Unknown

Failure = Refused | TryLater | Unknown | Halted

SHORT_WINDOW = timedelta(minutes=15)
DAY = timedelta(hours=24)
PAUSE_WITHOUT_RESET = timedelta(seconds=60)
"""How long to wait when a 429 does not say."""
LONGEST_DETAIL_CHARS = 300

_BY_DETAIL = (
    ("duplicate", re.compile(r"duplicate content", re.I)),
    ("not_summoned", re.compile(r"not been mentioned or otherwise engaged", re.I)),
    ("target_gone", re.compile(r"deleted or not visible", re.I)),
    ("dm_closed", re.compile(r"permission to DM|cannot send messages to this user", re.I)),
    ("too_long", re.compile(r"too long", re.I)),
)
_BY_CODE = {
    187: "duplicate",
    433: "not_summoned",
    385: "target_gone",
    150: "dm_closed",
    349: "dm_closed",
    354: "too_long",
    186: "too_long",
}
"""Codes of API v1.1 that still turn up in bodies."""
_ACCOUNT_TYPES = {"oauth1-permissions", "unsupported-authentication", "client-forbidden", "credits", "usage-capped"}
"""Path tails of problem types that concern the account, not one post. The host of a type changed with 2.167."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers (lower-case names) and JSON object of an answer; an empty object where the body is none."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


def failure_of(answer: Answer, now: datetime, *, is_write: bool) -> Failure | None:
    """What went wrong, or None for an answer of 2xx."""
    status = answer.status
    detail = _detail(answer)
    if 200 <= status < 300:
        return None
    if status in (401, 402) or _type_tail(answer) in _ACCOUNT_TYPES:
        return Halted(detail=detail)
    if status == 429:
        return TryLater(detail=detail, at=_free_at(answer.headers, now))
    if status >= 500 or status < 400:
        return Unknown(detail=detail) if is_write else TryLater(detail=detail)
    return Refused(rule=_rule(answer), detail=detail)


def _rule(answer: Answer) -> str:
    for code in _codes(answer.body):
        if code in _BY_CODE:
            return _BY_CODE[code]
    said = " ".join(_said(answer.body))
    for rule, pattern in _BY_DETAIL:
        if pattern.search(said):
            return rule
    return {400: "invalid_request", 403: "not_permitted", 404: "not_found"}.get(answer.status, "not_permitted")


def _said(body: Mapping[str, Any]) -> list[str]:
    problems = [body, *(p for p in _errors(body) if isinstance(p, Mapping))]
    return [str(p[key]) for p in problems for key in ("detail", "message") if p.get(key)]


def _codes(body: Mapping[str, Any]) -> list[int]:
    return [e["code"] for e in _errors(body) if isinstance(e, Mapping) and isinstance(e.get("code"), int)]


def _errors(body: Mapping[str, Any]) -> list[Any]:
    errors = body.get("errors")
    return errors if isinstance(errors, list) else []


def _type_tail(answer: Answer) -> str:
    if answer.body.get("title") == "UsageCapExceeded":
        return "usage-capped"
    return str(answer.body.get("type", "")).rstrip("/").rpartition("/")[2]


def _detail(answer: Answer) -> str:
    said = _said(answer.body)
    text = f"HTTP {answer.status}" + (f": {said[0]}" if said else "")
    return text[:LONGEST_DETAIL_CHARS]


def _free_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When the tightest exhausted limit ends. A platform's clock may differ from ours: never longer than its window."""
    ends = [now + PAUSE_WITHOUT_RESET] if not _reset(headers, "x-rate-limit") else []
    for family, window in (
        ("x-rate-limit", SHORT_WINDOW),
        ("x-user-limit-24hour", DAY),
        ("x-app-limit-24hour", DAY),
    ):
        reset = _reset(headers, family)
        if reset is not None and headers.get(f"{family}-remaining", "0") == "0":
            ends.append(min(max(reset, now + timedelta(seconds=1)), now + window))
    return max(ends, default=now + PAUSE_WITHOUT_RESET)


def _reset(headers: Mapping[str, str], family: str) -> datetime | None:
    value = headers.get(f"{family}-reset", "")
    return datetime.fromtimestamp(int(value), UTC) if re.fullmatch(r"[0-9]{1,11}", value) else None
