"""What the bot remembers of a conversation beyond one Rasa session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pydantic import AwareDatetime, Field

from bot.answer import Answer
from handoff.words import Entry, Place, Value

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

    def failed(self) -> Memory:
        """The memory after a turn in which the bot could not answer."""
        return self.model_copy(update={"failures": self.failures + 1, "last_was_answer": False})

    def handed_over(self) -> Memory:
        """The memory when a person is called: the bot begins with a clean slate when it is given back."""
        return self.model_copy(update={"failures": 0, "last_was_answer": False})

    def learnt(self, answer: Answer, place: Place) -> Memory:
        """What the bot remembers after an answer; silence changes neither its failures nor what it said last."""
        attempts = dict(answer.attempts) if answer.attempts is not None else None
        told = self.model_copy(update={"kept": dict(answer.kept), "place": place, "attempts": attempts})
        if answer.silent_rule is not None:
            return told
        if answer.failed:
            return told.failed()
        return told.model_copy(update={"failures": 0, "last_was_answer": bool(answer.replies)})

    def after_saying(self, entries: Sequence[Entry], now: datetime) -> Memory:
        """The memory after these words: what was said in public, and where a machine was disclosed."""
        memory = self
        for entry in entries:
            if entry.place is Place.PUBLIC:
                memory = memory.saying(entry.text, now)
        places = {entry.place for entry in entries} - set(self.disclosed)
        return memory.model_copy(update={"disclosed": (*self.disclosed, *sorted(places))})

    def saying(self, text: str, now: datetime) -> Memory:
        """The memory after saying a text in public."""
        fresh = [said for said in self.said if now - said.at < SAID_FOR]
        return self.model_copy(update={"said": (*fresh, Said(fingerprint=_fingerprint(text), at=now))[-MOST_SAID:]})


def _fingerprint(text: str) -> str:
    return sha256(" ".join(text.split()).casefold().encode()).hexdigest()[:16]
