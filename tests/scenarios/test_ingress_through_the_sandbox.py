"""What customers write comes in once and in order, whatever the platform shows late, twice or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from handoff.words import Message, Place, in_ms
from tests.support.account import QUICK_CADENCE, ingress_of, running, until, waiting_messages
from tests.support.ledger import House, house_on
from tests.support.redis_proxy import Faults, redis_behind
from tests.support.sandbox import MIA, TOM, Sandbox


async def texts_of(house: House, x: Sandbox, handle: str = MIA) -> list[str]:
    """What waits from a customer, in the order in which it will be handled."""
    return [message.text for message in await waiting_messages(house, f"x:{await x.user_id(handle)}")]


async def until_texts(house: House, x: Sandbox, *texts: str, handle: str = MIA) -> None:
    async def all_here() -> bool:
        return await texts_of(house, x, handle) == list(texts)

    await until(all_here)


async def until_cursor(house: House, feed: str, at_least: str) -> None:
    async def moved() -> bool:
        return int(await house.ledger.cursor(feed) or 0) >= int(at_least)

    await until(moved)


async def test_public_and_private_words_of_one_customer_are_one_conversation(house: House, x: Sandbox) -> None:
    await x.post("@KestrelAir hello")
    await x.write("it's about my bag")
    async with running(ingress_of(house, x.channel)):
        await until(lambda: _count(house, x, 2))
    assert sorted(await texts_of(house, x)) == ["hello", "it's about my bag"]


async def _count(house: House, x: Sandbox, number: int) -> bool:
    return len(await texts_of(house, x)) == number


async def test_a_message_shown_late_behind_a_newer_one_is_still_read(house: House, x: Sandbox) -> None:
    await x.post("@KestrelAir late", delay_s=0.6)
    newer = await x.post("@KestrelAir newer", author=TOM)
    async with running(ingress_of(house, x.channel)):
        await until_cursor(house, "mentions", newer)
        assert await texts_of(house, x) == []
        await until_texts(house, x, "late")


async def test_up_to_when_a_place_was_read_is_known(house: House, x: Sandbox) -> None:
    began = datetime.now(UTC)
    async with running(ingress_of(house, x.channel)):
        for place in Place:
            await until(lambda place=place: _was_read(house, place, began))
        x_was_read = await house.ledger.read_until_ms(Place.PUBLIC)
    assert x_was_read <= in_ms(datetime.now(UTC))


async def _was_read(house: House, place: Place, since: datetime) -> bool:
    return await house.ledger.read_until_ms(place) >= in_ms(since)


async def test_a_new_reader_goes_on_where_the_old_one_stopped(house: House, x: Sandbox) -> None:
    first = await x.post("@KestrelAir one")
    async with running(ingress_of(house, x.channel)):
        await until_cursor(house, "mentions", first)
    cursor = await house.ledger.cursor("mentions")
    await x.post("@KestrelAir two")
    async with running(ingress_of(house, x.channel, holder="two")):
        await until_texts(house, x, "one", "two")
    assert int(await house.ledger.cursor("mentions") or 0) > int(cursor or 0)


async def test_what_the_platform_delivers_twice_is_handled_once(house: House, x: Sandbox) -> None:
    post = await x.post("@KestrelAir one")
    await x.write("two", key="k")
    async with running(ingress_of(house, x.channel)):
        await until(lambda: _count(house, x, 2))
    await x.tell("POST", f"posts/{post}/redeliver")
    await x.write("two", key="k")
    last = await x.post("@KestrelAir three")
    async with running(ingress_of(house, x.channel, holder="two")):
        await until_cursor(house, "mentions", last)
    assert sorted(await texts_of(house, x)) == ["one", "three", "two"]


async def test_an_edited_post_is_not_a_second_message(house: House, x: Sandbox) -> None:
    post = await x.post("@KestrelAir wher is my bag")
    async with running(ingress_of(house, x.channel)):
        await until_texts(house, x, "wher is my bag")
        await x.tell("POST", f"posts/{post}/edit", text="@KestrelAir where is my bag")
        last = await x.post("@KestrelAir next", author=TOM)
        await until_cursor(house, "mentions", last)
    assert await texts_of(house, x) == ["wher is my bag"]


async def test_a_long_backlog_comes_in_whole_and_oldest_first(house: House, x: Sandbox) -> None:
    posts = [{"author": MIA, "text": f"@KestrelAir {number}"} for number in range(230)]
    await x.tell("POST", "bulk", posts=posts)
    for number in range(110):
        await x.write(f"dm {number}", author=TOM)
    async with running(ingress_of(house, x.channel)):
        await until(lambda: _received(house, 340))
    orders: dict[str, list[int]] = {MIA: [], TOM: []}
    for handle, order in orders.items():
        lines = await house.ledger.transcript(f"x:{await x.user_id(handle)}", limit=1000)
        order.extend(int(line.message.text.split()[-1]) for line in lines if line.message)
    assert orders == {MIA: list(range(230)), TOM: list(range(110))}


async def _received(house: House, number: int) -> bool:
    found = 0
    for partition in house.ledger.partitions:
        found += len(await house.ledger.journal(partition))
    return found == number


async def test_our_own_words_are_not_read_as_a_customers(house: House, x: Sandbox) -> None:
    dm = await x.write("hello")
    mia = await x.user_id(MIA)
    await x.transport.create_direct(mia, "Hello Mia.")
    await x.transport.create_post("We fly again. @KestrelAir", reply_to=None, deep_link=None)
    async with running(ingress_of(house, x.channel)):
        await until_cursor(house, "direct", str(int(dm) + 1))
    assert await texts_of(house, x) == ["hello"]
    assert await house.ledger.snapshot("x:1900000000000000000") is None


async def test_a_picture_alone_is_a_message(house: House, x: Sandbox) -> None:
    await x.post("@KestrelAir", media=True)
    async with running(ingress_of(house, x.channel)):
        messages: list[Message] = await until(lambda: _waiting(house, x))
    assert (messages[0].text, messages[0].pictures) == ("", 1)


async def _waiting(house: House, x: Sandbox) -> list[Message]:
    return await waiting_messages(house, f"x:{await x.user_id(MIA)}")


async def test_an_outage_is_told_and_nothing_of_it_is_lost(house: House, x: Sandbox) -> None:
    ingress = ingress_of(house, x.channel)
    await x.fault("outage")
    async with running(ingress):

        async def both_feeds_wait() -> bool:
            return "mentions" in (ingress.trouble or "") and "direct" in (ingress.trouble or "")

        await until(both_feeds_wait)
        await x.post("@KestrelAir one")
        await x.post("@KestrelAir two")
        await x.mend()
        await until_texts(house, x, "one", "two")
        await until(lambda: _is_well(ingress))


async def _is_well(ingress: object) -> bool:
    return getattr(ingress, "trouble", "?") is None


async def test_a_feed_that_fails_does_not_stop_the_other(house: House, x: Sandbox) -> None:
    await x.fault("error", "/2/dm_events")
    await x.post("@KestrelAir one")
    ingress = ingress_of(house, x.channel)
    async with running(ingress):
        await until_texts(house, x, "one")
        assert "mentions" not in (ingress.trouble or "")


async def test_a_limit_in_the_middle_of_a_backlog_is_waited_out(house: House, x: Sandbox) -> None:
    await x.tell("POST", "bulk", posts=[{"author": MIA, "text": f"@KestrelAir {n}"} for n in range(150)])
    await x.tell("POST", "limits", profile="ppu", overrides={"GET /2/users/{id}/mentions": 1})
    ingress = ingress_of(house, x.channel)
    assert await ingress.read("mentions") is not None
    assert await texts_of(house, x) == []  # nothing out of order meanwhile
    await x.tell("POST", "limits", profile="off")
    assert await ingress.read("mentions") is None
    assert await _received(house, 150)


async def test_only_one_of_two_readers_reads_and_the_other_takes_over(house: House, x: Sandbox) -> None:
    one, two = ingress_of(house, x.channel), ingress_of(house, x.channel, holder="two")
    async with running(two):
        async with running(one):
            await x.post("@KestrelAir one")
            await until_texts(house, x, "one")
        await x.post("@KestrelAir two")
        await until_texts(house, x, "one", "two")
    assert await _received(house, 2)


async def test_messages_wait_on_the_platform_while_redis_is_away(redis_url: str, x: Sandbox) -> None:
    faults = Faults()
    async with (
        redis_behind(redis_url, faults) as proxy,
        house_on(proxy.url, time_limit_s=0.3, patience_s=0.3) as house,
    ):
        ingress = ingress_of(house, x.channel)
        async with running(ingress):
            await until(lambda: _is_well(ingress))
            faults.cut_before = 1.0
            await x.post("@KestrelAir while away")

            async def says_so() -> bool:
                return "ledger" in (ingress.trouble or "")

            await until(says_so)
            faults.cut_before = 0.0
            await until_texts(house, x, "while away")


async def test_at_the_first_start_old_mentions_are_left_alone(house: House, x: Sandbox) -> None:
    await x.post("@KestrelAir from before")
    cadence = replace(QUICK_CADENCE, oldest_s=-1.0, overlap_s=0.0)
    ingress = ingress_of(house, x.channel, cadence=cadence)
    assert await ingress.read("mentions") is None
    assert await texts_of(house, x) == []
    assert await house.ledger.cursor("mentions")
