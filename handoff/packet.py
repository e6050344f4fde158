"""The packet: what an agent gets with a case, so that nobody asks again what the customer already said."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import AwareDatetime, Field

from handoff.ledger import Line
from handoff.words import Customer, Place, Promise, Reason, Value

PACKET_VERSION: Final = 1


class PacketLine(Value):
    """One line of the transcript as it stood when the case opened."""

    at_ms: int
    who: Literal["customer", "bot", "desk", "agent", "event"]
    name: str
    """The customer's handle, an agent's sign-in name, or what happened."""
    place: Place | None
    text: str
    state: str | None
    """Of our own words: whether they were said."""


class Understood(Value):
    """What the bot understood of one message, and with what certainty (0 to 1)."""

    message: str
    intent: str | None
    certainty: float | None = Field(ge=0, le=1)
    entities: dict[str, str]


class Verification(Value):
    """Whether we know that the customer is who they say."""

    state: Literal["not_asked", "asked", "verified", "failed"]
    wrong_attempts: int
    order: str | None


class Tried(Value):
    """An article that was offered as an answer or came near."""

    article: str
    """With its version: `KB-baggage@v3`."""
    title: str
    score: float | None
    """How near it came, 0 to 1; None for what was said in earlier turns."""
    said: bool
    """Whether the customer was told it."""


class Evidence(Value):
    """What the reason rests on: the rule or words that matched, or the score that fell short of its threshold."""

    rule: str
    matched: str | None
    score: float | None
    threshold: float | None
    detail: str | None


class Suggestion(Value):
    """A reply the agent may send or edit."""

    text: str
    article: str
    place: Place


class EarlierCase(Value):
    """A case this customer had before."""

    case: str
    reason: Reason
    opened_ms: int
    resolution: str | None
    agent: str | None


class Packet(Value):
    """The whole context of a case. Every part is required: a missing one fails validation."""

    schema_version: Literal[1]
    conversation: str
    customer: Customer
    opened_at: AwareDatetime
    place: Place
    thread: str
    url: str | None
    transcript: tuple[PacketLine, ...]
    understood: tuple[Understood, ...]
    slots: dict[str, str]
    verification: Verification
    tried: tuple[Tried, ...]
    reason: Reason
    evidence: Evidence
    promises: tuple[Promise, ...]
    suggestions: tuple[Suggestion, ...]
    earlier_cases: tuple[EarlierCase, ...]


def packet_lines(lines: list[Line]) -> tuple[PacketLine, ...]:
    """A transcript as the packet keeps it: texts of both places, our own with their state."""
    return tuple(_packet_line(line) for line in lines)


def _packet_line(line: Line) -> PacketLine:
    if line.message is not None:
        text = line.message.text or "[picture]" * bool(line.message.pictures)
        return PacketLine(
            at_ms=line.at_ms,
            who="customer",
            name=line.message.customer.handle,
            place=line.message.place,
            text=text,
            state=None,
        )
    if line.entry is not None:
        kind, _, name = line.entry.author.partition(":")
        return PacketLine.model_validate(
            {
                "at_ms": line.at_ms,
                "who": kind,
                "name": name or kind,
                "place": line.entry.place,
                "text": line.entry.text,
                "state": line.state,
            }
        )
    what = str(line.facts.get("what", ""))
    text = str(line.facts.get("text") or line.facts.get("detail") or line.facts.get("reason") or "")
    return PacketLine(at_ms=line.at_ms, who="event", name=what, place=None, text=text, state=None)
