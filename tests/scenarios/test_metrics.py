"""The metrics of running parts: what is exported, that it counts what happened, and what it says without Redis."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import RedisError

from bot import wiring
from bot.channels.ingress import Ingress
from bot.channels.x.rules import XRules
from bot.channels.x.snowflake import id_at
from bot.clock import SystemClock
from bot.delivery import Delivery
from bot.health import health_pages, told
from bot.metrics import DeliveryMetrics, IngressMetrics, ProcessMetrics, ResponderMetrics
from bot.responder import Responder
from bot.settings import Settings
from handoff.backlog import read_backlog
from handoff.changes import Announced, Changes
from handoff.connection import connect
from handoff.hours_policy import load_hours
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.words import EntryState, Outcome, Place, Promise, Reason
from tests.support.account import QUICK_CADENCE, QUICK_PACE, Desk, answer, running, until, until_state
from tests.support.answerers import ScriptedAnswerer
from tests.support.ledger import NOON, House, a_case, a_customer, a_message, a_turn, later
from tests.support.memory_channel import MemoryChannel
from tests.support.metrics import registries
from tests.support.redis_proxy import Faults, redis_behind

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def numbers(text: str) -> Numbers:
    """Every sample of an export by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    found = registry.get_sample_value(name, labels)
    return math.nan if found is None else found


def names(registry: CollectorRegistry) -> set[str]:
    return {family.name for family in text_string_to_metric_families(generate_latest(registry).decode())}


async def scraped(port: int, **headers: str) -> tuple[str, str]:
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
        client.get("/metrics", headers=headers) as response,
    ):
        assert response.status == 200
        return await response.text(), response.headers["Content-Type"]


async def test_each_process_exports_what_the_list_says(redis_url: str, tmp_path: Path) -> None:
    settings = Settings.read({"REDIS_URL": redis_url, "FRONTDESK_VAR": str(tmp_path)})
    expected = {process: names(registry) for process, registry in registries().items()}
    channel = wiring.ledger_parts(settings, "channel")
    account = wiring.channel(settings)
    wiring.ingress(settings, channel, account)
    wiring.delivery(settings, channel, account)
    responder = wiring.ledger_parts(settings, "responder")
    await wiring.responder(settings, responder, ScriptedAnswerer(), load_hours())
    desk = wiring.ledger_parts(settings, "desk")
    wiring.follow_backlog(settings, desk)
    for process, parts in (("channel", channel), ("responder", responder), ("desk", desk)):
        assert names(parts.metrics.registry) == expected[process] | expected["every"], process
        await parts.redis.aclose()


async def test_what_customers_write_and_what_is_said_is_counted(house: House) -> None:
    registry, clock = CollectorRegistry(), SystemClock()
    channel = MemoryChannel(clock=clock)
    account = Leases(house.redis, house.transitions, role="ingress", holder="one", partitions=[ACCOUNT], ttl_s=2.0)
    ingress = Ingress(
        inlet=channel,
        ledger=house.ledger,
        leases=account,
        clock=clock,
        cadence=replace(QUICK_CADENCE, every_s={"public": 0.05, "private": 0.05}),
        metrics=IngressMetrics(registry),
    )
    delivery = Delivery(
        outbox=house.outbox,
        ledger=house.ledger,
        leases=house.leases("delivery", "one", ttl_s=2.0, grace_s=channel.call_limit_s),
        outlet=channel,
        rules=XRules(),
        case_for=Desk().case_for,
        clock=clock,
        pace=QUICK_PACE,
        metrics=DeliveryMetrics(registry),
    )
    number = int(id_at(clock.now() - timedelta(seconds=30)))
    for index, place in enumerate((Place.PUBLIC, Place.PUBLIC, Place.PRIVATE)):
        written = clock.now() - timedelta(seconds=30)
        channel.written.append(a_message(number + index, customer=a_customer(index), place=place, sent_at=written))
    channel.send_faults.append("not_sent")
    async with running(ingress, delivery):

        async def all_are_in() -> bool:
            return (
                value(registry, "frontdesk_messages_received_total", place="public") == 2
                and value(registry, "frontdesk_messages_received_total", place="private") == 1
            )

        await until(all_are_in)
        [entry] = await answer(house, a_message(7, customer=a_customer(9), place=Place.PRIVATE), "Two bags.")
        await until_state(house, entry, "sent")

        async def is_counted() -> bool:
            return value(registry, "frontdesk_deliveries_total", place="private", result="sent") == 1

        await until(is_counted)
    assert value(registry, "frontdesk_deliveries_total", place="private", result="retry_at") == 1
    assert value(registry, "frontdesk_delivery_wait_seconds_count", place="private") == 1
    assert value(registry, "frontdesk_ingress_lag_seconds_bucket", place="public", le="20.0") == 0
    assert value(registry, "frontdesk_ingress_lag_seconds_count", place="public") == 2
    last_read = value(registry, "frontdesk_feed_last_read_timestamp_seconds", feed="public")
    assert abs(last_read - clock.now().timestamp()) < 60


