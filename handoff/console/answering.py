"""Which ways of answering a customer are open, and what a reply becomes before it goes to the outbox."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from handoff.console.parts import Composer
from handoff.ledger import Conversation, Line
from handoff.words import LONGEST_TEXT_CHARS, Entry, Message, Place, Value

CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_EXCERPT_CHARS = 90


class Target(Value):
    """A post that a public reply can stand under."""

    platform_id: str
    at_ms: int
    excerpt: str


class Ways(Value):
    """What an agent can do now, said before typing begins."""

    targets: tuple[Target, ...]
    """Newest first; empty when no public reply can go out."""
    public_note: str | None
    private_note: str | None
    place: Place
    """Where a reply goes unless the agent chooses otherwise."""

    def allows(self, reply_to: str | None) -> bool:
        """Whether a public reply may stand under that post."""
        return any(target.platform_id == reply_to for target in self.targets)


def ways_to_answer(lines: Sequence[Line], composer: Composer) -> Ways:
    """What the channel lets us do, given what this customer wrote."""
    messages = [line.message for line in lines if line.message]
    public = [line for line in lines if line.message and line.message.place is Place.PUBLIC]
    answerable = [line for line in public if line.message and composer.public_reply_possible(line.message)]
    targets = tuple(_target(line) for line in reversed(answerable[-8:]))
    latest_answers = bool(public) and public[-1] in answerable[-1:]
    wrote_privately = bool(messages) and messages[-1].place is Place.PRIVATE
    return Ways(
        targets=targets,
        public_note=_public_note(bool(public), targets, latest_answers),
        private_note=None if composer.private_possible(messages) else _PRIVATE_DOUBT,
        place=Place.PRIVATE if wrote_privately or not targets else Place.PUBLIC,
    )


_PRIVATE_DOUBT = (
    "X may refuse a direct message to this customer, who has not written to us privately. If it does, you see it here."
)


def _public_note(wrote_publicly: bool, targets: tuple[Target, ...], latest_answers: bool) -> str | None:
    if not wrote_publicly:
        return "A public reply cannot go out: this customer has not written in public. What remains: a direct message."
    if not targets:
        return (
            "A public reply cannot go out: their post does not mention us, and X refuses answers to such posts. "
            "What remains: a direct message, or waiting until they mention us again."
        )
    if not latest_answers:
        return (
            "Their latest post does not mention us, so X refuses an answer to it. "
            "A public reply goes under the earlier post chosen here; a direct message is the other way."
        )
    return None


def _target(line: Line) -> Target:
    assert line.message is not None
    return Target(platform_id=line.message.platform_id, at_ms=line.at_ms, excerpt=excerpt(line.message))


def excerpt(message: Message) -> str:
    """The beginning of a message on one line."""
    text = " ".join(message.text.split()) or ("[picture]" if message.pictures else "[link]")
    return text if len(text) <= LONGEST_EXCERPT_CHARS else text[: LONGEST_EXCERPT_CHARS - 1] + "…"


def cleaned(text: str) -> str:
    """A text from a form: line ends as `\\n`, no control characters, no space around, capped."""
    return CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n")).strip()[: 2 * LONGEST_TEXT_CHARS]


def signed(text: str, initials: str) -> str:
    """The text with the agent's initials at its end, once: `… ^AR`."""
    signature = f"^{initials}"
    return text if not text or text.endswith(signature) else f"{text} {signature}"


def entry_id(kind: str, case_id: str, agent: str, command: str, *words: str) -> str:
    """The same form sent twice gives the same id; another text gives another."""
    return sha256("\n".join((kind, case_id, agent, command, *words)).encode()).hexdigest()[:32]


def agent_entry(
    *, entry_id: str, conversation: Conversation, agent: str, place: Place, reply_to: str | None, text: str,
    now: datetime,
) -> Entry:  # fmt: skip
    """What an agent says, ready for the outbox."""
    return Entry(
        id=entry_id,
        conversation=conversation.key,
        author=f"agent:{agent}",
        place=place,
        text=text,
        reply_to=reply_to if place is Place.PUBLIC else None,
        customer_id=conversation.customer.id,
        although_opted_out=True,
        created_at=now,
    )


def problems_of(text: str, place: Place, reply_to: str | None, ways: Ways, composer: Composer) -> list[str]:
    """Why a signed text may not go out there; empty when it may."""
    if not text:
        return ["Write something first."]
    if len(text) > LONGEST_TEXT_CHARS:
        return [f"This is longer than {LONGEST_TEXT_CHARS:,} characters. Shorten it."]
    found = composer.problems(text, place)
    if place is Place.PUBLIC and not ways.allows(reply_to):
        found = [ways.public_note or "Choose the post that your public reply answers.", *found]
    return found
