"""Agents at the desk: take, answer, hand on and end cases, over HTTP and a real Redis."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from handoff.words import Customer, Place
from tests.support.desk import Office, open_office

YAN = Customer(id="5822", handle="yan", name="Yan")


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as opened:
        yield opened


async def test_only_one_of_two_agents_gets_a_case(office: Office) -> None:
    ana, ben = await office.agent("ana"), await office.agent("ben")
    case = await office.house.opens_case()
    pages = await asyncio.gather(ana.case(case), ben.case(case))
    taken = await asyncio.gather(ana.takes(case, pages[0]), ben.takes(case, pages[1]))
    assert sorted(page.status for page in taken) == [200, 409]
    winner = "Ana Ruiz" if taken[0].status == 200 else "Ben Okafor"
    loser = next(page for page in taken if page.status == 409)
    assert f"Taken by {winner} 0 s ago." in loser.text
    assert f"{winner} has this case." in loser.text


async def test_an_agent_answers_in_public_and_the_reply_is_signed(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case("Where is my suitcase?")
    page = await ana.replies(case, await ana.takes(case), "We found it.")
    assert page.status == 200
    [line] = [line for line in await office.house.ledger.transcript("x:4711") if line.entry][-1:]
    asked = next(line.message for line in await office.house.ledger.transcript("x:4711") if line.message)
    assert line.entry is not None
    assert line.entry.text == "We found it. ^AR"
    assert line.entry.author == "agent:ana"
    assert line.entry.place is Place.PUBLIC
    assert line.entry.reply_to == asked.platform_id
    assert line.entry.customer_id == "4711"
    assert "Promise kept" in page.text


async def test_an_agent_answers_in_private_and_signs_by_hand(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case("My order is KA-482913", place=Place.PRIVATE)
    await ana.replies(case, await ana.takes(case), "It is on its way. ^AR", place="private")
    [line] = [line for line in await office.house.ledger.transcript("x:4711") if line.entry][-1:]
    assert line.entry is not None
    assert (line.entry.place, line.entry.text, line.entry.reply_to) == (Place.PRIVATE, "It is on its way. ^AR", None)


async def test_a_reply_written_before_the_customers_latest_words_is_refused_with_what_changed(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    await office.house.writes("Never mind, it just came!")
    refused = await ana.replies(case, page, "We are still looking for it.")
    assert refused.status == 409
    assert "something new was said that you had not seen" in refused.text
    notice = refused.html.split('id="notice"')[1].split("</ol>")[0]
    assert "Never mind, it just came!" in notice
    assert "We are still looking for it.</textarea>" in refused.html
    assert await office.house.by_agents() == []
    sent = await ana.replies(case, refused, "Glad to hear it!")
    assert sent.status == 200
    assert await office.house.by_agents() == ["Glad to hear it! ^AR"]


async def test_the_refusal_is_also_told_as_json(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    await office.house.writes("One more thing")
    hidden = {name: page.field(name) for name in ("command", "epoch", "seen_seq")}
    headers = {"Origin": ana.origin, "Accept": "application/json"}
    answer = await ana.posts(
        f"/console/cases/{case}/reply", headers=headers, **hidden, place="private", reply_to="", text="Hello"
    )
    told = json.loads(answer.html)
    assert (answer.status, told["result"]) == (409, "changed")
    assert [change["text"] for change in told["changes"]] == ["One more thing"]


async def test_a_colleagues_note_counts_as_news_and_ones_own_does_not(office: Office) -> None:
    ana, ben = await office.agent("ana"), await office.agent("ben")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    await ana.presses(case, "note", page, text="I am calling the airport.")
    assert (await ana.replies(case, page, "One moment, please.")).status == 200
    page = await ana.case(case)
    await ben.presses(case, "note", await ben.case(case), text="It is in Lisbon.")
    refused = await ana.replies(case, page, "We do not know where it is.")
    assert refused.status == 409
    assert "It is in Lisbon." in refused.text


async def test_a_stale_epoch_cannot_speak(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    stale = await ana.takes(case)
    await ana.presses(case, "release", stale)
    await ana.takes(case)
    refused = await ana.replies(case, stale, "Written under the first hold.")
    assert refused.status == 409
    assert "changed hands" in refused.text
    assert await office.house.by_agents() == []


async def test_who_does_not_hold_the_case_cannot_speak(office: Office) -> None:
    ana, ben = await office.agent("ana"), await office.agent("ben")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    refused = await ben.replies(case, page, "I too know something.")
    assert refused.status == 409
    assert "Taken by Ana Ruiz" in refused.text
    assert "I too know something.</textarea>" in refused.html
    assert await office.house.by_agents() == []


async def test_a_reply_posted_twice_goes_once(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    twice = await asyncio.gather(ana.replies(case, page, "We found it."), ana.replies(case, page, "We found it."))
    later = await ana.replies(case, page, "We found it.")
    assert [answer.status for answer in (*twice, later)] == [200, 200, 200]
    assert await office.house.by_agents() == ["We found it. ^AR"]
    assert (await ana.replies(case, page, "And it is dry.")).status == 200
    assert await office.house.by_agents() == ["We found it. ^AR", "And it is dry. ^AR"]


async def test_a_note_posted_twice_is_noted_once_and_customers_never_get_it(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    said_before = await office.house.texts()
    await ana.presses(case, "note", page, text="Speak softly.")
    shown = await ana.presses(case, "note", page, text="Speak softly.")
    assert shown.text.count("Speak softly.") == 1
    assert "Note, only for colleagues" in shown.text
    assert await office.house.texts() == said_before


async def test_given_back_the_bot_owns_and_the_customer_is_told(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    done = await ana.presses(case, "give-back", await ana.takes(case), text="")
    assert "The bot has the conversation again." in done.text
    assert await office.house.owner() == "bot"
    assert (await office.house.texts())[-1].startswith("Our automated assistant looks after this conversation again")
    await office.house.writes("What is the fare to Paris?")
    assert await office.house.bot_turn(says="From £89.") == ""


async def test_a_last_word_of_the_agent_goes_with_the_give_back(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    await ana.presses(case, "give-back", await ana.takes(case), text="Our bot knows the fares.")
    assert (await office.house.by_agents()) == ["Our bot knows the fares. ^AR"]
    assert await office.house.owner() == "bot"


async def test_a_second_and_a_third_hand_over_work_like_the_first(office: Office) -> None:
    ana, ben = await office.agent("ana"), await office.agent("ben")
    cases = []
    for agent, ending in ((ana, "resolve"), (ben, "give-back"), (ana, "resolve")):
        case = await office.house.opens_case(f"Problem number {len(cases) + 1}")
        page = await agent.takes(case)
        said = await agent.replies(case, page, f"Answer number {len(cases) + 1}")
        assert said.status == 200
        ended = await agent.presses(case, ending, said, **({"text": ""} if ending == "give-back" else {}))
        assert ended.status == 200
        assert await office.house.owner() == "bot"
        cases.append(case)
    assert len(set(cases)) == 3
    answers = ["Answer number 1 ^AR", "Answer number 2 ^BO", "Answer number 3 ^AR"]
    assert await office.house.by_agents() == answers
    closed = await ana.case(cases[0])
    assert "Ana Ruiz resolved this case" in closed.text
    assert "/reply" not in closed.html


async def test_a_case_is_handed_to_a_colleague(office: Office) -> None:
    ana, ben = await office.agent("ana"), await office.agent("ben")
    case = await office.house.opens_case()
    done = await ana.presses(case, "transfer", await ana.takes(case), to="ben")
    assert "Your colleague has the case now." in done.text
    page = await ben.case(case)
    assert "Ana Ruiz handed the case to Ben Okafor" in page.text
    assert (await ben.replies(case, page, "I have it now.")).status == 200


async def test_a_case_is_not_handed_to_somebody_unknown(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    refused = await ana.presses(case, "transfer", await ana.takes(case), to="mallory")
    assert refused.status == 422
    assert await office.house.owner() == "agent:ana"


async def test_resolving_is_refused_when_something_new_came(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    await office.house.writes("Wait, there is more")
    refused = await ana.presses(case, "resolve", page)
    assert refused.status == 409
    assert "Wait, there is more" in refused.text
    assert await office.house.owner() == "agent:ana"
    assert "is resolved" in (await ana.presses(case, "resolve", refused)).text


async def test_the_console_says_before_typing_that_a_public_reply_cannot_go_out(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case("and still nothing", summons_us=False)
    page = await ana.takes(case)
    assert "their post does not mention us" in page.text
    assert "What remains: a direct message, or waiting until they mention us again." in page.text
    refused = await ana.replies(case, page, "Hello", place="public", reply_to="1")
    assert refused.status == 422
    private = await office.house.opens_case("Hi", place=Place.PRIVATE, customer=YAN)
    assert "has not written in public" in (await ana.takes(private)).text


async def test_a_public_reply_goes_under_the_latest_post_that_mentions_us(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case("@us my bag is lost")
    asked = next(line.message for line in await office.house.ledger.transcript("x:4711") if line.message)
    await office.house.writes("still waiting", summons_us=False)
    page = await ana.takes(case)
    assert "Their latest post does not mention us" in page.text
    await ana.replies(case, page, "We are on it.")
    last = [line.entry for line in await office.house.ledger.transcript("x:4711") if line.entry][-1]
    assert last.reply_to == asked.platform_id


async def test_a_text_too_long_for_the_public_is_refused_and_kept(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    refused = await ana.replies(case, page, "長" * 139)
    assert refused.status == 422
    assert "Too long: 282 of 280 characters." in refused.text
    assert "長" * 139 + "</textarea>" in refused.html
    assert (await ana.replies(case, refused, "長" * 138)).status == 200


async def test_the_length_counts_as_x_does_and_includes_the_signature(office: Office) -> None:
    ana = await office.agent("ana")
    counted = json.loads((await ana.posts("/console/length", text="見て https://example.com/a/b", place="public")).html)
    assert counted == {"length": 4 + 1 + 23 + 4, "limit": 280, "remaining": 248, "problems": []}


async def test_customers_cannot_put_markup_on_our_pages(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case("<script>alert(1)</script> \" onload='x' <img src=x>", rich=True)
    for page in (await ana.opens("/console/"), await ana.takes(case), await ana.case(case)):
        assert "<script>alert(1)" not in page.html
        assert "<img src=x>" not in page.html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.html


async def test_the_packet_is_beside_the_conversation(office: Office) -> None:
    ana = await office.agent("ana")
    text = (await ana.case(await office.house.opens_case(rich=True))).text
    for part in (
        "Their words My suitcase never arrived",
        "Certainty 62 %, needed 80 %",
        "order KA-482913, 2 wrong attempts",
        "KB-lost-baggage@v3",
        "Please send us the reference on your tag",
        "You will hear from us within 30 minutes.",
        "C00-99 The bot had no answer",
        "complain · 91 %",
    ):
        assert part in text


async def test_a_suggestion_fills_the_composer_without_scripts(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case(rich=True)
    await ana.takes(case)
    page = await ana.opens(f"/console/cases/{case}?use=1")
    composer = page.html.split('name="text"')[1].split("</textarea>")[0]
    assert "Please send us the reference on your tag" in composer
    assert (await ana.opens(f"/console/cases/{case}?use=²")).status == 200


async def test_the_queue_shows_the_most_urgent_first_and_whose_turn_it_is(office: Office) -> None:
    ana = await office.agent("ana")
    start = office.house.now()
    office.house.set_clock(start - timedelta(hours=2))
    calm = await office.house.opens_case(customer=YAN, priority=40)
    office.house.set_clock(start)
    urgent = await office.house.opens_case(priority=95, promise_min=None)
    view = json.loads((await ana.opens("/console/queue.json")).html)
    assert [row["case"] for row in view["waiting"]] == [urgent, calm]
    assert [row["unread"] for row in view["waiting"]] == [True, True]
    assert [row["overdue"] for row in view["waiting"]] == [False, True]
    await ana.replies(calm, await ana.takes(calm), "We are on it.")
    view = json.loads((await ana.opens("/console/queue.json")).html)
    [mine] = view["mine"]
    assert (mine["waiting_since_ms"], mine["unread"], mine["last_who"]) == (None, False, "agent")
    await office.house.writes("Thank you, but when?", customer=YAN)
    [mine] = json.loads((await ana.opens("/console/queue.json")).html)["mine"]
    assert (mine["unread"], mine["last_words"]) == (True, "Thank you, but when?")
    assert mine["waiting_since_ms"] is not None


async def test_what_became_of_our_words_is_shown(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.replies(case, await ana.takes(case), "We found it.")
    told = json.loads((await ana.opens(f"/console/cases/{case}.json")).html)
    assert told["rows"][-1]["state"] == "on its way"
    partition = office.house.ledger.partition_of("x:4711")
    entry = [line.entry for line in await office.house.ledger.transcript("x:4711") if line.entry][-1]
    await office.house.redis.hset(
        f"{partition}:entry:{entry.id}", mapping={"state": "blocked", "detail": "not_summoned"}
    )
    page = await ana.case(case)
    assert "not sent: refused (not_summoned)" in page.text


async def test_an_unknown_case_is_a_plain_404(office: Office) -> None:
    ana = await office.agent("ana")
    page = await ana.opens("/console/cases/C01-999")
    assert page.status == 404
    assert "There is nothing at this address." in page.text
    assert "Traceback" not in page.html


async def test_odd_forms_are_refused_plainly(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    page = await ana.takes(case)
    assert (await ana.posts(f"/console/cases/{case}/reply", text="no fields")).status == 400
    assert (await ana.replies(case, page, "x", place="sideways")).status == 400
    assert (await ana.replies(case, page, "  \x00 ")).status == 422
    assert (await ana.replies(case, page, "x" * 300_000, place="private")).status == 413


async def test_a_case_can_be_read_while_redis_is_full(office: Office, redis_url: str) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case("Where is my suitcase?")
    async with Redis.from_url(redis_url) as redis:
        await redis.config_set("maxmemory", "1mb")
        try:
            page = await ana.case(case)
        finally:
            await redis.config_set("maxmemory", "0")
    assert page.status == 200
    assert "Where is my suitcase?" in page.text
