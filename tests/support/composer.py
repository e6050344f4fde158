"""A composer with X's rules of length, for tests of the console alone."""

from collections.abc import Sequence

from twitter_text import parse_tweet

from handoff.words import Message, Place


class LengthComposer:
    """Counts as X counts, and lets everything else pass."""

    public_limit = 280

    def weighted_length(self, text: str) -> int:
        return int(parse_tweet(text).weightedLength) if text else 0

    def problems(self, text: str, place: Place) -> list[str]:
        length = self.weighted_length(text) if place is Place.PUBLIC else len(text)
        limit = self.public_limit if place is Place.PUBLIC else 10_000
        return [f"Too long: {length} of {limit} characters."] if length > limit else []

    def public_reply_possible(self, message: Message) -> bool:
        return message.place is Place.PUBLIC and message.summons_us

    def private_possible(self, messages: Sequence[Message]) -> bool:
        return any(message.place is Place.PRIVATE for message in messages)
