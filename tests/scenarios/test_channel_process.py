"""The channel process: two of them share the work, one that stops leaves nothing half done, health tells the truth."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
from aiohttp.test_utils import unused_port

from bot.channels.process import run_channel
from bot.clock import SystemClock
from bot.metrics import ProcessMetrics
from handoff.words import Customer, Entry, Place
from tests.support.account import (
    answer,
    delivery_of,
    ingress_of,
    running,
    until,
    until_state,
    waiting_messages,
)
from tests.support.ledger import House, a_customer, a_message, house_on
from tests.support.memory_channel import MemoryChannel
from tests.support.redis_proxy import Faults, redis_behind
from tests.support.sandbox import MIA, Sandbox


async def replies_to(house: House, customers: int, each: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, customers + 1):
        message = a_message(number, customer=a_customer(number), place=Place.PRIVATE)
        entries += await answer(house, message, *(f"{number}.{n}" for n in range(each)))
    return entries


async def test_two_deliveries_share_the_work_and_say_everything_once(house: House) -> None:
    channel = MemoryChannel(clock=SystemClock())
    entries = await replies_to(house, 20, 3)
    async with running(delivery_of(house, channel, holder="one"), delivery_of(house, channel, holder="two")):
        for entry in entries:
            await until_state(house, entry, "sent")
    said = [item.entry for item in channel.said]
    assert Counter(entry.id for entry in said) == Counter(entry.id for entry in entries)
    for customer in {entry.customer_id for entry in entries}:
        texts = [entry.text for entry in said if entry.customer_id == customer]
        assert texts == sorted(texts)


async def test_a_delivery_that_stops_ends_its_call_and_another_goes_on_at_once(house: House, x: Sandbox) -> None:
    await x.write("hello")
    mia = Customer(id=await x.user_id(MIA), handle=MIA)
    message = a_message(1, customer=mia, place=Place.PRIVATE)
    first, second = await answer(house, message, "One.", "Two.")
    await x.fault("latency_after", "/2/dm_conversations/*", method="POST", latency_ms=400)
    async with running(delivery_of(house, x.channel, ttl_s=30.0)):
        await until_state(house, first, "sending")
    assert (await house.outbox.record(first.id, first.conversation))["state"] == "sent"
    await x.mend()
    async with running(delivery_of(house, x.channel, holder="two")):
        await until_state(house, second, "sent", limit_s=5.0)
    assert await x.said() == ["One.", "Two."]


async def test_replies_wait_while_redis_is_away(redis_url: str) -> None:
    faults, channel = Faults(), MemoryChannel(clock=SystemClock())
    async with (
        house_on(redis_url) as house,
        redis_behind(redis_url, faults) as proxy,
        house_on(proxy.url, time_limit_s=0.3, patience_s=0.3) as theirs,
    ):
        delivery = delivery_of(theirs, channel, ttl_s=1.0)
        async with running(delivery):

            async def is_well() -> bool:
                return delivery.trouble is None

            await until(is_well)
            faults.cut_before = 1.0
            entries = await replies_to(house, 4, 1)

            async def says_so() -> bool:
                return "ledger" in (delivery.trouble or "")

            await until(says_so)
            faults.cut_before = 0.0
            for entry in entries:
                await until_state(house, entry, "sent")
            await until(is_well)
    assert len(channel.said) == 4


async def test_the_process_reads_delivers_tells_its_health_and_stops(house: House, x: Sandbox) -> None:
    stop, port = asyncio.Event(), unused_port()
    ingress, delivery = ingress_of(house, x.channel), delivery_of(house, x.channel)
    process = asyncio.create_task(
        run_channel(
            ingress=ingress,
            delivery=delivery,
            redis=house.redis,
            metrics=ProcessMetrics("channel"),
            stop=stop,
            host="127.0.0.1",
            port=port,
        )
    )
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:

        async def status(page: str) -> int:
            try:
                async with client.get(page) as response:
                    return response.status
            except aiohttp.ClientError:
                return 0

        async def is_ready() -> bool:
            return await status("/readyz") == 200

        async def is_not_ready() -> bool:
            return await status("/readyz") == 503

        await until(is_ready)
        await x.post("@KestrelAir hello")
        conversation = f"x:{await x.user_id(MIA)}"
        (message,) = await until(lambda: waiting_messages(house, conversation))
        (entry,) = await answer(house, message, "Hello Mia.")
        await until_state(house, entry, "sent")
        await x.fault("outage")
        await until(is_not_ready)
        assert await status("/healthz") == 200
        await x.mend()
        await until(is_ready)
    stop.set()
    await process
    assert await x.said() == ["Hello Mia."]
