"""Customers who type one thought in three messages, while processes are killed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.audit import Record
from bot.crowd import Crowd

THOUGHT = ("hi there", "how many bags may I bring", "on the flight to Rome?")
PAUSES_S = (0.0, 4.5, 4.5)
"""Three messages within ten seconds."""
QUIET_S = 6.0
"""As the program's default: longer than any pause between two messages of a thought."""


class Typists:
    """Each begins when asked to, types on by himself, and writes nothing else."""

    def __init__(self, crowd: Crowd, expected: dict[str, None]) -> None:
        """`expected`: is told the id of everything written."""
        self._crowd = crowd
        self._expected = expected
        self._typing: list[asyncio.Task[None]] = []
        self.thoughts: list[list[str]] = []
        """The ids of the messages of each."""

    def begin(self) -> None:
        """The next one begins to type."""
        ids: list[str] = []
        self.thoughts.append(ids)
        self._typing.append(asyncio.create_task(self._type(f"typist{len(self.thoughts):03d}", ids)))

    async def end(self) -> None:
        """Waits until all have written their thoughts."""
        await asyncio.gather(*self._typing)

    def stop(self) -> None:
        """Ends those who still type."""
        for typing in self._typing:
            typing.cancel()

    async def _type(self, handle: str, ids: list[str]) -> None:
        await self._crowd.join(handle)
        for text, pause_s in zip(THOUGHT, PAUSES_S, strict=True):
            await asyncio.sleep(pause_s)
            ids.append(f"dm:{await self._crowd.write(handle, text)}")
            self._expected[ids[-1]] = None


def answered_in_parts(thoughts: Sequence[Sequence[str]], journal: Sequence[Record]) -> list[str]:
    """The thoughts of which the messages did not all get the same turn."""
    turns: Mapping[str, str] = {
        str(record.facts["message"]): str(record.facts["turn"]) for record in journal if record.kind == "outcome"
    }
    return [
        f"the thought that begins with {thought[0]} got {count} turns"
        for thought in thoughts
        if (count := len({turns.get(message, "") for message in thought})) != 1
    ]
