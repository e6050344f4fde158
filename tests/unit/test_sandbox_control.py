"""The sandbox's control plane and page, without a client of the API."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.app import create_app
from bot.sandbox.world import World

STATIC = Path(__file__).parents[2] / "bot" / "sandbox" / "static"


@pytest.fixture
async def sandbox(tmp_path) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(create_app(World(state_path=tmp_path / "x.db")))) as client:
        yield client


async def sim(sandbox, method, path, body=None, status=200):
    async with sandbox.request(method, f"/_sim/{path}", json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(sandbox, author, text, status=201, **more):
    return await sim(sandbox, "POST", "posts", {"author": author, "text": text, **more}, status)


async def test_a_new_world_has_the_company_and_a_few_customers(sandbox):
    state = await sim(sandbox, "GET", "state")
    assert state["account"]["handle"] == "KestrelAir"
    assert state["account"]["automated"]
    assert [u["handle"] for u in state["users"]] == ["KestrelAir", "mia_travels", "tom_okafor", "lin_wei"]


@pytest.mark.parametrize("handle", ["", "a b", "x" * 16, "mia_travels", "MIA_TRAVELS", "<b>"])
async def test_a_handle_is_well_formed_and_free(sandbox, handle):
    assert "handle" in (await sim(sandbox, "POST", "users", {"handle": handle}, status=400))["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"author": "mia_travels", "text": " \n "},
        {"author": "mia_travels", "text": 7},
        {"author": "mia_travels", "text": "a" * 25_001},
        {"author": "mia_travels", "text": "x", "media": "yes"},
        {"author": "mia_travels", "text": "x", "delay_s": -1},
        {"text": "x"},
    ],
)
async def test_a_post_that_makes_no_sense_is_refused_in_words(sandbox, body):
    assert (await sim(sandbox, "POST", "posts", body, status=400))["error"]


@pytest.mark.parametrize("target", ["1", "abc", "9" * 19, "²"])
async def test_nobody_answers_what_does_not_exist(sandbox, target):
    await post(sandbox, "mia_travels", "x", in_reply_to=target, status=404)


@pytest.mark.parametrize("text", ["/restart", '/intent{"x":1}', "a\x00b", "\u202eabc", "🛫" * 100, "a" * 10_000])
async def test_odd_texts_come_back_as_they_were_typed(sandbox, text):
    written = await post(sandbox, "mia_travels", text)
    assert written["text"] == text
    assert (await sim(sandbox, "GET", "export"))["posts"][0]["text"] == text


async def test_a_thread_holds_everything_said_and_the_place_of_what_was_deleted(sandbox):
    root = await post(sandbox, "mia_travels", "@KestrelAir hello")
    gone = await post(sandbox, "tom_okafor", "rude", in_reply_to=root["id"])
    leaf = await post(sandbox, "lin_wei", "not nice", in_reply_to=gone["id"])
    await sim(sandbox, "DELETE", f"posts/{gone['id']}")
    thread = (await sim(sandbox, "GET", f"posts/{leaf['id']}/thread"))["posts"]
    assert [p["text"] for p in thread] == ["@KestrelAir hello", "", "not nice"]
    assert thread[2]["mentions"] == ["tom_okafor", "mia_travels", "KestrelAir"]


async def test_older_posts_are_a_page_away(sandbox):
    for number in range(5):
        await post(sandbox, "mia_travels", f"p{number}")
    first = await sim(sandbox, "GET", "posts?limit=3")
    assert ([p["text"] for p in first["posts"]], first["more"]) == (["p4", "p3", "p2"], True)
    second = await sim(sandbox, "GET", f"posts?limit=3&author=mia_travels&before={first['posts'][-1]['id']}")
    assert ([p["text"] for p in second["posts"]], second["more"]) == (["p1", "p0"], False)


async def test_an_open_page_hears_of_everything_at_once(sandbox):
    async with sandbox.get("/_sim/events") as stream:
        assert await stream.content.readline() == b"retry: 1000\n"
        written = await post(sandbox, "mia_travels", "hello <b>")
        await sim(sandbox, "POST", "dms", {"author": "mia_travels", "text": "psst"}, status=201)
        await sim(sandbox, "DELETE", f"posts/{written['id']}")
        heard = [await next_event(stream) for _ in range(3)]
    assert [event["type"] for event in heard] == ["post", "dm", "post_deleted"]
    assert heard[0]["post"]["text"] == "hello <b>"


async def next_event(stream):
    while True:
        line = await asyncio.wait_for(stream.content.readline(), 5)
        if line.startswith(b"data: "):
            return json.loads(line[6:])


async def test_a_page_that_listens_does_not_keep_the_sandbox_from_stopping(tmp_path):
    client = TestClient(TestServer(create_app(World(state_path=tmp_path / "x.db"))))
    await client.start_server()
    async with client.get("/_sim/events") as stream:
        await stream.content.readline()
        await asyncio.wait_for(client.close(), 5)


async def test_other_sites_cannot_write_here(sandbox):
    body = {"author": "mia_travels", "text": "x"}
    async with sandbox.post("/_sim/posts", json=body, headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    own = f"http://{sandbox.host}:{sandbox.port}"
    async with sandbox.post("/_sim/posts", json=body, headers={"Origin": own}) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "earthquake"},
        {"kind": ["outage"]},
        {"kind": "error", "status": 200},
        {"kind": "error", "colour": "red"},
        {"kind": "latency", "latency_ms": "long"},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(sandbox, fault):
    assert (await sim(sandbox, "POST", "faults", fault, status=400))["error"]
    assert (await sim(sandbox, "GET", "faults"))["faults"] == []


async def test_one_fault_is_switched_off_and_the_others_stay(sandbox):
    slow = await sim(sandbox, "POST", "faults", {"kind": "latency", "latency_ms": 5}, status=201)
    await sim(sandbox, "POST", "faults", {"kind": "outage"}, status=201)
    await sim(sandbox, "DELETE", f"faults/{slow['id']}")
    assert [f["kind"] for f in (await sim(sandbox, "GET", "faults"))["faults"]] == ["outage"]


async def test_after_a_reset_nothing_is_left_and_ids_still_grow(sandbox):
    before = await post(sandbox, "mia_travels", "x")
    await sim(sandbox, "POST", "faults", {"kind": "outage"}, status=201)
    await sim(sandbox, "POST", "rules", {"summons_required": False})
    await sim(sandbox, "POST", "reset")
    assert await sim(sandbox, "GET", "export") == {"posts": [], "dms": []}
    assert (await sim(sandbox, "GET", "faults"))["faults"] == []
    assert (await sim(sandbox, "POST", "rules", {}))["summons_required"]
    assert int((await post(sandbox, "mia_travels", "x"))["id"]) > int(before["id"])


async def test_the_page_runs_no_script_of_others_and_needs_nothing_from_elsewhere(sandbox):
    async with sandbox.get("/") as answer:
        html = await answer.text()
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    wanted = re.findall(r'(?:src|href)="(/[^"]+)"', html)
    assert "/static/main.js" in wanted
    for path in {*wanted, *(f"/static/{file.name}" for file in STATIC.iterdir())}:
        async with sandbox.get(path) as answer:
            assert answer.status == 200, path


async def test_a_name_with_markup_is_text_on_the_page(sandbox):
    await sim(sandbox, "PATCH", "users/KestrelAir", {"name": "<img src=x>"})
    async with sandbox.get("/") as answer:
        html = await answer.text()
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html


def test_no_script_of_the_page_reads_text_as_markup():
    for file in STATIC.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", file.read_text())
        assert "http://" not in file.read_text().replace("http://www.w3.org/2000/svg", "")


async def test_health_is_told(sandbox):
    for path in ("/healthz", "/readyz"):
        async with sandbox.get(path) as answer:
            assert answer.status == 200
