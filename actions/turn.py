"""One turn as the actions see it, and what they make of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from handoff.words import Place, Reason
from knowledge.confidence import Hit


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One thing that the customer named."""

    kind: str
    value: str
    role: str | None = None


@dataclass(frozen=True, kw_only=True)
class TurnNow:
    """What was written, where and when, and what is known so far."""

    text: str
    intent: str
    certainty: float
    shares: Mapping[str, float]  # of the likeliest intents, before certainty was judged
    entities: tuple[Entity, ...]
    slots: Mapping[str, Any]
    place: Place
    now: datetime  # in the service's time zone
    private_possible: bool
    failures: int
    last_was_answer: bool
    attempts: Mapping[str, Any] | None

    @property
    def is_private(self) -> bool:
        """Whether nobody else reads it."""
        return self.place is Place.PRIVATE

    @property
    def asked(self) -> str | None:
        """What the assistant asked for in its last turn."""
        return self.slots.get("asked")

    @property
    def asked_for_fare(self) -> bool:
        """Whether a part of a fare was asked for."""
        asked = self.asked or ""
        return asked in ("origin", "destination", "date") or asked.startswith("end:")

    def told(self, slot: str) -> str | None:
        """What the customer told us for this slot."""
        return self.slots.get(slot)

    def named(self, kind: str, role: str | None = None) -> list[str]:
        """The values of one kind; of any role when none is given."""
        return [one.value for one in self.entities if one.kind == kind and (role is None or one.role == role)]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """An article that came near or was said."""

    article: str
    title: str
    score: float
    said: bool


@dataclass(frozen=True, kw_only=True)
class Why:
    """What a result rests on."""

    rule: str
    matched: str | None = None
    score: float | None = None
    threshold: float | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a turn ends: words, a call for a person, or a rule by which nothing is said."""

    why: Why
    text: str | None = None
    needs_person: Reason | None = None
    silent: str | None = None
    failed: bool = False
    offers_private: bool = False
    link: str | None = None
    articles: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    suggestions: tuple[Mapping[str, str], ...] = ()  # text and article
    attempts: Mapping[str, Any] | None = None
    failed_order_key: str | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)  # to set; `asked` is cleared unless it is among them

    def as_json(self) -> dict[str, Any]:
        """The result without its words and slots, which Rasa carries itself."""
        return {name: value for name, value in asdict(self).items() if name not in ("text", "slots")}


class TurnAction(Action):  # type: ignore[misc]
    """An action of ours: one turn in, one result out."""

    action_name: str

    def name(self) -> str:
        """The name that the rules use."""
        return self.action_name

    @abstractmethod
    async def result(self, turn: TurnNow) -> Result:
        """What to say or do."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Rasa's call."""
        result = await self.result(turn_of(tracker))
        dispatcher.utter_message(text=result.text, json_message=result.as_json())
        return [SlotSet(name, value) for name, value in {"asked": None, "topics": None, **result.slots}.items()]


def turn_of(tracker: Tracker) -> TurnNow:
    """The turn in a tracker; its circumstances travel in the message's metadata."""
    message = tracker.latest_message
    about = message["metadata"]
    intent = message.get("intent") or {}
    return TurnNow(
        text=message.get("text") or "",
        intent=intent.get("name") or "",
        certainty=float(intent.get("confidence") or 0.0),
        shares={one["name"]: one["confidence"] for one in message.get("intent_ranking") or []},
        entities=tuple(
            Entity(kind=one["entity"], value=str(one["value"]), role=one.get("role"))
            for one in message.get("entities") or []
        ),
        slots=tracker.slots,
        place=Place(about["place"]),
        now=datetime.fromisoformat(about["now"]),
        private_possible=about["private_possible"],
        failures=about["failures"],
        last_was_answer=about["last_was_answer"],
        attempts=about["attempts"],
    )


def tried_of(hits: Sequence[Hit], said: Sequence[str] = ()) -> tuple[Tried, ...]:
    """The articles that came near, for the packet."""
    return tuple(Tried(article=hit.ref, title=hit.title, score=hit.score, said=hit.ref in said) for hit in hits)


def how_to_go_on(turn: TurnNow) -> str:
    """In public every turn has to be summoned anew (X's rule for replies by API)."""
    if turn.is_private:
        return ""
    return " Mention us again or send a DM." if turn.private_possible else " Please mention us in your reply."


def moment(at: datetime, now: datetime) -> str:
    """A time as customers read it, in the service's zone: 10:42, with the day unless it is today."""
    local = at.astimezone(now.tzinfo)
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local.day} {local:%b %Y, %H:%M}"
