"""The stream of messages that flows while processes are killed: who writes what and where, by a seeded dice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bot.crowd import Crowd, Post

TEXTS = (
    "What does it cost to bring a second bag?",
    "How much is the cheapest return from London to Paris in May?",
    "Can my dog fly in the cabin with me?",
    "When does check-in close?",
    "How do I pick a seat by the window?",
    "I would like to speak to a person, please",
    "Nobody answers your phone and I am really angry by now",
    "My suitcase never arrived in Rome",
    "Where is my order?",
    "Thank you!",
    "Is there somebody at your desk today?",
    "Can I still change the date of my flight?",
    "Lovely crew this morning, well done",
    "Do you serve a vegetarian meal?",
    "What is the meaning of life?",
)
FOR_PEOPLE = "Please let me talk to a human being"
PRIVATE_SHARE = 0.35


@dataclass(frozen=True, kw_only=True)
class Written:
    """One message to come."""

    author: str
    text: str
    private: bool


class Stream:
    """Writes the next messages when asked to, until all are written."""

    def __init__(self, crowd: Crowd, dice: Random, *, messages: int, customers: int, account: str) -> None:
        self._crowd = crowd
        self._account = account
        self.customers = tuple(f"chaos{number:03d}" for number in range(customers))
        self._left = list(_written(dice, messages, self.customers))[::-1]
        self.expected: dict[str, None] = {}
        """The ids of everything written, as the ledger knows them."""

    async def open(self) -> None:
        """Lets everybody join."""
        for handle in self.customers:
            await self._crowd.join(handle)

    @property
    def left(self) -> int:
        """How many messages are still to be written."""
        return len(self._left)

    async def speak(self, count: int, *, for_people: bool = False) -> None:
        """Writes the next `count` messages in order; `for_people`: asking for one, so that a case opens."""
        for _ in range(min(count, len(self._left))):
            one = self._left.pop()
            text = FOR_PEOPLE if for_people else one.text
            if one.private:
                self.expected[f"dm:{await self._crowd.write(one.author, text)}"] = None
            else:
                (post_id,) = await self._crowd.post_all([Post(author=one.author, text=f"{self._account} {text}")])
                self.expected[f"post:{post_id}"] = None


def _written(dice: Random, messages: int, customers: tuple[str, ...]) -> Iterator[Written]:
    for _ in range(messages):
        yield Written(author=dice.choice(customers), text=dice.choice(TEXTS), private=dice.random() < PRIVATE_SHARE)
