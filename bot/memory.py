"""What the bot remembers of a conversation beyond one Rasa session."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic import AwareDatetime, Field

from handoff.words import Place, Value

SAID_FOR = timedelta(hours=24)
MOST_SAID = 20


class Said(Value):
    """Something said to the customer in public, as a fingerprint."""

    fingerprint: str
    at: AwareDatetime


class Memory(Value):
    """Stored with every turn; survives hand-overs and the end of a Rasa session."""

    disclosed: tuple[Place, ...] = ()
    """Where the customer has been told that a machine answers."""
    failures: int = 0
    """How often in a row the bot could not answer."""
    last_was_answer: bool = False
    kept: dict[str, str] = Field(default_factory=dict)
    """Slots that a fresh Rasa session begins with."""
    place: Place | None = None
    """Where the session and its slots were last talked about; what was said privately never comes up in public."""
    attempts: dict[str, Any] | None = None
    """Wrong verification attempts, as the verification keeps them."""
    said: tuple[Said, ...] = ()

    def has_said(self, text: str, now: datetime) -> bool:
        """Whether this very text was said in public within a day; X refuses duplicates."""
        return any(said.fingerprint == _fingerprint(text) and now - said.at < SAID_FOR for said in self.said)

    def saying(self, text: str, now: datetime) -> Memory:
        """The memory after saying a text in public."""
        fresh = [said for said in self.said if now - said.at < SAID_FOR]
        return self.model_copy(update={"said": (*fresh, Said(fingerprint=_fingerprint(text), at=now))[-MOST_SAID:]})


def _fingerprint(text: str) -> str:
    return sha256(" ".join(text.split()).casefold().encode()).hexdigest()[:16]
