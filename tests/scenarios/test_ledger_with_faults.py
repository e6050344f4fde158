"""2,000 random transitions through a proxy that eats replies, delays them and cuts connections.

The same commands run twice: once through the faults, once in peace. Both ledgers must end alike to the last field,
and every ruling must be the same: each command was applied exactly once.
"""

import asyncio
import random
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from handoff.words import EntryState, Place
from tests.support.documented import undocumented
from tests.support.ledger import House, a_case, a_customer, a_message, a_turn, an_entry, house_on, later
from tests.support.redis_proxy import Faults, redis_behind

EXAMPLES, STEPS = 20, 150
AGENTS = ("ana", "ben")
STEP_KINDS = (
    *("receive", "receive", "receive", "turn", "turn", "turn", "open_case", "take", "reply", "reply"),
    *(
        "release",
        "transfer",
        "note",
        "resolve",
        "give_back",
        "claim",
        "claim",
        "settle",
        "settle",
        "cursor",
        "reading_ends",
    ),
)


class Walk:
    """Carries out random steps; the dice alone decide, so two walks of one seed do the same.

    Commands go through `house`, which may be disturbed; what they are decided on is read in peace.
    """

    def __init__(self, house: House, reading: House, seed: int) -> None:
        self.house = house
        self.reading = reading
        self.dice = random.Random(seed)
        self.rulings: list[tuple[Any, ...]] = []
        self.count = 0
        self.in_hand: dict[str, Any] = {}

    async def step(self, kind: str) -> None:
        self.count += 1
        self.now = later(self.count)
        self.customer = a_customer(self.dice.randrange(4))
        self.key = f"x:{self.customer.id}"
        self.agent = self.dice.choice(AGENTS)
        snapshot = await self.reading.ledger.snapshot(self.key)
        stale = self.dice.random() < 0.15
        self.epoch = (snapshot.conversation.epoch if snapshot else 1) - stale
        self.seen = (snapshot.conversation.seq if snapshot else 0) - (self.dice.random() < 0.15)
        self.case = (snapshot.conversation.case if snapshot else None) or "C00-1"
        self.waiting = [message.id for message in snapshot.waiting] if snapshot else []
        ruling = await getattr(self, kind)()
        self.rulings.append((kind, ruling.model_dump() if ruling else None))

    async def receive(self) -> Any:
        message = a_message(self.dice.randrange(1, 200), customer=self.customer)
        return await self.house.ledger.receive(message, self.now)

    async def turn(self, case: Any = None) -> Any:
        fence = await self.reading.fence("responder", self.key)
        entry = an_entry(self.key, self.count, author=self.dice.choice(["bot", "desk"]))
        turn = a_turn(self.key, self.waiting, fence=fence, epoch=self.epoch, entries=(entry,), case=case)
        return await self.house.ledger.commit_turn(turn, self.now) if self.waiting else None

    async def open_case(self) -> Any:
        return await self.turn(a_case(priority=self.dice.randrange(100)))

    async def take(self) -> Any:
        return await self.house.desk.take(self.case, self.agent, self.epoch, self.now)

    async def release(self) -> Any:
        return await self.house.desk.release(self.case, self.agent, self.epoch, self.now)

    async def transfer(self) -> Any:
        return await self.house.desk.transfer(self.case, self.agent, "ben", self.epoch, self.now)

    async def note(self) -> Any:
        return await self.house.desk.note(self.case, self.agent, "look at this", self.now)

    async def reply(self) -> Any:
        entry = an_entry(self.key, self.count, author=f"agent:{self.agent}")
        return await self.house.desk.reply(self.case, self.agent, entry, self.epoch, self.seen, self.now)

    async def resolve(self) -> Any:
        return await self.house.desk.resolve(self.case, self.agent, self.epoch, self.seen, self.now)

    async def give_back(self) -> Any:
        entry = an_entry(self.key, self.count, author="desk")
        return await self.house.desk.give_back(self.case, self.agent, entry, self.epoch, self.seen, self.now)

    async def claim(self) -> Any:
        if self.key in self.in_hand:
            return None
        fence = await self.reading.fence("delivery", self.key)
        claim = await self.house.outbox.claim(self.key, fence, self.now)
        if claim:
            self.in_hand[self.key] = claim
        return claim

    async def settle(self) -> Any:
        claim = self.in_hand.pop(self.key, None)
        if claim is None:
            return None
        fence = await self.reading.fence("delivery", self.key)
        state = self.dice.choice([EntryState.SENT, EntryState.RETRY_AT, EntryState.UNKNOWN, EntryState.BLOCKED])
        case = a_case() if state is EntryState.BLOCKED else None
        return await self.house.outbox.settle(claim.entry, fence, state, self.now, due_at=self.now, case=case)

    async def cursor(self) -> Any:
        return await self.house.ledger.set_cursor("mentions", str(self.dice.randrange(10**6)), self.now)

    async def reading_ends(self) -> Any:
        return await self.house.ledger.mark_read(Place.PUBLIC, later(self.dice.randrange(100)), self.now)


