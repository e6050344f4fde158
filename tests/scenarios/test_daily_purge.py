"""When the desk purges: once a day, at its hour or as soon as it is back, and never two at a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.daily_purge import DailyPurge
from handoff.erasure import Erasure
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.purge import Purge
from handoff.retention import Retention
from handoff.upkeep import ROLE, UpkeepBusy, upkeep
from tests.support.ledger import NOON, PARTITIONS, House, a_message

RETENTION = Retention(purge_at=time(3, 30), transcripts=2, cases=2, customers=2, journal=2, tombstones=2)


class Watch:
    """A clock that is set by hand."""

    def __init__(self, moment: str) -> None:
        self.set(moment)

    def set(self, moment: str) -> None:
        self.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


def upkeep_leases(house: House, holder: str) -> Leases:
    return Leases(house.redis, house.transitions, role=ROLE, holder=holder, partitions=[ACCOUNT], ttl_s=30)


def a_desk(house: House, watch: Watch, name: str = "desk") -> DailyPurge:
    common = {"partitions": PARTITIONS, "retention": RETENTION}
    return DailyPurge(
        house.redis,
        purge=Purge(house.redis, house.transitions, **common),
        erasure=Erasure(house.redis, house.transitions, **common),
        leases=upkeep_leases(house, name),
        retention=RETENTION,
        zone=ZoneInfo("Europe/London"),
        now=watch.now,
    )


async def test_the_desk_purges_once_a_day_after_its_hour_on_the_services_clock(house: House) -> None:
    watch = Watch("2026-06-01 02:29")  # 03:29 in London
    desk = a_desk(house, watch)

    assert not await desk.purge_if_due()
    watch.set("2026-06-01 02:30")
    assert await desk.purge_if_due()
    assert not await a_desk(house, watch, "another").purge_if_due()
    watch.set("2026-06-02 02:00")
    assert not await desk.purge_if_due()
    watch.set("2026-06-02 11:00")  # it was down at the hour
    assert await desk.purge_if_due()


async def test_a_purge_waits_while_another_upkeep_is_at_work(house: House) -> None:
    watch = Watch("2026-06-01 12:00")
    async with upkeep(upkeep_leases(house, "a backup"), watch.now):
        with pytest.raises(UpkeepBusy, match="Wait until it has ended"):
            await a_desk(house, watch).purge_if_due()

    assert await a_desk(house, watch).purge_if_due()


async def test_the_daily_purge_ends_an_erasure_that_was_cut_off(house: House) -> None:
    message = a_message()
    await house.ledger.receive(message, NOON)
    partition = house.ledger.partition_of(message.conversation)
    arguments = {"conversation": message.conversation, "tombstones_ms": 1000}
    await house.transitions.run("erase", partition, NOON, arguments)

    assert await a_desk(house, Watch("2026-11-23 12:00")).purge_if_due()

    assert await house.redis.exists(f"{partition}:erasing") == 0
    [(_, line)] = await house.ledger.journal(partition)
    assert (line["kind"], json.loads(line["facts"])["messages"]) == ("customer_erased", 1)
