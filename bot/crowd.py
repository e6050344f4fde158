"""The crowd: everybody in a sandbox who writes to the account, and what the account said to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import ClientSession


class CrowdRefused(Exception):
    """The sandbox did not do what was asked; the text is its own word."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """A post as somebody types it."""

    author: str
    text: str
    key: str | None = None
    """The same key again delivers the post of before a second time."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the account wrote through the API."""

    id: str
    text: str
    at_ms: int
    in_reply_to: str | None = None


class Crowd:
    """Speaks to the sandbox's control plane."""

    def __init__(self, session: ClientSession, address: str) -> None:
        """`address`: of the sandbox, without a slash at its end."""
        self._session = session
        self._address = address

    async def post_all(self, posts: Sequence[Post]) -> list[str]:
        """Posts them in this order; unknown authors join. Returns the platform ids. Raises CrowdRefused."""
        rows = [{"author": post.author, "text": post.text, **({"key": post.key} if post.key else {})} for post in posts]
        answer = await self._ask("POST", "bulk", {"posts": rows, "create_authors": True})
        refused = [result["error"] for result in answer["results"] if "error" in result]
        if refused:
            raise CrowdRefused(f"The sandbox refused {len(refused)} of {len(posts)} posts: {refused[0]}")
        return [str(result["id"]) for result in answer["results"]]

    async def join(self, handle: str) -> None:
        """Lets somebody join."""
        await self._ask("POST", "users", {"handle": handle})

    async def write(self, author: str, text: str, *, key: str | None = None) -> str:
        """Writes a direct message to the account; returns its platform id."""
        body = {"author": author, "text": text} | ({"key": key} if key else {})
        return str((await self._ask("POST", "dms", body))["id"])

    async def fault(self, kind: str, path: str, **more: Any) -> None:
        """Switches a fault of the API on."""
        await self._ask("POST", "faults", {"kind": kind, "path": path, **more})

    async def mend(self) -> None:
        """Switches all faults off."""
        await self._ask("DELETE", "faults")

    async def said(self) -> list[Said]:
        """Everything the account wrote, in the order of writing."""
        return [_said(item) for item in (await self._ask("GET", "sent"))["sent"]]

    async def written_ms(self) -> dict[str, int]:
        """When every post and direct message was written, by platform id."""
        everything = await self._ask("GET", "export")
        return {str(item["id"]): _ms(item["created_at"]) for item in [*everything["posts"], *everything["dms"]]}

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        async with self._session.request(method, f"{self._address}/_sim/{path}", json=body) as response:
            answer: dict[str, Any] = await response.json()
            if not response.ok:
                raise CrowdRefused(f"{method} /_sim/{path}: {answer.get('error', response.status)}")
            return answer


def _said(item: dict[str, Any]) -> Said:
    return Said(
        id=str(item["id"]),
        text=str(item["text"]),
        at_ms=_ms(item["created_at"]),
        in_reply_to=item.get("in_reply_to"),
    )


def _ms(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
