"""A journal written by hand: what happened on a made-up day, as records."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from redis.asyncio import Redis

from handoff.report.journal import Record
from handoff.words import in_ms

BEGAN = datetime.fromisoformat("2026-11-23T09:00:00+00:00")


@dataclass
class Story:
    """Writes records in order; the clock stands until it is moved."""

    now: datetime = BEGAN
    records: list[Record] = field(default_factory=list)
    _entries: int = 0

    def at(self, moment: str | datetime) -> Story:
        self.now = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        return self

    def after(self, **passed: float) -> Story:
        self.now += timedelta(**passed)
        return self

    def tells(self, kind: str, customer: str, **facts: Any) -> Story:
        told = {name: value for name, value in facts.items() if value is not None}
        self.records.append(Record(at_ms=in_ms(self.now), kind=kind, conversation=f"x:{customer}", facts=told))
        return self

    def writes(self, customer: str, message: str, *, place: str = "public") -> Story:
        return self.tells("message_received", customer, message=message, place=place)

    def ends(self, customer: str, message: str, outcome: str, **facts: Any) -> Story:
        return self.tells("outcome", customer, message=message, outcome=outcome, turn=f"t-{message}", **facts)

    def answers(
        self, customer: str, message: str, *, place: str = "public", after_s: float = 1.0, **facts: Any
    ) -> Story:
        """The bot answers, and the answer is sent after some seconds."""
        self.ends(customer, message, "answered", **facts)
        return self.says(customer, author="bot", place=place, turn=f"t-{message}", after_s=after_s)

    def says(
        self, customer: str, *, author: str, place: str = "public", turn: str | None = None, after_s: float = 0.0,
        link: bool | None = None,
    ) -> Story:  # fmt: skip
        """Words of ours that are queued, and sent after some seconds."""
        self._entries += 1
        entry = f"e{self._entries}"
        self.tells("entry_queued", customer, entry=entry, author=author, place=place, turn=turn, link=link)
        return self.after(seconds=after_s).tells("entry_sent", customer, entry=entry, external_id="1")

    def calls_person(
        self, customer: str, message: str, case: str, *, reason: str = "complaint", promise_min: int | None = 30,
        intent: str | None = None,
    ) -> Story:  # fmt: skip
        self.ends(customer, message, "case_opened", reason=reason, intent=intent)
        due_ms = None if promise_min is None else in_ms(self.now + timedelta(minutes=promise_min))
        return self.tells("case_opened", customer, case=case, reason=reason, priority=50, promise_due_ms=due_ms)

    async def is_stored(self, redis: Redis, partition: str) -> None:
        """Puts the records into a ledger's journal, as if it had all happened."""
        async with redis.pipeline(transaction=False) as pipe:
            for record in self.records:
                told = {"kind": record.kind, "at_ms": record.at_ms, "conversation": record.conversation}
                pipe.xadd(f"{partition}:journal", {**told, "facts": json.dumps(record.facts)})
            await pipe.execute()


def a_busy_day(began: datetime) -> Story:
    """Customers of every kind, from an early hour on, the same at every call."""
    story, chance = Story(now=began), Random(7)
    reasons = ("complaint", "asked_for_person", "no_answer", "lost_property", "press", "accessibility")
    articles = ("KB-cabin-bags@v3", "KB-pets@v1", "KB-refunds@v2", "KB-check-in@v4", "KB-delays@v1")
    intents = ("ask_knowledge", "ask_fare", "order_status", "ask_hours", "ask_person", "thanks")
    for number in range(180):
        customer, message = f"c{number % 120}", f"m{number}"
        place = chance.choice(("public", "public", "private"))
        story.after(seconds=chance.randrange(20, 480)).writes(customer, message, place=place)
        match chance.randrange(20):
            case 0 | 1 | 2:
                _a_case(story, customer, message, f"C{number}", chance.choice(reasons), chance)
            case 3:
                story.ends(customer, message, "silent", rule=chance.choice(("thanks", "acknowledgement", "opted_out")))
            case 4:
                story.ends(customer, message, "joined")
            case 5:
                story.answers(customer, message, place=place, intent="ask_knowledge", failed=True)
            case _:
                intent = chance.choice(intents)
                told = chance.choice(articles) if intent == "ask_knowledge" else None
                story.answers(customer, message, place=place, intent=intent, articles=told, after_s=chance.random() * 4)
    return story


def _a_case(story: Story, customer: str, message: str, case: str, reason: str, chance: Random) -> None:
    story.calls_person(customer, message, case, reason=reason, intent="ask_knowledge")
    if chance.random() < 0.2:
        story.tells("promise_broken", customer, case=case)
        return
    story.says(customer, author="agent:ana", after_s=chance.randrange(60, 900))
    story.tells("promise_kept", customer, case=case).tells("case_resolved", customer, case=case, by="ana")
