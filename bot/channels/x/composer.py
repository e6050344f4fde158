"""What an agent may write on X, told while they write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.channels.x.rules import EXPLANATIONS
from bot.channels.x.text import PUBLIC_LIMIT, urls_in, weighted_length
from handoff.words import LONGEST_TEXT_CHARS, Message, Place


class XComposer:
    """X's limits and our rules for public words, for the console's text field."""

    public_limit: int = PUBLIC_LIMIT

    def __init__(self, *, reveals: Callable[[str], Sequence[str]] = lambda text: ()) -> None:
        """`reveals`: the personal data in a text, such as an e-mail address; refused in public."""
        self._reveals = reveals

    def weighted_length(self, text: str) -> int:
        """How long X counts a text."""
        return weighted_length(text)

    def problems(self, text: str, place: Place) -> list[str]:
        """Sentences that say why a text may not go out; empty when it may."""
        if not text.strip():
            return [EXPLANATIONS["empty_text"]]
        if place is Place.PRIVATE:
            return [_too_long(len(text), LONGEST_TEXT_CHARS)] if len(text) > LONGEST_TEXT_CHARS else []
        found = []
        length = weighted_length(text)
        if length > self.public_limit:
            found.append(_too_long(length, self.public_limit))
        if urls_in(text):
            found.append(EXPLANATIONS["url_in_public"])
        if revealed := self._reveals(text):
            found.append(f"Everybody could read {' and '.join(revealed)}. Say it in a direct message.")
        return found

    def public_reply_possible(self, message: Message) -> bool:
        """Whether X lets us answer this post."""
        return message.place is Place.PUBLIC and message.summons_us

    def private_possible(self, messages: Sequence[Message]) -> bool:
        """Whether X certainly takes a direct message to who wrote these: they wrote one, or receive ours."""
        wrote_privately = any(message.place is Place.PRIVATE for message in messages)
        return wrote_privately or (bool(messages) and messages[-1].private_possible)


def _too_long(length: int, limit: int) -> str:
    return f"This is {length - limit:,} characters too long for X; {limit:,} are allowed."