async def test_turns_are_counted_by_outcome_and_timed(house: House) -> None:
    registry = CollectorRegistry()
    metrics = ResponderMetrics(registry)
    turn = a_turn("x:1", ["post:1", "post:2"], fence=1)
    metrics.turn_ended(turn, "committed", 0.07)
    metrics.turn_ended(a_turn("x:1", ["post:3"], fence=1, case=a_case()), "committed", 0.3)
    metrics.turn_ended(turn, "lease_lost", 9.0)
    assert value(registry, "frontdesk_outcomes_total", outcome=Outcome.ANSWERED) == 2
    assert value(registry, "frontdesk_outcomes_total", outcome=Outcome.CASE_OPENED) == 1
    assert value(registry, "frontdesk_outcomes_total", outcome=Outcome.SILENT) == 0
    assert value(registry, "frontdesk_turn_cases_total", reason=Reason.COMPLAINT) == 1
    assert value(registry, "frontdesk_turns_not_stored_total", why="lease_lost") == 1
    assert value(registry, "frontdesk_turn_seconds_count") == 2
    assert value(registry, "frontdesk_turn_seconds_bucket", le="0.1") == 1


async def test_a_responder_counts_its_own_turns(house: House) -> None:
    class TooLate:
        """Decides a turn whose lease is lost by the time it is stored."""

        async def decide(self, burst: Any, fence: int, now: datetime) -> Any:
            return burst.ends(fence, Outcome.SILENT, rule="thanks")

    registry = CollectorRegistry()
    message = a_message(1)
    await house.ledger.receive(message, NOON)
    fence = await house.fence("responder", message.conversation)
    responder = Responder(
        ledger=house.ledger,
        leases=house.leases("responder", "one"),
        turns=TooLate(),  # type: ignore[arg-type]
        clock=SystemClock(),
        arrivals=Changes(house.redis, Announced.ARRIVALS),
        metrics=ResponderMetrics(registry),
    )
    assert await responder.respond(message.conversation, fence + 1) == "lease_lost"
    assert await responder.respond(message.conversation, fence) == "committed"
    assert await responder.respond(message.conversation, fence) == "nothing"
    assert value(registry, "frontdesk_turns_not_stored_total", why="lease_lost") == 1
    assert value(registry, "frontdesk_outcomes_total", outcome="silent") == 1
    assert value(registry, "frontdesk_turn_seconds_count") == 1


async def test_the_backlog_counts_what_waits(house: House) -> None:
    for number in range(1, 4):
        await house.ledger.receive(a_message(number, customer=a_customer(number)), NOON)
    await answer(house, a_message(10, customer=a_customer(10)), "One.", "Two.")
    for number, due in ((20, 60), (21, 3600)):
        message = a_message(number, customer=a_customer(number))
        await house.ledger.receive(message, NOON)
        promise = Promise(told_at=NOON, due_at=later(due), wording="soon")
        case = a_case(Reason.LEGAL).model_copy(update={"promise": promise})
        fence = await house.fence("responder", message.conversation)
        await house.ledger.commit_turn(a_turn(message.conversation, [message.id], fence=fence, case=case), NOON)
    [taken] = await house.ledger.cases_of(f"x:{a_customer(21).id}")
    assert (await house.desk.take(taken, "ana", 2, NOON)).result == "taken"

    backlog = await read_backlog(house.redis, partitions=4, now=later(100))
    assert (backlog.inbox_conversations, backlog.inbox_oldest_s) == (3, 100.0)
    assert backlog.outbox[EntryState.QUEUED] == 2
    assert set(backlog.outbox) == {"held", "queued", "sending", "retry_at", "unknown"}
    assert {(case.reason, case.hands): case.count for case in backlog.cases} == {
        ("legal", "queue"): 1,
        ("legal", "agent"): 1,
    }
    assert backlog.promises == {"running": 1, "overdue": 1, "kept": 0, "broken": 0}


