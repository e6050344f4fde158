"""The two sides, and how they are asked: each customer waits for the answer before writing again."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Coroutine, Sequence
from itertools import count, cycle, islice
from typing import Protocol

from bench.sizes import Sizes

TURNS_OF_A_SENDER = 5
GROWTH_WINDOW = 20
"""Turns at the end and after the first one whose medians are compared, where there are 200."""


class NotAnswered(Exception):
    """A side did not answer a message that it understands; its figures would be worth nothing."""


class Side(Protocol):
    """Something that answers messages."""

    @property
    def name(self) -> str:
        """What it is called in messages for people."""
        ...

    @property
    def mix(self) -> Sequence[str]:
        """Five messages that it understands; what every sender writes."""
        ...

    async def ask(self, sender: str, text: str) -> None:
        """Returns once the answer is there. Raises NotAnswered."""
        ...


class Asking:
    """One side under load; every sender is new to it."""

    def __init__(self, side: Side) -> None:
        self.asked = 0
        """Messages so far."""
        self._side = side
        self._senders = (str(number) for number in count(1))

    async def warm_up(self, turns: int, sizes: Sizes) -> None:
        """So many turns at least, as in a round of throughput."""
        until = self.asked + turns
        while self.asked < until:
            senders = min(-(-(until - self.asked) // (sizes.customers * TURNS_OF_A_SENDER)), 20)
            await self.throughput(sizes.customers, senders)

    async def throughput(self, customers: int, senders: int) -> float:
        """Turns per second of one round."""
        before, began = self.asked, time.perf_counter()
        await _all_of([self._senders_in_turn(senders) for _ in range(customers)])
        return (self.asked - before) / (time.perf_counter() - began)

    async def single(self, turns: int) -> list[float]:
        """Seconds of so many turns, one customer at a time."""
        took: list[float] = []
        while len(took) < turns:
            took += await self._turns(TURNS_OF_A_SENDER)
        return took[:turns]

    async def growth(self, turns: int) -> float:
        """The median time of one customer's last turns over that of the turns after the first."""
        window = min(GROWTH_WINDOW, max(turns // 10, 1))
        took = await self._turns(turns)
        return statistics.median(took[-window:]) / statistics.median(took[1 : 1 + window])

    async def _senders_in_turn(self, senders: int) -> None:
        for _ in range(senders):
            await self._turns(TURNS_OF_A_SENDER)

    async def _turns(self, turns: int) -> list[float]:
        sender, took = next(self._senders), []
        for text in islice(cycle(self._side.mix), turns):
            began = time.perf_counter()
            await self._side.ask(sender, text)
            took.append(time.perf_counter() - began)
            self.asked += 1
        return took


async def _all_of(works: Sequence[Coroutine[None, None, None]]) -> None:
    """All at once; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def p95(seconds: Sequence[float]) -> float:
    """The time within which 95 of 100 turns end."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]
