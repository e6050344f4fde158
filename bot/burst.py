"""A burst: the waiting messages of one customer that get one turn together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bot.answer import Answer, Question
from bot.casework import understood
from bot.memory import Memory
from bot.opt_out import opting
from handoff.ledger import Conversation, Snapshot, Turn
from handoff.words import Message, Outcome, Place

NEXT_READ_S = 0.2
"""How soon to see whether the account was read meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Burst:
    """The waiting messages that one turn handles: one place, in order, never mixed with STOP or START."""

    conversation: Conversation
    memory: Memory
    messages: tuple[Message, ...]

    @property
    def latest(self) -> Message:
        return self.messages[-1]

    @property
    def answerable(self) -> Message | None:
        """The newest message that we may answer: any direct message, but only a post that summons us."""
        allowed = [m for m in self.messages if m.place is Place.PRIVATE or m.summons_us]
        return allowed[-1] if allowed else None

    @property
    def text(self) -> str:
        return "\n".join(message.text for message in self.messages if message.text)

    @property
    def turn_id(self) -> str:
        """The same for the same messages, so that what a turn counts elsewhere is counted once."""
        return "t" + sha256("|".join(message.id for message in self.messages).encode()).hexdigest()[:20]

    def question(self, now: datetime) -> Question:
        """What the assistant is asked; in public it begins afresh after a private talk, which it would give away."""
        gives_away = self.latest.place is Place.PUBLIC and self.memory.place is Place.PRIVATE
        return Question(
            conversation=self.conversation.key,
            message_id=self.latest.id,
            text=self.text,
            place=self.latest.place,
            now=now,
            tracker=None if gives_away else self.conversation.tracker,
            kept={} if gives_away else self.memory.kept,
            attempts=self.memory.attempts,
            private_possible=self.latest.private_possible,
            failures=self.memory.failures,
            last_was_answer=self.memory.last_was_answer,
        )

    def ends(
        self, fence: int, outcome: Outcome, *, answer: Answer | None = None, known: Answer | None = None, **parts: Any
    ) -> Turn:
        """The turn of this burst; `answer` is stored as said, `known` only as understood."""
        known = known or answer
        if answer:
            parts.setdefault("failed", answer.failed)
        return Turn(
            turn_id=self.turn_id,
            conversation=self.conversation.key,
            fence=fence,
            epoch=self.conversation.epoch,
            messages=tuple(message.id for message in self.messages),
            outcome=outcome,
            tracker=answer.tracker if answer else None,
            intent=known.intent if known else None,
            understood=understood(self.latest.id, known).model_dump_json() if known else None,
            **parts,
        )


@dataclass(frozen=True, kw_only=True)
class Gathering:
    """How long a burst is waited for: people type one thought in several messages.

    Quiet is what was read, not what did not come: between two reads of the account nobody knows who is typing.
    """

    quiet_s: float = 0.0
    """A turn begins when the customer is known to have been quiet for so long …"""
    cap_s: float = 0.0
    """… or when the customer kept writing for so long after the first message …"""
    blind_s: float = 75.0
    """… or so long after that where the account could not be read: direct messages may be read once in 65 s."""

    def left_s(self, snapshot: Snapshot, read_until_ms: int, now: datetime) -> float:
        """Seconds until it is worth looking again; 0: the turn may begin.

        `read_until_ms`: up to when the place of the newest message was read. STOP and START are not waited for, nor is
        anything while a person has the conversation.
        """
        if not snapshot.conversation.owner.is_bot or any(opting(message.text) for message in snapshot.waiting):
            return 0.0
        now_s, read_until_s = now.timestamp(), read_until_ms / 1000
        first_s, last_s = snapshot.received_ms[0] / 1000, snapshot.received_ms[-1] / 1000
        quiet_until_s = min(snapshot.waiting[-1].sent_at.timestamp(), last_s) + self.quiet_s
        is_quiet = now_s >= quiet_until_s and read_until_s >= quiet_until_s
        cap_s = first_s + self.cap_s
        if not self.quiet_s or is_quiet or read_until_s >= cap_s or now_s >= cap_s + self.blind_s:
            return 0.0
        return min(max(quiet_until_s - now_s, NEXT_READ_S), self.quiet_s)  # never longer, whatever two clocks say


def first_burst(snapshot: Snapshot) -> Burst:
    """The oldest waiting messages that belong together."""
    first, *rest = snapshot.waiting
    chosen = [first]
    if opting(first.text) is None:
        for message in rest:
            if message.place is not first.place or opting(message.text) is not None:
                break
            chosen.append(message)
    memory = Memory.model_validate_json(snapshot.conversation.memory)
    return Burst(conversation=snapshot.conversation, memory=memory, messages=tuple(chosen))
