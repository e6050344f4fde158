"""The phases: at which moments of their work the processes are killed."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from redis.exceptions import RedisError

from tests.chaos.house import ChaosHouse, InFlight
from tests.chaos.trap import Moment

# How each command of the ledger is told on the wire: its arguments as JSON, see handoff/scripts.py.
TURN = b'"turn_id": "'
RECEIVED = b'"customer": "{'
SETTLED_AS_SENT = b'"state": "sent"'
AGENT_SAYS = b'"entry": {"id": "'
CURSOR = b'"feed": "'

SLOW_MS = 1500
SENDS = ("/2/tweets", "/2/dm_conversations/with/{id}/messages")


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A moment, and who dies at it."""

    victim: str
    name: str
    kill: Callable[[ChaosHouse], Awaitable[InFlight]]
    """Waits for the moment, kills, and returns what was under way."""


async def _while_messages_wait(house: ChaosHouse) -> InFlight:
    kill = house.killer("responder")
    await house.stream.speak(4)

    async def waits() -> InFlight | None:
        found = await house.in_flight()
        if not found.waiting:
            return None
        kill()
        return found

    found: InFlight = await house.until(waits, what="messages wait", nudge=partial(house.stream.speak, 1))
    return found


async def _while_a_reply_is_sent(house: ChaosHouse, *, victim: str, fault: str) -> InFlight:
    """`latency`: X has not got it yet; `latency_after`: X has it, and we do not know."""
    kill = house.killer(victim)
    for path in SENDS:
        await house.crowd.fault(fault, path, method="POST", latency_ms=SLOW_MS)
    try:
        await house.stream.speak(4)

        async def is_sending() -> InFlight | None:
            known = {one.id for one in await house.crowd.said()} if fault == "latency_after" else set()
            if not await house.sending():
                return None
            if fault == "latency_after" and not await _has_unknown(house, known):
                return None
            found = await house.in_flight()
            kill()
            return found

        found: InFlight = await house.until(is_sending, what="a reply is sent", nudge=partial(house.stream.speak, 1))
        return found
    finally:
        await house.crowd.mend()


async def _has_unknown(house: ChaosHouse, said: set[str]) -> bool:
    """Whether X has words of ours that the ledger does not know to be said."""
    known = set()
    for partition in house.parts.ledger.partitions:
        for _, fields in await house.parts.ledger.journal(partition, count=100_000):
            if fields["kind"] == "entry_sent":
                known.add(fields["facts"])
    return any(not any(f'"{one}"' in facts for facts in known) for one in said)


async def _at_a_command(
    house: ChaosHouse, *, victim: str, of: str, mark: bytes, moment: Moment, for_people: bool = False
) -> InFlight:
    """Kills `victim` at a command of the process `of`."""
    await house.stream.speak(3, for_people=for_people)
    seen = [await house.in_flight()]
    trap = house.traps[of]
    sprung = trap.arm(mark, moment, house.killer(victim))

    async def look() -> bool:
        if not sprung.is_set():
            with contextlib.suppress(RedisError):  # it may just have been killed
                seen.append(await house.in_flight())
        return sprung.is_set()

    try:
        await house.until(look, what=f"{of} says {mark!r}", nudge=partial(house.stream.speak, 1, for_people=for_people))
    finally:
        trap.disarm()
    return replace(seen[-1], held=1)


def _at(victim: str, name: str, *, of: str, mark: bytes, moment: Moment, for_people: bool = False) -> Phase:
    kill = partial(_at_a_command, victim=victim, of=of, mark=mark, moment=moment, for_people=for_people)
    return Phase(victim=victim, name=name, kill=kill)


def _sending(victim: str, name: str, fault: str) -> Phase:
    return Phase(victim=victim, name=name, kill=partial(_while_a_reply_is_sent, victim=victim, fault=fault))


BEFORE, AFTER = Moment.BEFORE, Moment.AFTER
PHASES = (
    Phase(victim="responder", name="messages wait", kill=_while_messages_wait),
    _at("responder", "turn decided, not stored", of="responder", mark=TURN, moment=BEFORE),
    _at("responder", "turn stored, not heard of", of="responder", mark=TURN, moment=AFTER),
    _at("channel", "message read, not stored", of="channel", mark=RECEIVED, moment=BEFORE),
    _at("channel", "messages stored, cursor behind", of="channel", mark=CURSOR, moment=BEFORE),
    _sending("channel", "reply under way to X", "latency"),
    _sending("channel", "reply at X, not heard of", "latency_after"),
    _at("channel", "reply at X, not settled", of="channel", mark=SETTLED_AS_SENT, moment=BEFORE),
    _at("channel", "reply settled, not heard of", of="channel", mark=SETTLED_AS_SENT, moment=AFTER),
    _at("desk", "agent's reply posted, not stored", of="desk", mark=AGENT_SAYS, moment=BEFORE, for_people=True),
    _at("desk", "agent's reply stored, not answered", of="desk", mark=AGENT_SAYS, moment=AFTER, for_people=True),
    _at("redis", "message stored, reply withheld", of="channel", mark=RECEIVED, moment=AFTER),
    _at("redis", "turn committed, reply withheld", of="responder", mark=TURN, moment=AFTER),
    _at("redis", "reply settled, reply withheld", of="channel", mark=SETTLED_AS_SENT, moment=AFTER),
    _at("redis", "agent's reply stored, reply withheld", of="desk", mark=AGENT_SAYS, moment=AFTER, for_people=True),
    _sending("redis", "reply under way to X", "latency"),
)
ONE_OF_EACH = frozenset(
    {
        "responder: messages wait",
        "channel: reply at X, not heard of",
        "desk: agent's reply stored, not answered",
        "redis: turn committed, reply withheld",
    }
)
"""The phases of a small run."""