async def test_an_empty_ledger_has_an_empty_backlog(house: House) -> None:
    backlog = await read_backlog(house.redis, partitions=4, now=NOON)
    assert (backlog.inbox_conversations, backlog.inbox_oldest_s, backlog.outbox_oldest_s) == (0, 0.0, 0.0)
    assert (backlog.cases, sum(backlog.outbox.values()), sum(backlog.promises.values())) == ((), 0, 0)


async def test_a_lost_redis_is_counted_and_no_old_number_is_shown(redis_url: str, tmp_path: Path) -> None:
    faults, port = Faults(), unused_port()
    async with redis_behind(redis_url, faults) as proxy:
        settings = Settings.read({"REDIS_URL": proxy.url, "FRONTDESK_VAR": str(tmp_path)})
        parts = wiring.ledger_parts(settings, "desk")
        wiring.follow_backlog(settings, parts)
        async with health_pages(parts.metrics, {}, host="127.0.0.1", port=port):
            before = numbers((await scraped(port))[0])
            faults.cut_before = 1.0
            after = numbers((await scraped(port))[0])
        await parts.redis.aclose()
    assert before["frontdesk_inbox_conversations", frozenset()] == 0
    assert before["frontdesk_redis_errors_total", frozenset({("kind", "connection")})] == 0
    assert math.isnan(after["frontdesk_inbox_conversations", frozenset()])
    assert not [name for name, _ in after if name == "frontdesk_outbox_entries"]
    assert after["frontdesk_redis_errors_total", frozenset({("kind", "connection")})] >= 1


async def test_a_redis_that_is_not_there_is_counted_once_a_call() -> None:
    failures: list[str] = []
    redis = connect(f"redis://127.0.0.1:{unused_port()}/0", on_failure=failures.append)
    with pytest.raises(RedisError):
        await redis.ping()
    await redis.aclose()
    assert failures == ["connection"]


async def test_a_refused_write_is_counted_and_a_wrong_command_is_not(redis_url: str) -> None:
    failures: list[str] = []
    redis = connect(redis_url, on_failure=failures.append)
    try:
        with pytest.raises(RedisError):
            await redis.evalsha("0" * 40, 0)
        assert failures == []
        await redis.config_set("maxmemory", "1")
        with pytest.raises(RedisError):
            await redis.set("a", "b")
        assert failures == ["refused"]
    finally:
        await redis.config_set("maxmemory", "0")
        await redis.aclose()


@asynccontextmanager
async def pages(trouble: list[str]) -> AsyncIterator[int]:
    port = unused_port()
    checks = {"work": told(lambda: trouble[0] if trouble else None)}
    async with health_pages(ProcessMetrics("channel"), checks, host="127.0.0.1", port=port):
        yield port


async def test_readiness_is_exported_as_a_number() -> None:
    trouble = ["It is starting."]
    async with pages(trouble) as port:
        assert numbers((await scraped(port))[0])["frontdesk_ready", frozenset()] == 0
        trouble.clear()
        assert numbers((await scraped(port))[0])["frontdesk_ready", frozenset()] == 1


async def test_both_formats_of_prometheus_are_spoken() -> None:
    async with pages([]) as port:
        assert (await scraped(port))[1].startswith("text/plain")
        text, content_type = await scraped(port, Accept="application/openmetrics-text; version=1.0.0")
        assert content_type.startswith("application/openmetrics-text")
        assert text.endswith("# EOF\n")


async def test_leases_are_exported_as_they_are_held(house: House) -> None:
    metrics = ProcessMetrics("responder")
    leases = house.leases("responder", "one")
    metrics.follow_leases("responder", lambda: leases.held)
    assert value(metrics.registry, "frontdesk_leases", role="responder") == 0
    await leases.renew(datetime.now(UTC))
    assert value(metrics.registry, "frontdesk_leases", role="responder") == 4
    await leases.release_all(datetime.now(UTC))
    assert value(metrics.registry, "frontdesk_leases", role="responder") == 0


def test_a_read_that_fails_is_counted_with_its_why() -> None:
    registry = CollectorRegistry()
    metrics = IngressMetrics(registry)
    metrics.read_failed("mentions", "halted")
    metrics.read("mentions", NOON)
    assert value(registry, "frontdesk_feed_failures_total", feed="mentions", why="halted") == 1
    assert value(registry, "frontdesk_feed_last_read_timestamp_seconds", feed="mentions") == NOON.timestamp()
