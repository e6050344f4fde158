"""A responder over a real ledger, with an assistant that can be held up."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from actions.attempt_count import RememberedAttemptCount
from bot.answer import Answer, Question
from bot.casework import Casework
from bot.channels.x.text import shorten, weighted_length
from bot.clock import Clock, SystemClock
from bot.notices import Company, Notices
from bot.responder import Responder
from bot.turns import Turns
from handoff.changes import Announced, Changes
from handoff.hours_policy import load_hours
from handoff.sensitivity_policy import load_sensitivity
from tests.support.answerers import ScriptedAnswerer
from tests.support.ledger import House


class HeldAnswerer(ScriptedAnswerer):
    """Answers at once unless it is held."""

    def __init__(self) -> None:
        super().__init__()
        self._may_answer = asyncio.Event()
        self._may_answer.set()

    def hold(self) -> None:
        self._may_answer.clear()

    def release(self) -> None:
        self._may_answer.set()

    async def is_asked(self) -> bool:
        return bool(self.asked)

    async def answer(self, question: Question) -> Answer:
        answer = await super().answer(question)
        await self._may_answer.wait()
        return answer


def responder_of(
    house: House, *, clock: Clock | None = None, poll_s: float = 0.01, arrivals: Changes | None = None
) -> tuple[Responder, HeldAnswerer]:
    """A responder that looks often, and its assistant."""
    answerer, hours = HeldAnswerer(), load_hours()
    notices = Notices(
        Company(name="Kestrel Air"), hours, reply_minutes=60, weighted_length=weighted_length, shorten=shorten
    )
    turns = Turns(
        answerer=answerer,
        sensitivity=load_sensitivity(),
        notices=notices,
        casework=Casework(house.ledger, house.desk),
        counts=RememberedAttemptCount(),
        oldest_answered=timedelta(days=36_500),
        turn_limit_s=60.0,
    )
    responder = Responder(
        ledger=house.ledger,
        leases=house.leases("responder", "one", ttl_s=2.0),
        turns=turns,
        clock=clock or SystemClock(),
        arrivals=arrivals or Changes(house.redis, Announced.ARRIVALS),
        poll_s=poll_s,
        renew_s=0.05,
    )
    return responder, answerer
