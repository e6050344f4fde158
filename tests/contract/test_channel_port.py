"""Every channel keeps the same promises: the one in memory, and X through real tweepy against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from bot.channels.channel import Absent, Inlet, Outlet, Page, Refused, Search, Sent
from bot.clock import SystemClock
from handoff.words import Customer, Entry, Message, Place
from tests.support.memory_channel import MemoryChannel
from tests.support.sandbox import MIA, Sandbox, sandbox_in


class Channel(Inlet, Outlet, Protocol):
    """Both sides of a channel."""


class Stage(Protocol):
    """A channel with one customer who writes to it."""

    channel: Channel
    customer_id: str

    async def writes(self, place: Place, text: str) -> str:
        """The platform id of what the customer wrote."""
        ...

    async def closes_inbox(self) -> None: ...


@dataclass(kw_only=True)
class MemoryStage:
    channel: MemoryChannel
    customer_id: str = "7"

    async def writes(self, place: Place, text: str) -> str:
        platform_id = self.channel.new_id()
        kind = "post" if place is Place.PUBLIC else "dm"
        self.channel.written.append(
            Message(
                id=f"{kind}:{platform_id}",
                customer=Customer(id=self.customer_id, handle="mia"),
                place=place,
                text=text,
                sent_at=datetime.now(UTC),
                thread=platform_id,
            )
        )
        return platform_id

    async def closes_inbox(self) -> None:
        self.channel.closed_to.add(self.customer_id)


@dataclass(kw_only=True)
class XStage:
    sandbox: Sandbox
    customer_id: str

    @property
    def channel(self) -> Channel:
        return self.sandbox.channel

    async def writes(self, place: Place, text: str) -> str:
        if place is Place.PRIVATE:
            return await self.sandbox.write(text)
        return await self.sandbox.post(f"@KestrelAir {text}")

    async def closes_inbox(self) -> None:
        await self.sandbox.tell("POST", "blocks", blocker=MIA, blocked="KestrelAir")


@pytest.fixture(params=["memory", "x"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    if request.param == "memory":
        yield MemoryStage(channel=MemoryChannel(clock=SystemClock()))
        return
    async with sandbox_in(tmp_path) as sandbox:
        yield XStage(sandbox=sandbox, customer_id=await sandbox.user_id(MIA))


@pytest.fixture(params=list(Place))
def place(request: pytest.FixtureRequest) -> Place:
    return Place(request.param)


def feed_of(stage: Stage, place: Place) -> str:
    (feed,) = (feed for feed, shown in stage.channel.feeds.items() if shown is place)
    return feed


async def everything(stage: Stage, place: Place, since: str) -> list[Message]:
    found: list[Message] = []
    older: str | None = None
    while True:
        page = await stage.channel.fetch(feed_of(stage, place), since, older)
        assert isinstance(page, Page)
        found += page.messages
        older = page.older
        if older is None:
            return sorted(found, key=lambda message: int(message.platform_id))


def an_hour_ago(stage: Stage) -> str:
    return stage.channel.cursor_at(datetime.now(UTC) - timedelta(hours=1))


def an_entry(stage: Stage, place: Place, text: str, reply_to: str | None) -> Entry:
    return Entry(
        id="e1",
        conversation=f"{stage.channel.name}:{stage.customer_id}",
        author="bot",
        place=place,
        text=text,
        reply_to=reply_to if place is Place.PUBLIC else None,
        customer_id=stage.customer_id,
        created_at=datetime.now(UTC),
    )


def a_search(entry: Entry, *, known: frozenset[str] = frozenset(), since_minutes: int = 10) -> Search:
    since = datetime.now(UTC) - timedelta(minutes=since_minutes)
    return Search(entry=entry, since=since, known=known)


async def test_what_a_customer_writes_is_read(stage: Stage, place: Place) -> None:
    platform_id = await stage.writes(place, "where is my bag?")
    (message,) = await everything(stage, place, an_hour_ago(stage))
    assert (message.platform_id, message.text, message.place) == (platform_id, "where is my bag?", place)
    assert message.customer.id == stage.customer_id


async def test_nothing_up_to_the_cursor_is_read_again(stage: Stage, place: Place) -> None:
    first = await stage.writes(place, "one")
    second = await stage.writes(place, "two")
    assert [m.platform_id for m in await everything(stage, place, first)] == [second]
    assert await everything(stage, place, second) == []


async def test_the_newest_id_of_a_page_is_the_next_cursor(stage: Stage, place: Place) -> None:
    await stage.writes(place, "one")
    newest = await stage.writes(place, "two")
    page = await stage.channel.fetch(feed_of(stage, place), an_hour_ago(stage))
    assert isinstance(page, Page)
    assert page.newest_id == newest


async def test_a_long_backlog_is_read_page_by_page(stage: Stage, place: Place) -> None:
    written = [await stage.writes(place, f"number {number}") for number in range(103)]
    assert [m.platform_id for m in await everything(stage, place, an_hour_ago(stage))] == written


async def test_a_cursor_can_be_moved_back_in_time(stage: Stage, place: Place) -> None:
    platform_id = await stage.writes(place, "one")
    earlier = stage.channel.cursor_before(platform_id, 1.0)
    assert int(earlier) < int(platform_id)
    assert [m.platform_id for m in await everything(stage, place, earlier)] == [platform_id]


async def test_what_we_say_is_found_again_and_nothing_else(stage: Stage, place: Place) -> None:
    entry = an_entry(stage, place, "It is in Leeds.", await stage.writes(place, "where is my bag?"))
    assert isinstance(await stage.channel.find_sent(a_search(entry)), Absent)
    result = await stage.channel.send(entry)
    assert isinstance(result, Sent)
    assert await stage.channel.find_sent(a_search(entry)) == result
    other = entry.model_copy(update={"text": "It is in London."})
    assert isinstance(await stage.channel.find_sent(a_search(other)), Absent)


async def test_what_belongs_to_another_entry_is_not_taken_for_this_one(stage: Stage, place: Place) -> None:
    entry = an_entry(stage, place, "It is in Leeds.", await stage.writes(place, "where is my bag?"))
    sent = await stage.channel.send(entry)
    assert isinstance(sent, Sent)
    assert isinstance(await stage.channel.find_sent(a_search(entry, known=frozenset({sent.external_id}))), Absent)


async def test_what_was_said_long_before_is_not_taken_for_this_one(stage: Stage, place: Place) -> None:
    entry = an_entry(stage, place, "It is in Leeds.", await stage.writes(place, "where is my bag?"))
    assert isinstance(await stage.channel.send(entry), Sent)
    assert isinstance(await stage.channel.find_sent(a_search(entry, since_minutes=-10)), Absent)


async def test_our_own_words_are_not_read_as_messages(stage: Stage, place: Place) -> None:
    asked = await stage.writes(place, "where is my bag?")
    assert isinstance(await stage.channel.send(an_entry(stage, place, "It is in Leeds.", asked)), Sent)
    assert [m.platform_id for m in await everything(stage, place, an_hour_ago(stage))] == [asked]


async def test_the_same_public_words_twice_are_refused(stage: Stage) -> None:
    entry = an_entry(stage, Place.PUBLIC, "It is in Leeds.", await stage.writes(Place.PUBLIC, "where is my bag?"))
    assert isinstance(await stage.channel.send(entry), Sent)
    again = await stage.channel.send(entry)
    assert isinstance(again, Refused)
    assert again.rule == "duplicate"


async def test_a_closed_inbox_refuses(stage: Stage) -> None:
    await stage.writes(Place.PRIVATE, "hello")
    await stage.closes_inbox()
    refused = await stage.channel.send(an_entry(stage, Place.PRIVATE, "Hello.", None))
    assert isinstance(refused, Refused)
    assert refused.rule == "dm_closed"
