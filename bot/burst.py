"""A burst: the waiting messages of one customer that get one turn together."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from bot.memory import Memory
from bot.opt_out import opting
from handoff.ledger import Conversation, Snapshot
from handoff.words import Message, Place


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
