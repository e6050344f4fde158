"""What customers of the golden set get, through the whole decision of a turn, and how often it is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from actions.attempt_count import RememberedAttemptCount
from bot.answer import Answer, Question
from bot.burst import first_burst
from bot.casework import Casework
from bot.channels.x.text import shorten, weighted_length, without_leading_mentions
from bot.notices import Company, Notices
from bot.turns import Turns
from handoff.hours_policy import load_hours
from handoff.ledger import Conversation, Snapshot
from handoff.sensitivity_policy import load_sensitivity
from handoff.words import Customer, Entry, Message, Place, Reason
from tests.support.golden import (
    GOLDEN,
    NOTHING_YET,
    GoldenQuestion,
    Result,
    articles_of,
    judged,
    listed,
    normalised,
    read_conversations,
    read_questions,
    share,
    table,
)
from tests.support.ledger import NOON, House, an_entry, house_on

if TYPE_CHECKING:
    from bot.assistant import Assistant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOST_WRONG = 0.06
LEAST_RIGHT = 0.72
LEAST_ARTICLES_RIGHT = 0.60
LEAST_PEOPLE_CALLED = 0.77
LEAST_LEFT_UNANSWERED = 0.79
LEAST_CONVERSATIONS_RIGHT = 38
"""What was measured on the day the set was frozen, less a small margin: to notice a decline, never to tune towards."""
ALIKE = 0.82
"""From this likeness on two questions would be one."""


class Remembering:
    """The real assistant; keeps its last answer."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.last: Answer | None = None

    async def answer(self, question: Question) -> Answer:
        self.last = None
        self.last = await self._assistant.answer(question)
        return self.last


class Frontdesk:
    """One customer's turns over a real ledger, decided by the real assistant and stored at once."""

    def __init__(self, house: House, assistant: Assistant, customer: int = 1) -> None:
        self.house = house
        self.customer = Customer(id=str(1000 + customer), handle=f"customer{customer}")
        self.answerer = Remembering(assistant)
        self.now: datetime = NOON
        self.written = 1000 * customer
        self.turns = Turns(
            answerer=self.answerer,
            sensitivity=load_sensitivity(),
            notices=Notices(
                Company(name="Kestrel Air"),
                load_hours(),
                reply_minutes=30,
                weighted_length=weighted_length,
                shorten=shorten,
            ),
            casework=Casework(house.ledger, house.desk),
            counts=RememberedAttemptCount(),
            oldest_answered=timedelta(hours=24),
            turn_limit_s=10.0,  # a busy machine is no wrong answer
        )

    def message(self, text: str, place: Place) -> Message:
        """A message as the channel would hand it in."""
        self.written += 1
        kind = "post" if place is Place.PUBLIC else "dm"
        plain = without_leading_mentions(text) if place is Place.PUBLIC else text
        number = str(self.written)
        return Message(
            id=f"{kind}:{number}", customer=self.customer, place=place, text=plain, sent_at=self.now, thread=number
        )

    async def first(self, question: GoldenQuestion) -> Result:
        """What comes of a question from somebody who never wrote before."""
        message = self.message(question.text, question.place)
        fresh = Conversation(key=message.conversation, customer=self.customer)
        self.answerer.last = None
        turn = await self.turns.decide(first_burst(Snapshot(conversation=fresh, waiting=(message,))), 0, self.now)
        return judged(question, turn, self.answerer.last)

    async def hear(self, text: str, place: Place) -> tuple[list[Entry], str, Reason | None, str]:
        """A customer writes and gets a turn: what we say, the outcome, why a person is called, the answer's rule."""
        self.now += timedelta(minutes=1)
        message = self.message(text, place)
        await self.house.ledger.receive(message, self.now)
        fence = await self.house.fence("responder", message.conversation)
        snapshot = await self.house.ledger.snapshot(message.conversation)
        assert snapshot is not None
        self.answerer.last = None
        turn = await self.turns.decide(first_burst(snapshot), fence, self.now)
        assert (await self.house.ledger.commit_turn(turn, self.now)).result == "committed"
        rule = self.answerer.last.evidence.rule if self.answerer.last else turn.rule or ""
        return list(turn.entries), str(turn.outcome), turn.case.reason if turn.case else None, rule

    async def people(self, what: str) -> None:
        """Ana takes the open case, or gives it back."""
        (case, _), *_ = await self.house.desk.open_cases()
        key = f"x:{self.customer.id}"
        snapshot = await self.house.ledger.snapshot(key)
        assert snapshot is not None
        known = snapshot.conversation
        if what == "take":
            await self.house.desk.take(case.id, "ana", known.epoch, self.now)
        else:
            notice = an_entry(key, author="desk")
            await self.house.desk.give_back(case.id, "ana", notice, known.epoch, known.seq, self.now)


