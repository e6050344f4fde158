"""Assistants with memory instead of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.answer import Answer, Question, Reply
from handoff.packet import Evidence, Tried, Verification
from handoff.words import Reason

EVIDENCE = Evidence(rule="retrieval", matched=None, score=0.93, threshold=0.8, detail=None)


def an_answer(*texts: str, **changes: Any) -> Answer:
    """An answer in these words; `changes` replace single fields."""
    fields: dict[str, Any] = {
        "replies": tuple(Reply(text=text, articles=("KB-baggage@v3",)) for text in texts),
        "needs_person": None,
        "evidence": EVIDENCE,
        "silent_rule": None,
        "intent": "ask_knowledge",
        "certainty": 0.93,
        "entities": {"city": "Rome"},
        "slots": {"destination": "ROM"},
        "tried": (Tried(article="KB-baggage@v3", title="Baggage", score=0.93, said=bool(texts)),),
        "tracker": '{"events": []}',
        "kept": {"destination": "ROM"},
        "failed": False,
        "attempts": None,
        "failed_order_key": None,
        "verification": Verification(state="not_asked", wrong_attempts=0, order=None),
        "suggestions": (),
    }
    return Answer(**{**fields, **changes})


def a_call_for_a_person(reason: Reason = Reason.NO_ANSWER) -> Answer:
    return an_answer(needs_person=reason)


class ScriptedAnswerer:
    """Answers by exact text, else with a default, and remembers what it was asked."""

    def __init__(self, script: Mapping[str, Answer | Callable[[], Answer]] | None = None) -> None:
        self.script = dict(script or {})
        self.asked: list[Question] = []

    async def answer(self, question: Question) -> Answer:
        self.asked.append(question)
        answer = self.script.get(question.text, an_answer(f"About {question.text[:40]}: two bags."))
        return answer if isinstance(answer, Answer) else answer()
