"""Pauses after failures: longer each time, and never the same for two processes."""

from __future__ import annotations

import asyncio
import random


class Pauses:
    """How long to wait after the next failure; the first success begins anew."""

    def __init__(self, *, first_s: float, longest_s: float, chance: random.Random | None = None) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._chance = chance or random.Random()
        self.failures = 0

    def next_s(self) -> float:
        """Counts a failure; doubled each time up to the longest, of which half is left to chance."""
        whole = min(self._first_s * 2.0 ** min(self.failures, 20), self._longest_s)
        self.failures += 1
        return whole * (0.5 + self._chance.random() / 2)

    def succeeded(self) -> None:
        """The next failure is the first one again."""
        self.failures = 0


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, but not beyond `stop`."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await stop.wait()
    except TimeoutError:
        return
