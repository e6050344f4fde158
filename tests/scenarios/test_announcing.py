"""Announcements are said once, in time or not at all, and never during a stop: real Redis, tweepy, HTTP, sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from bot.announcement_clock import AnnouncementClock
from bot.cli import app
from handoff.announcement_text import AnnouncementText
from handoff.announcements import EVERYWHERE, Announcements, Occurrence, Once, Plan
from handoff.announcing import Announced, Announcing, entry_of
from handoff.hours import ServiceHours
from handoff.keys import ACCOUNT_CONVERSATION
from handoff.ledger import Ledger
from handoff.outbox import Claim, Outbox
from handoff.windows import Window
from handoff.words import Entry, Place
from tests.support.account import Desk, delivery_of, running, until, until_state
from tests.support.desk import Office, open_office
from tests.support.ledger import PARTITIONS, House, a_case, a_message, a_turn
from tests.support.sandbox import Sandbox

GRACE = timedelta(minutes=15)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def planned(*moments: datetime, grace: timedelta = GRACE) -> Announcements:
    """Announcements for these moments: "Number 0.", "Number 1.", ..."""
    text = AnnouncementText("Number {{ n }}.", placeholders=EVERYWHERE | {"n"})
    once = tuple(Once(name=f"n{n}", template="t", at=at, values={"n": str(n)}) for n, at in enumerate(moments))
    hours = ServiceHours(zone=ZoneInfo("Europe/London"), zone_name="London time", week={0: (Window(begins=0, ends=9),)})
    plan = Plan(texts={"t": text}, grace=grace, shortest_break=timedelta(hours=4), once=once)
    return Announcements(plan, hours, company="Kestrel Air", account="@KestrelAir")


def the_one(plan: Announcements) -> Occurrence:
    (found,) = plan.between(NOON - timedelta(days=9000), NOON + timedelta(days=9000))
    return found


async def state(house: House, occurrence_id: str = "once:n0") -> str:
    record = await house.announcing.record(occurrence_id)
    return record.state if record else "planned"


async def until_it_is(house: House, *states: str, occurrence_id: str = "once:n0") -> Announced:
    async def reached() -> Announced | None:
        record = await house.announcing.record(occurrence_id)
        return record if record and record.state in states else None

    found: Announced = await until(reached)
    return found


async def journalled(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    records = await ledger.journal(ledger.partition_of(ACCOUNT_CONVERSATION))
    return [json.loads(fields["facts"]) for _, fields in records if fields["kind"] == kind]


def clock(house: House, plan: Announcements) -> AnnouncementClock:
    return AnnouncementClock(plan, house.announcing)


async def test_what_is_due_is_posted_once_though_several_desks_race_for_it(house: House, x: Sandbox) -> None:
    due = datetime.now(UTC)
    plan = planned(due)
    clocks = [clock(house, plan) for _ in range(4)]
    for one in clocks:
        assert await one.look(due - timedelta(seconds=1)) == {}
    results = await asyncio.gather(*(one.look(due) for one in clocks))
    assert sorted(result["once:n0"] for result in results) == ["known", "known", "known", "queued"]
    async with running(delivery_of(house, x.channel)):
        record = await until_it_is(house, "sent")
    (post,) = await x.sent()
    assert (post["text"], post["in_reply_to"], post["id"]) == ("Number 0.", None, record.external_id)


async def test_announcements_are_posted_in_the_order_of_their_times(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    plan = planned(*(now - timedelta(minutes=3 - n) for n in range(3)))
    started = clock(house, plan)
    await started.look(now - timedelta(hours=1))
    await started.look(now)
    async with running(delivery_of(house, x.channel)):
        await until_it_is(house, "sent", occurrence_id="once:n2")
    assert await x.said() == ["Number 0.", "Number 1.", "Number 2."]


async def test_a_desk_that_was_down_at_that_minute_announces_late_within_the_grace(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    plan = planned(now - timedelta(minutes=10))
    await clock(house, plan).look(now - timedelta(minutes=30))  # and then it dies
    assert await clock(house, plan).look(now) == {"once:n0": "queued"}
    async with running(delivery_of(house, x.channel)):
        await until_it_is(house, "sent")
    assert await x.said() == ["Number 0."]
    assert (await journalled(house.ledger, "announcement_queued"))[0]["late_ms"] >= 600_000


async def test_what_is_too_late_is_skipped_once_and_journalled(house: House) -> None:
    plan = planned(NOON)
    stalled = [clock(house, plan) for _ in range(2)]
    for one in stalled:
        await one.look(NOON - timedelta(hours=1))
    results = await asyncio.gather(*(one.look(NOON + GRACE) for one in stalled))
    assert sorted(result["once:n0"] for result in results) == ["known", "skipped"]
    assert await state(house) == "skipped"
    (facts,) = await journalled(house.ledger, "announcement_skipped")
    assert (facts["announcement"], facts["late_ms"]) == ("once:n0", 900_000)
    assert await house.outbox.due(house.ledger.partition_of(ACCOUNT_CONVERSATION), NOON + timedelta(days=1)) == []


async def test_a_new_store_does_not_announce_what_was_before_it(house: House) -> None:
    assert await clock(house, planned(NOON)).look(NOON + timedelta(minutes=1)) == {}
    assert await state(house) == "planned"


async def test_a_desk_that_dies_before_it_marks_how_far_it_looked_repeats_nothing(house: House) -> None:
    plan = planned(NOON)
    await clock(house, plan).look(NOON - timedelta(minutes=1))
    await house.announcing.announce(the_one(plan), NOON)  # and dies before it can mark that
    assert await clock(house, plan).look(NOON + timedelta(minutes=1)) == {"once:n0": "known"}
    assert len(await journalled(house.ledger, "entry_queued")) == 1


async def test_a_clock_ahead_of_others_hides_nothing_from_them(house: House) -> None:
    plan = planned(NOON)
    ahead, behind = clock(house, planned()), clock(house, plan)  # the one ahead does not know this announcement yet
    await behind.look(NOON - timedelta(minutes=1))
    await ahead.look(NOON + timedelta(minutes=1))
    assert await behind.look(NOON) == {"once:n0": "queued"}


async def test_an_announcement_that_delivery_gets_too_late_is_not_said(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    plan = planned(now - GRACE + timedelta(milliseconds=300))
    await house.announcing.announce(the_one(plan), now)
    await until(lambda: _true_after(plan))
    async with running(delivery_of(house, x.channel)):
        record = await until_it_is(house, "cancelled")
    assert (record.detail, await x.said()) == ("expired", [])
    assert (await journalled(house.ledger, "entry_cancelled"))[0]["reason"] == "expired"


async def _true_after(plan: Announcements) -> bool:
    return datetime.now(UTC) > the_one(plan).expires_at


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
async def test_an_announcement_whose_answer_got_lost_is_posted_exactly_once(
    house: House, x: Sandbox, fault: str
) -> None:
    await x.fault(fault, "/2/tweets", method="POST", times=1)
    await house.announcing.announce(the_one(planned(datetime.now(UTC))), datetime.now(UTC))
    async with running(delivery_of(house, x.channel)):
        record = await until_it_is(house, "sent")
    (post,) = await x.sent()
    assert post["id"] == record.external_id


async def test_a_delivery_killed_between_sending_and_writing_it_down_is_replaced_and_the_post_stays_one(
    house: House, x: Sandbox
) -> None:
    now = datetime.now(UTC)
    await house.announcing.announce(the_one(planned(now)), now)
    held = await house.leases("delivery", "dead", ttl_s=0.3).renew(now)
    fence = held[house.ledger.partition_of(ACCOUNT_CONVERSATION)]
    claim = await house.outbox.claim(ACCOUNT_CONVERSATION, fence, now)
    assert claim is not None
    await x.channel.send(claim.entry)  # and dies before it can write that down
    async with running(delivery_of(house, x.channel, holder="living")):
        record = await until_it_is(house, "sent")
    (post,) = await x.sent()
    assert post["id"] == record.external_id


async def test_an_announcement_that_x_refuses_is_blocked_and_opens_no_case(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    one, again = (the_one(planned(now)), the_one(planned(now + timedelta(seconds=1))))
    await house.announcing.announce(one, now)
    await house.announcing.announce(Occurrence(**{**vars(again), "id": "once:again"}), now)
    async with running(delivery_of(house, x.channel, desk=Desk())):
        record = await until_it_is(house, "blocked", occurrence_id="once:again")
    assert (record.detail, await x.said()) == ("duplicate", ["Number 0."])


async def test_nothing_is_announced_during_a_stop_and_after_it_what_is_not_too_late(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    late, soon = planned(now - GRACE + timedelta(seconds=1)), planned(now)
    await house.announcing.stop("Ana", "wrong fares", now)
    await house.announcing.announce(Occurrence(**{**vars(the_one(late)), "id": "once:late"}), now)
    async with running(delivery_of(house, x.channel)):
        assert (await until_it_is(house, "retry_at", "cancelled", occurrence_id="once:late")).detail in (
            "stopped",
            "expired",
        )
        await house.announcing.announce(the_one(soon), now)
        await until_it_is(house, "cancelled", occurrence_id="once:late")
        assert (await until_it_is(house, "retry_at")).detail == "stopped"
        assert await x.said() == []
        await house.announcing.go("Ana", now)
        await until_it_is(house, "sent")
    assert await x.said() == ["Number 0."]
    assert [len(await journalled(house.ledger, kind)) for kind in ("stopped", "resumed")] == [1, 1]


async def a_conversation(house: House, *entries: Entry, number: int = 1) -> None:
    """A case that Ana has, with these words in the outbox."""
    message, now = a_message(number), datetime.now(UTC)
    await house.ledger.receive(message, now)
    fence = await house.fence("responder", message.conversation)
    turn = a_turn(message.conversation, [message.id], fence=fence, entries=entries, case=a_case())
    assert (await house.ledger.commit_turn(turn, now)).result == "committed"


def words(author: str, text: str, number: int = 1) -> Entry:
    return Entry(
        id=f"{author}-{number}".replace(":", "-"),
        conversation=a_message(number).conversation,
        author=author,
        place=Place.PRIVATE,
        text=text,
        customer_id=a_message(number).customer.id,
        created_at=datetime.now(UTC),
    )


async def test_what_a_person_writes_goes_out_during_a_stop_and_the_bots_words_before_it_are_called_off(
    house: House, x: Sandbox
) -> None:
    mia = await x.user_id("mia_travels")
    await x.write("hello")
    notice, reply = (
        one.model_copy(update={"customer_id": mia})
        for one in (words("desk", "A person will answer."), words("agent:ana", "Hello, this is Ana."))
    )
    await house.announcing.stop("Ana", "", NOON)
    await a_conversation(house, notice, reply)
    async with running(delivery_of(house, x.channel)):
        await until_state(house, reply, "sent")
        assert (await house.outbox.record(notice.id, notice.conversation))["detail"] == "stopped"
    assert await x.said() == ["Hello, this is Ana."]


async def test_a_reply_waits_out_a_stop_and_is_sent_after_it(house: House, x: Sandbox) -> None:
    mia = await x.user_id("mia_travels")
    await x.write("hello")
    notice = words("desk", "A person will answer.").model_copy(update={"customer_id": mia})
    await a_conversation(house, notice)
    await house.announcing.stop("Ana", "", NOON)
    async with running(delivery_of(house, x.channel)):
        assert (await until_state(house, notice, "retry_at"))["detail"] == "stopped"
        await house.announcing.go("Ana", NOON)
        await until_state(house, notice, "sent")
    assert await x.said() == ["A person will answer."]
    assert len([one for one in await _entry_kinds(house, notice) if one == "entry_retry_at"]) == 1


async def _entry_kinds(house: House, entry: Entry) -> list[str]:
    records = await house.ledger.journal(house.ledger.partition_of(entry.conversation))
    return [fields["kind"] for _, fields in records if entry.id in fields["facts"]]


class StoppedAfterClaim(Outbox):
    """An outbox in whose house somebody stops everything just after something was claimed."""

    async def claim(
        self, conversation: str, fence: int, now: datetime, *, look_after_s: float = 5.0, stopped: bool = False
    ) -> Claim | None:
        found = await super().claim(conversation, fence, now, look_after_s=look_after_s, stopped=stopped)
        await Announcing(self._redis, self._transitions, partitions=PARTITIONS).stop("Ana", "", now)
        return found


async def test_a_stop_that_comes_between_claiming_and_sending_holds(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    await house.announcing.announce(the_one(planned(now)), now)
    outbox = StoppedAfterClaim(house.redis, house.transitions, partitions=PARTITIONS)
    async with running(delivery_of(replace(house, outbox=outbox), x.channel)):
        assert (await until_it_is(house, "retry_at")).detail == "stopped"
    assert await x.said() == []


async def test_a_stop_is_one_and_so_is_its_end(house: House) -> None:
    results = await asyncio.gather(*(house.announcing.stop(name, "", NOON) for name in ("Ana", "Ben")))
    assert sorted(ruling.result for ruling in results) == ["stopped", "stopped_already"]
    ended = [(await house.announcing.go("Ana", NOON)).result for _ in range(2)]
    assert ended == ["resumed", "not_stopped"]


async def test_what_is_called_off_before_its_time_is_not_announced(house: House) -> None:
    plan = planned(NOON)
    one = clock(house, plan)
    await one.look(NOON - timedelta(minutes=1))
    assert (await house.announcing.cancel("once:n0", NOON, NOON - timedelta(seconds=30))).result == "cancelled"
    assert await one.look(NOON) == {"once:n0": "known"}
    assert await state(house) == "cancelled"


async def test_what_waits_can_be_called_off_and_what_was_said_cannot(house: House, x: Sandbox) -> None:
    now = datetime.now(UTC)
    first, second = planned(now, now).between(now - timedelta(seconds=1), now)
    for one in (first, second):
        await house.announcing.announce(one, now)
    assert (await house.announcing.cancel(first.id, first.at, now)).result == "cancelled"
    async with running(delivery_of(house, x.channel)):
        await until_it_is(house, "sent", occurrence_id=second.id)
    assert (await house.announcing.cancel(second.id, second.at, now)).result == "too_late"
    assert await x.said() == ["Number 1."]


def test_an_announcement_answers_nobody_and_keeps_to_the_rules_of_public_words() -> None:
    from bot.channels.x.rules import XRules

    def rule(text: str) -> str | None:
        occurrence = Occurrence(**{**vars(the_one(planned(NOON))), "text": text})
        return XRules().broken_rule(entry_of(occurrence, NOON), None)

    assert rule("Good morning!") is None
    assert rule("See https://kestrel.com") == "url_in_public"
    assert rule("x" * 281) == "too_long"


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as office:
        yield office


async def test_the_console_shows_a_banner_during_a_stop(office: Office) -> None:
    ana = await office.agent("ana")
    assert "Stopped:" not in (await ana.opens("/console/")).text
    await office.house.announcing.stop("Ben", "<b>wrong</b> fares", datetime.now(UTC))
    page = await ana.opens("/console/")
    assert "Stopped: nothing automated is said since" in page.text
    assert "by Ben: <b>wrong</b> fares" in page.text
    assert "<b>wrong" not in page.html
    await office.house.announcing.go("Ben", datetime.now(UTC))
    assert "Stopped:" not in (await ana.opens("/console/")).text


CANCELLED = {"result": "cancelled", "state": "cancelled"}


async def test_a_desk_announces_by_itself_what_is_due(redis_url: str) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=1)
    async with open_office(redis_url, announcements=planned(moment)) as office:

        async def announced() -> Announced | None:
            return await office.house.announcing.record("once:n0")

        assert (await until(announced)).state == "queued"


Command = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def frontdesk(redis_url: str) -> Command:
    """Runs a command with `--json` on a store of this test's own: exit code, what it told, what it complained of."""

    def run(*arguments: str) -> tuple[int, Any, str]:
        done = CliRunner().invoke(app, [*arguments, "--json"], env={"REDIS_URL": redis_url})
        return done.exit_code, json.loads(done.stdout) if done.stdout else None, done.stderr

    return run


