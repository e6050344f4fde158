"""What goes into the assistant for one turn and what comes out; needs no Rasa, so that anybody can import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from handoff.packet import Evidence, Suggestion, Tried, Verification
from handoff.words import Place, Reason
from knowledge.confidence import Decision, Hit


class AssistantFailed(Exception):
    """Something inside the assistant failed; nothing of the turn may be stored, a person is needed."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One turn's input: what a customer wrote, and what we remember of them."""

    conversation: str
    message_id: str
    text: str  # cleaned and not blank
    place: Place
    now: datetime
    tracker: str | None = None  # the Rasa session as JSON; None begins a fresh one with `kept`
    kept: Mapping[str, str] = field(default_factory=dict)  # slots to keep in a fresh session
    attempts: Mapping[str, Any] | None = None  # the customer's wrong tries, as Attempts.to_json gave them
    private_possible: bool = True  # whether we can exchange direct messages with this customer
    failures: int = 0  # how often in a row the bot could not answer
    last_was_answer: bool = False  # the last thing said to this customer was an answer


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One thing to be said to the customer, in the place where the question was asked."""

    text: str
    articles: tuple[str, ...] = ()  # with versions: "KB-baggage@v3"
    offers_private: bool = False  # public: show the button that opens a direct message
    link: str | None = None  # the article's link; never part of a public text


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One turn's output; exactly one of replies, needs_person and silent_rule says how it ends."""

    replies: tuple[Reply, ...]
    needs_person: Reason | None
    evidence: Evidence  # why a person is needed, or what the answer rests on
    silent_rule: str | None  # "thanks" or "acknowledgement": nothing needs to be said
    intent: str | None
    certainty: float | None  # 0..1
    entities: Mapping[str, str]
    slots: Mapping[str, str]  # what the customer told us so far, without the empty ones
    tried: tuple[Tried, ...]
    tracker: str  # the Rasa session after this turn, as JSON
    kept: Mapping[str, str]  # what a fresh session should know after a person had the conversation
    failed: bool  # it could not answer; a clarifying question counts
    attempts: Mapping[str, Any] | None  # the customer's wrong tries from now on
    failed_order_key: str | None  # the order whose wrong tries grow by one at the commit
    verification: Verification
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, kw_only=True)
class Understanding:
    """What the assistant makes of a text before anything is said; for `frontdesk ask`."""

    text: str
    intent: str | None
    certainty: float
    ranking: tuple[tuple[str, float], ...]
    entities: Mapping[str, str]
    nearest: str | None  # the training example that is most alike
    similarity: float  # how alike, -1..1
    hits: tuple[Hit, ...]
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class ContactRoutes:
    """Other ways to reach us, for customers whom we cannot write to in private."""

    phone: str | None = None
    web: str | None = None  # in public an address is replaced by "our website"


class Answerer(Protocol):
    """What the responder needs of the assistant."""

    async def answer(self, question: Question) -> Answer:
        """Answer one message; raises AssistantFailed, and stores nothing either way."""
        ...