async def contents(redis: Redis) -> dict[str, Any]:
    """Everything in a Redis database but leases, recorded results and stream ids, which hold real time."""
    found: dict[str, Any] = {}
    for key in sorted(await redis.keys("*")):
        if re.search(r":(done|lease|fence):|^\{workers\}", key):
            continue
        kind = await redis.type(key)
        if kind == "hash":
            found[key] = await redis.hgetall(key)
        elif kind == "list":
            found[key] = await redis.lrange(key, 0, -1)
        elif kind == "zset":
            found[key] = await redis.zrange(key, 0, -1, withscores=True)
        elif kind == "stream":
            found[key] = [fields for _, fields in await redis.xrange(key)]
        else:
            found[key] = await redis.get(key)
    return found


async def walk(house: House, reading: House, seed: int, kinds: list[str]) -> tuple[list[Any], dict[str, Any]]:
    walked = Walk(house, reading, seed)
    for kind in kinds:
        await walked.step(kind)
    return walked.rulings, await contents(reading.redis)


HAPPENED = {"cut_before": 0, "eat_reply": 0, "delay": 0}


def test_every_command_is_applied_once_whatever_the_network_does(redis_url: str) -> None:
    transitions = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        kinds=st.lists(st.sampled_from(STEP_KINDS), min_size=STEPS, max_size=STEPS),
        seed=st.integers(0, 2**32),
    )
    def both_end_alike(kinds: list[str], seed: int) -> None:
        nonlocal transitions
        faulty, peaceful = asyncio.run(walk_twice(redis_url, seed, kinds))
        transitions += sum(ruling is not None for _, ruling in faulty[0])
        assert faulty[0] == peaceful[0]
        assert faulty[1] == peaceful[1]

    both_end_alike()
    assert transitions >= 2000
    assert min(HAPPENED.values()) > 20, f"the proxy hardly struck: {HAPPENED}"


async def walk_twice(redis_url: str, seed: int, kinds: list[str]) -> tuple[Any, Any]:
    base = redis_url.rpartition("/")[0]
    faults = Faults(cut_before=0.04, eat_reply=0.06, delay=0.02, delay_s=0.06, seed=seed)
    async with house_on(f"{base}/1") as one, house_on(f"{base}/2") as two:
        await one.redis.flushall()
        async with redis_behind(f"{base}/1", faults) as proxy, house_on(proxy.url, time_limit_s=0.05) as disturbed:
            faulty = await walk(disturbed, one, seed, kinds)
        peaceful = await walk(two, two, seed, kinds)
        assert await undocumented(two.redis) == []
    for fault, times in faults.happened.items():
        HAPPENED[fault] += times
    return faulty, peaceful