def test_an_incident_is_announced_listed_and_called_off_by_command(frontdesk: Command) -> None:
    incident = ("announce", "now", "incident", "--set", "what=the check-in outage")
    code, told, _ = frontdesk(*incident)
    assert (code, told["result"]) == (0, "queued")
    assert told["text"].startswith("We know about the check-in outage")
    _, listed, _ = frontdesk("announce", "list")
    states = {one["id"]: one["state"] for one in listed["announcements"]}
    assert states.pop(told["id"]) == "queued"
    assert set(states.values()) == {"planned"}
    assert frontdesk("announce", "cancel", told["id"])[1]["result"] == "cancelled"
    assert frontdesk("announce", "cancel", told["id"])[:2] == (0, {**CANCELLED, "id": told["id"]})  # again


def test_a_planned_announcement_is_called_off_by_its_id(frontdesk: Command) -> None:
    first = next(one for one in frontdesk("announce", "list")[1]["announcements"])
    assert frontdesk("announce", "cancel", first["id"])[0] == 0
    states = {one["id"]: one["state"] for one in frontdesk("announce", "list")[1]["announcements"]}
    assert states[first["id"]] == "cancelled"
    code, _, error = frontdesk("announce", "cancel", "opening:never")
    assert (code, "announce list" in error) == (1, True)


