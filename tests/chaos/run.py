"""One run of chaos: a stream of messages, an agent at work, kills at chosen moments, and the count at the end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from random import Random

from aiohttp import ClientSession, ClientTimeout

from bot import wiring
from bot.audit import Audit, JournalReader, Kept, audit, kept_entries
from bot.crowd import Crowd, Said
from bot.embedded_redis import EmbeddedRedis
from bot.own_stack import own_folder, own_settings, own_stack
from bot.settings import Settings
from bot.stack import Stack
from handoff.words import EntryState
from tests.chaos.agent import Agent
from tests.chaos.house import ChaosHouse, InFlight
from tests.chaos.phases import PHASES, Phase
from tests.chaos.stream import Stream
from tests.chaos.trap import Trap, traps_before
from tests.chaos.typists import QUIET_S, Typists, answered_in_parts

TRAPPED = ("channel", "responder", "desk")

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Killed:
    """One kill."""

    phase: Phase
    in_flight: InFlight
    ready_after_s: float


@dataclass(frozen=True, kw_only=True)
class ChaosReport:
    """What a run came to."""

    kills: tuple[Killed, ...]
    audit: Audit
    messages: int
    agent_replies: int
    forms_repeated: int
    agent_lost: int
    """Replies that the console accepted and that nobody ever said or refused."""
    agent_duplicated: int
    """Replies of the agent that customers read twice."""
    thoughts: int
    """How many customers typed one thought in three messages."""
    in_parts: tuple[str, ...]
    """Those thoughts that were not answered as one."""
    seconds: float

    @property
    def is_clean(self) -> bool:
        agents_words = self.agent_lost or self.agent_duplicated
        return self.audit.is_clean and not agents_words and not self.in_parts


class Chaos:
    """A run, from its seed."""

    def __init__(
        self, settings: Settings, *, seed: int, kills: int, messages: int, customers: int, say: Say, keep: bool = False
    ) -> None:
        """`keep`: whether the folder stays, with the store and the logs."""
        self._settings = settings
        self._dice = Random(seed)
        self._seed = seed
        self._kills = kills
        self._messages = messages
        self._customers = customers
        self._say = say
        self._keep = keep

    def run(self, phases: Sequence[Phase] = PHASES) -> ChaosReport:
        """Starts everything on a stack of its own, kills, counts.

        Raises MomentMissed, Interrupted, and what a start raises. The main thread looks after the processes and hears
        signals; everything else happens on a loop of another, because the traps must pass things on meanwhile.
        """
        chosen, stop = self._choose(phases), threading.Event()
        with own_folder(self._settings, say=self._say, keep=self._keep) as folder, _loop_beside() as loop:
            # Shorter than usual, so that a dead process's work is taken over sooner.
            own = own_settings(self._settings, folder, limits="off")
            own = replace(own, lease_s=3.0, call_limit_s=3.0, quiet_s=QUIET_S)
            embedded = EmbeddedRedis(own.var, port=own.redis_port)
            embedded.prepare()  # from here on its password is known
            with _traps_on(loop, own.redis_port) as traps:
                ports = {name: trap.port for name, trap in traps.items()}
                routes = {name: EmbeddedRedis(own.var, port=port).url for name, port in ports.items()}
                with own_stack(own, say=self._quietly, stop=stop, redis_routes=routes) as stack:
                    return asyncio.run_coroutine_threadsafe(self._with(stack, traps, chosen, stop), loop).result()

    def _quietly(self, text: str) -> None:
        """What the watch says of every death is in the table already."""
        if "is started again" not in text:
            self._say(text)

    def _choose(self, phases: Sequence[Phase]) -> list[Phase]:
        """Every phase as often as any other, give or take one, in an order that the dice decides."""
        chosen: list[Phase] = []
        while len(chosen) < self._kills:
            chosen += self._dice.sample(list(phases), len(phases))
        return chosen[: self._kills]

    async def _with(
        self, stack: Stack, traps: dict[str, Trap], phases: Sequence[Phase], stop: threading.Event
    ) -> ChaosReport:
        parts = wiring.ledger_parts(stack.settings)
        began = time.monotonic()
        async with ClientSession(timeout=ClientTimeout(total=30)) as session:
            crowd = Crowd(session, stack.settings.sandbox_address)
            stream = Stream(
                crowd, self._dice, messages=self._messages, customers=self._customers, account=stack.settings.account
            )
            house = ChaosHouse(
                stack=stack, parts=parts, traps=traps, crowd=crowd, stream=stream, dice=self._dice, stop=stop
            )
            typists = Typists(crowd, stream.expected)
            agent = Agent(address=stack.settings.desk_address, dice=Random(self._seed + 1))
            try:
                await stream.open()
                kills = await self._kill_all(house, agent, typists, phases)
                return await self._count(house, agent, typists, kills, time.monotonic() - began)
            finally:
                await parts.redis.aclose()

    async def _kill_all(
        self, house: ChaosHouse, agent: Agent, typists: Typists, phases: Sequence[Phase]
    ) -> list[Killed]:
        home = asyncio.Event()
        working = asyncio.create_task(agent.work(home))
        kills: list[Killed] = []
        try:
            for number, phase in enumerate(phases, start=1):
                share = house.stream.left // (len(phases) - number + 1)
                typists.begin()
                kills.append(await self._kill(house, phase, house.stream.left - share))
                killed, flight = kills[-1], kills[-1].in_flight
                self._say(
                    f"{number:3} of {len(phases)}  {phase.victim:<10}{phase.name:<36}"
                    f"{flight.waiting:3} waiting {flight.unsaid:3} unsaid {flight.held} held  "
                    f"ready after {killed.ready_after_s:4.1f} s"
                )
            await house.stream.speak(house.stream.left)
            await typists.end()
            await house.settle()
        finally:
            home.set()
            typists.stop()
            if house.stop.is_set():
                working.cancel()
            with suppress(asyncio.CancelledError):
                await working
        await house.settle()
        return kills

    async def _kill(self, house: ChaosHouse, phase: Phase, leave: int) -> Killed:
        """One kill; whatever of its share of the messages is left is written while the process is away."""
        await house.all_ready()
        in_flight = await phase.kill(house)
        began = time.monotonic()
        while house.stream.left > leave:
            await house.stream.speak(1)
            await asyncio.sleep(self._dice.random() * 0.2)
        await house.all_ready()
        return Killed(phase=phase, in_flight=in_flight, ready_after_s=time.monotonic() - began)

    async def _count(
        self, house: ChaosHouse, agent: Agent, typists: Typists, kills: list[Killed], seconds: float
    ) -> ChaosReport:
        journal = JournalReader(house.parts.ledger)
        await journal.read_on()
        entries = await kept_entries(house.parts.outbox, journal.records)
        said = await house.crowd.said()
        found = audit(expected=house.stream.expected, journal=journal.records, entries=entries, said=said)
        lost, duplicated = _agent_faults(agent, entries, said)
        return ChaosReport(
            kills=tuple(kills),
            audit=found,
            messages=len(house.stream.expected),
            agent_replies=len(agent.accepted),
            forms_repeated=agent.repeated,
            agent_lost=lost,
            agent_duplicated=duplicated,
            thoughts=len(typists.thoughts),
            in_parts=tuple(answered_in_parts(typists.thoughts, journal.records)),
            seconds=seconds,
        )


def _agent_faults(agent: Agent, entries: Sequence[Kept], said: Sequence[Said]) -> tuple[int, int]:
    """Accepted replies that never reached an end, and replies that were said twice; each has a text of its own."""
    read = Counter(text for one in said for text in agent.asked if one.text.startswith(text))
    refused = sum(entry.author == f"agent:{agent.name}" and entry.state != EntryState.SENT for entry in entries)
    unread = sum(read[text] == 0 for text in agent.accepted)
    return max(unread - refused, 0), sum(count - 1 for count in read.values() if count > 1)


@contextmanager
def _loop_beside() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _traps_on(loop: asyncio.AbstractEventLoop, redis_port: int) -> Iterator[dict[str, Trap]]:
    """The traps, served by that loop."""
    opened = traps_before(redis_port, TRAPPED)
    traps = asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
    try:
        yield traps
    finally:
        asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result()
