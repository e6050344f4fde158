"""The texts of unanswered questions, for leads: capped, read from the ledger as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from handoff.report.report import Report, Unanswered
from handoff.words import Message

MOST_GROUPS = 12
MOST_OF_A_GROUP = 8
LONGEST_QUESTION_CHARS = 200


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A group of unanswered questions with the newest of their texts."""

    intent: str | None
    count: int
    texts: tuple[str, ...]


class Messages(Protocol):
    """Where messages are kept: the ledger."""

    async def message_record(self, conversation: str, message_id: str) -> Mapping[str, str]:
        """The stored fields of a message; empty when it is no longer kept."""


async def asked(messages: Messages, report: Report) -> list[Asked]:
    """The largest groups; texts that are no longer kept are left out."""
    return [await _asked(messages, group) for group in report.unanswered[:MOST_GROUPS]]


async def _asked(messages: Messages, group: Unanswered) -> Asked:
    texts: list[str] = []
    for conversation, message_id in group.messages[:MOST_OF_A_GROUP]:
        record = await messages.message_record(conversation, message_id)
        if stored := record.get("json"):
            texts.append(_capped(Message.model_validate_json(stored).text))
    return Asked(intent=group.intent, count=group.count, texts=tuple(dict.fromkeys(text for text in texts if text)))


def _capped(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_QUESTION_CHARS else words[: LONGEST_QUESTION_CHARS - 1].rstrip() + "…"
