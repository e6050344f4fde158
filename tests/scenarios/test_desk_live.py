"""Live updates at the desk, and what happens while Redis is away."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import ClientResponse

from tests.support.desk import Office, Person, open_office
from tests.support.redis_proxy import Faults, redis_behind


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as opened:
        yield opened


async def events(answer: ClientResponse) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The events of a stream as they come."""
    name = ""
    async for line in answer.content:
        text = line.decode().rstrip("\n")
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: "):
            yield name, json.loads(text.removeprefix("data: "))


async def conversation_told(answer: ClientResponse, conversation: str) -> None:
    """Waits until a change of that conversation is told."""
    async with asyncio.timeout(10):
        async for name, data in events(answer):
            if name == "change" and data["conversation"] == conversation:
                return


async def listens(person: Person, office: Office) -> ClientResponse:
    answer = await person.session.get(office.server.make_url("/live"))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    return answer


async def test_a_new_message_is_told_to_open_pages(office: Office) -> None:
    ana = await office.agent("ana")
    async with await listens(ana, office) as stream:
        await office.house.writes("Hello?")
        await conversation_told(stream, "x:4711")


async def test_live_updates_come_back_after_redis_was_away(redis_url: str) -> None:
    faults = Faults()
    async with redis_behind(redis_url, faults) as proxy, open_office(proxy.url) as office:
        ana = await office.agent("ana")
        async with await listens(ana, office) as stream:
            await office.house.writes("Before")
            await conversation_told(stream, "x:4711")
            faults.cut_before = 1.0
            away = await ana.opens("/console/")
            assert away.status == 503
            assert "The store does not answer" in away.text
            assert "Traceback" not in away.html
            async with asyncio.timeout(10):
                await office.live.changes.away.wait()
            faults.cut_before = 0.0
            await conversation_told(stream, "*")
            await office.house.writes("After")
            await conversation_told(stream, "x:4711")
        assert (await ana.opens("/console/")).status == 200


async def test_words_are_kept_when_the_store_does_not_answer_and_sent_once_after(redis_url: str) -> None:
    faults = Faults()
    async with redis_behind(redis_url, faults) as proxy, open_office(proxy.url) as office:
        ana = await office.agent("ana")
        case = await office.house.opens_case()
        page = await ana.takes(case)
        faults.cut_before = 1.0
        away = await ana.replies(case, page, "We <found> it.")
        assert away.status == 503
        assert "We &lt;found&gt; it.</textarea>" in away.html
        faults.cut_before = 0.0
        fields = {name: away.field(name) for name in ("command", "epoch", "seen_seq", "place", "reply_to")}
        again = await ana.posts(f"/console/cases/{case}/reply", **fields, text="We <found> it.")
        assert again.status == 200
        await ana.replies(case, page, "We <found> it.")
        assert await office.house.by_agents() == ["We <found> it. ^AR"]


async def test_a_reply_whose_answer_was_lost_on_the_way_is_said_once(redis_url: str) -> None:
    faults = Faults(seed=5)
    async with redis_behind(redis_url, faults) as proxy, open_office(proxy.url) as office:
        ana = await office.agent("ana")
        case = await office.house.opens_case()
        page = await ana.takes(case)
        faults.eat_reply = 0.1
        for number in range(3):
            while (page := await ana.case(case)).status != 200:
                pass
            while (await ana.replies(case, page, f"Step {number}.")).status != 200:
                pass
        faults.eat_reply = 0.0
        assert faults.happened["eat_reply"] > 2
        assert await office.house.by_agents() == [f"Step {number}. ^AR" for number in range(3)]


async def test_a_stream_ends_with_the_session(redis_url: str) -> None:
    async with open_office(redis_url, heartbeat_s=0.1) as office:
        ana = await office.agent("ana")
        async with await listens(ana, office) as stream:
            await ana.posts("/sign-out")
            async with asyncio.timeout(10):
                told = [name async for name, _ in events(stream)]
        assert told[-1] == "signed_out"


async def test_an_overdue_promise_is_broken_by_the_desk_itself(redis_url: str) -> None:
    async with open_office(redis_url, promises_every_s=0.05) as office:
        ana = await office.agent("ana")
        case = await office.house.opens_case(promise_min=30)
        async with await listens(ana, office) as stream:
            office.house.set_clock(office.house.now() + timedelta(minutes=31))
            await conversation_told(stream, "x:4711")
        page = await ana.case(case)
        assert "Promise broken" in page.text
        assert "The promised reply time has passed" in page.text