def test_nothing_is_announced_by_command_during_a_stop(frontdesk: Command) -> None:
    assert frontdesk("stop", "--by", "Ana", "--reason", "wrong fares")[1]["result"] == "stopped"
    assert frontdesk("stop", "--by", "Ben")[1]["stopped"]["by"] == "Ana"
    code, told, error = frontdesk("announce", "now", "incident", "--set", "what=it")
    assert (code, told) == (1, None)
    assert "stopped by Ana: wrong fares" in error
    assert "frontdesk go" in error
    assert frontdesk("announce", "list")[1]["stopped"]["reason"] == "wrong fares"
    assert frontdesk("go")[1]["result"] == "resumed"
    assert frontdesk("announce", "now", "incident", "--set", "what=it")[1]["result"] == "queued"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("now", "incident"), "the value “what” is missing"),
        (("now", "incident", "--set", "who=me", "--set", "what=it"), "unknown value “who”"),
        (("now", "zork"), "There are: incident, notice, resolved"),
        (("now", "incident", "--set", "what"), "is no value"),
        (("now", "incident", "--set", "what=https://kestrel.com"), "A link in a public post"),
        (("preview", "once:zork"), "is planned"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(
    frontdesk: Command, arguments: tuple[str, ...], words: str
) -> None:
    code, told, error = frontdesk("announce", *arguments)
    assert (code, told) == (1, None)
    assert error.startswith("frontdesk: ")
    assert words in error


def test_a_preview_shows_the_next_one_and_stores_nothing(frontdesk: Command) -> None:
    code, told, _ = frontdesk("announce", "preview", "opening")
    assert (code, told["problem"]) == (0, None)
    assert told["text"].startswith("Good morning!")
    assert 0 < told["length"] <= 280
    code, told, _ = frontdesk("announce", "preview", "notice", "--set", "words=see kestrel.com")
    assert (code, "link" in told["problem"]) == (1, True)
    assert {one["state"] for one in frontdesk("announce", "list")[1]["announcements"]} == {"planned"}
