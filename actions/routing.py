"""The actions that find the talk a message belongs to: by its topic, or by what was asked before."""

from __future__ import annotations

from dataclasses import dataclass

from actions.fare_talk import FareTalk
from actions.knowledge_talk import KnowledgeTalk
from actions.order_talk import OrderTalk
from actions.turn import Result, Tried, TurnAction, TurnNow, Why, how_to_go_on, tried_of
from handoff.words import Reason
from knowledge.confidence import DecisionKind

LOWEST_UNSURE = 0.9
"""How sure retrieval must be to answer what the classifier is not sure about."""
NEARLY_VERBATIM = 0.75
"""How near to an article's own question a text must be to be answered although the classifier takes it for something
else; new articles are found by this until the classifier has learned their topic."""


@dataclass(frozen=True, kw_only=True)
class Talks:
    """Everything that can be talked about."""

    company: str
    fares: FareTalk
    orders: OrderTalk
    knowledge: KnowledgeTalk

    async def going_on(self, turn: TurnNow) -> Result | None:
        """The answer of the talk that this message continues; None where it continues nothing."""
        chosen = self.knowledge.chosen(turn)
        if chosen:
            return chosen
        if self.orders.concerns(turn):
            return await self.orders.result(turn)
        return await self.fares.result(turn) if self.fares.concerns(turn) else None

    def surely_known(self, turn: TurnNow) -> tuple[Result | None, tuple[Tried, ...]]:
        """The answer to what was not taken for a question to us, if an article surely has it; and what came near."""
        hits, decision = self.knowledge.look_up(turn)
        near = tried_of(hits[:2]) if decision.kind is not DecisionKind.NONE else ()
        if decision.kind is not DecisionKind.ANSWER or turn.certainty == 1.0:  # 1: by its words, not by likeness
            return None, near
        ours = turn.shares.get("ask_knowledge", 0.0) > turn.shares.get("out_of_scope", 0.0)
        sure = ours and turn.intent != "out_of_scope" and decision.probability >= LOWEST_UNSURE
        if not sure and hits[0].dense < NEARLY_VERBATIM:
            return None, near
        return self.knowledge.answered(turn, hits[0].article_id, hits, decision.probability), near


class AnswerFare(TurnAction):
    """A question about a fare; one that names no place may be a question for an article ("price of a bag")."""

    action_name = "action_fare"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    async def result(self, turn: TurnNow) -> Result:
        """The fare, or what is missing for it."""
        if not turn.named("city") and not turn.named("unknown_place"):
            _, decision = self._talks.knowledge.look_up(turn)
            if decision.kind is DecisionKind.ANSWER:
                return await self._talks.knowledge.result(turn)
        return await self._talks.fares.result(turn)


class AnswerOrder(TurnAction):
    """A question about an order, or its details."""

    action_name = "action_order"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    async def result(self, turn: TurnNow) -> Result:
        """The order, or the way to it."""
        return await self._talks.orders.result(turn)


class AnswerQuestion(TurnAction):
    """A question that an article may answer; after "A or B?" it may be a choice."""

    action_name = "action_knowledge"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    async def result(self, turn: TurnNow) -> Result:
        """The article's words, a question back, or a person."""
        return self._talks.knowledge.chosen(turn) or await self._talks.knowledge.result(turn)


class GoOn(TurnAction):
    """Cities, dates, choices, yes and no: they mean something only after what was asked."""

    action_name = "action_continue"

    def __init__(self, talks: Talks) -> None:
        self._talks = talks

    async def result(self, turn: TurnNow) -> Result:
        """The talk that goes on, an article that surely answers it, or a question back."""
        going_on = await self._talks.going_on(turn)
        if going_on:
            return going_on
        known, near = self._talks.surely_known(turn)
        return known or not_understood(turn, company=self._talks.company, near=near)


class AskAgain(GoOn):
    """What was not understood, or is none of our business; the second time in a row a person takes over."""

    action_name = "action_unclear"

    async def result(self, turn: TurnNow) -> Result:
        """As GoOn, but where nothing was asked an article comes first."""
        known = None if turn.asked else self._talks.surely_known(turn)[0]
        return known or await super().result(turn)


class FallBack(TurnAction):
    """No rule fits: replaces Rasa's own fallback, which would forget what the customer said."""

    action_name = "action_default_fallback"

    async def result(self, turn: TurnNow) -> Result:
        """A call for a person."""
        return Result(why=Why(rule="no_rule_fits", matched=turn.intent), needs_person=Reason.BOT_ERROR)


def not_understood(turn: TurnNow, *, company: str, near: tuple[Tried, ...] = ()) -> Result:
    """Ask once for other words; the second time call a person."""
    if turn.failures:
        why = Why(rule="not_understood_again", matched=turn.intent, score=turn.certainty)
        return Result(why=why, needs_person=Reason.REPEATED_FAILURE, failed=True, tried=near)
    off = turn.intent == "out_of_scope"
    opening = f"I can only help with {company}:" if off else "Sorry, I'm not sure what you mean. I can help with"
    text = f"{opening} fares, shop orders, opening hours and travel questions."
    remedy = " Use other words, or write AGENT for a person."
    return Result(
        why=Why(rule="off_topic" if off else "not_understood", matched=turn.intent, score=turn.certainty),
        text=text + remedy + how_to_go_on(turn),
        failed=True,
        tried=near,
        slots={"asked": turn.asked, "topics": turn.slots.get("topics")},
    )