async def test_few_of_the_golden_questions_are_answered_wrongly(
    assistant: Assistant, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house_on(redis_url) as house:
        frontdesk = Frontdesk(house, assistant)
        results = [await frontdesk.first(question) for question in read_questions()]

    with capsys.disabled():
        print(f"\n{report(results)}")
    assert share(results, "wrong") <= MOST_WRONG
    assert share(results, "right") >= LEAST_RIGHT
    assert share(of_kind(results, "article"), "right") >= LEAST_ARTICLES_RIGHT
    assert share(of_kind(results, "person"), "right") >= LEAST_PEOPLE_CALLED
    assert share(of_kind(results, "unanswerable"), "right") >= LEAST_LEFT_UNANSWERED


async def test_most_golden_conversations_go_as_they_should(
    assistant: Assistant, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    conversations, wrong = read_conversations(), []
    for conversation in conversations:
        async with house_on(redis_url) as house:
            await house.redis.flushall()
            wrong.extend([line async for line in departures(Frontdesk(house, assistant), conversation)][:1])

    with capsys.disabled():
        print(f"\n{len(conversations) - len(wrong)} of {len(conversations)} conversations went as they should")
        print("\n".join(wrong))
    assert len(conversations) - len(wrong) >= LEAST_CONVERSATIONS_RIGHT


def test_no_two_golden_questions_are_nearly_the_same() -> None:
    from knowledge.encoder import shared_encoder

    texts = [normalised(question.text) for question in read_questions()]
    vectors = shared_encoder().encode(texts)
    likeness = np.triu(vectors @ vectors.T, k=1)
    assert not [(texts[a], texts[b]) for a, b in np.argwhere(likeness >= ALIKE)], f"see {GOLDEN / 'README.md'}"


def of_kind(results: list[Result], kind: str) -> list[Result]:
    """Those of one kind."""
    return [one for one in results if one.question.kind == kind]


def report(results: list[Result]) -> str:
    """The table, how often the reason was the right one, every wrong answer, and where nobody was called."""
    called = [one for one in of_kind(results, "person") if one.did == "person"]
    named = sum(one.detail in one.question.expected for one in called)
    needless = sum(one.verdict == "wrong" and one.detail in NOTHING_YET for one in results)
    wrong = [one.line for one in results if one.verdict == "wrong"]
    uncalled = [one.line for one in of_kind(results, "person") if one.verdict == "abstained"]
    return "\n".join(
        [
            table(results),
            f"persons called for the reason expected: {named} of {len(called)}",
            f"wrong / all: {len(wrong)} of {len(results)}; of these asked for details that were not wanted: {needless}",
            *wrong,
            f"no person called where one was due, and not listed above: {len(uncalled)}",
            *uncalled,
        ]
    )


async def departures(frontdesk: Frontdesk, conversation: dict[str, Any]) -> AsyncIterator[str]:
    """Where a conversation does not go as it should, a line each."""
    for number, turn in enumerate(conversation["turns"], start=1):
        if "people" in turn:
            await frontdesk.people(turn["people"])
            continue
        place = Place(turn.get("place", conversation["place"]))
        entries, outcome, reason, rule = await frontdesk.hear(turn["customer"], place)
        said = " ".join(entry.text for entry in entries)
        for lack in lacking(turn["expect"], said, articles_of(entries), outcome, reason, rule):
            yield f"{conversation['id']} turn {number} ({turn['customer']}): {lack}; {outcome} {reason or rule}: {said}"


def lacking(
    expect: dict[str, Any], said: str, articles: set[str], outcome: str, reason: Reason | None, rule: str
) -> Iterator[str]:
    """What a turn lacks of what was expected."""
    words = said.lower()
    if "answers" in expect:
        wanted = expect["answers"]
        if outcome != "answered":
            yield "no answer"
        yield from (f"lacks {word!r}" for word in listed(wanted.get("contains")) if word.lower() not in words)
        if "topic" in wanted and not articles & set(listed(wanted["topic"])):
            yield f"not from {wanted['topic']}"
    if "asks" in expect and (outcome != "answered" or rule not in NOTHING_YET):
        yield "did not ask back"
    if "person" in expect and reason not in listed(expect["person"]):
        yield f"no case for {expect['person']}"
    if "joined" in expect and outcome != "joined":
        yield "did not join the case"
    if "silent" in expect and (outcome != "silent" or said):
        yield "not silent"
    yield from (f"says {word!r}" for word in listed(expect.get("never_contains")) if word.lower() in words)
