"""A customer's talk with the real assistant: keeps between turns what the responder would keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.answer import Answer, Answerer, Question
from handoff.words import Place
from knowledge.index import Index

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday morning; the fares shipped are on sale from the day before."""


@dataclass(frozen=True, kw_only=True)
class FixedKnowledge:
    """One published version that never changes."""

    current: Index


@dataclass(kw_only=True)
class Dialogue:
    """One customer's conversation."""

    assistant: Answerer
    conversation: str = "x:1"
    place: Place = Place.PRIVATE
    private_possible: bool = True
    now: datetime = NOW
    tracker: str | None = None
    kept: Mapping[str, str] = field(default_factory=dict)
    attempts: Mapping[str, Any] | None = None
    failures: int = 0
    last_was_answer: bool = False
    answers: list[Answer] = field(default_factory=list)

    async def say(self, text: str, **changes: Any) -> Answer:
        """The assistant's answer, remembered for the next turn."""
        place = changes.pop("place", self.place)
        answer = await self.assistant.answer(
            Question(
                conversation=self.conversation,
                message_id=f"post:{len(self.answers) + 1}",
                text=text,
                place=place,
                now=self.now,
                tracker=self.tracker,
                kept=self.kept,
                attempts=self.attempts,
                private_possible=self.private_possible,
                failures=self.failures,
                last_was_answer=self.last_was_answer,
            )
        )
        self.answers.append(answer)
        self.tracker, self.kept, self.attempts = answer.tracker, answer.kept, answer.attempts
        if answer.silent_rule is None:
            self.failures = self.failures + 1 if answer.failed else 0
            self.last_was_answer = bool(answer.replies) and not answer.failed
        return answer

    async def hears(self, text: str, **changes: Any) -> str:
        """The words of the one reply."""
        answer = await self.say(text, **changes)
        assert answer.needs_person is None, f"a person was called: {answer.needs_person} {answer.evidence}"
        assert answer.silent_rule is None, f"it was silent: {answer.silent_rule}"
        return answer.replies[0].text
