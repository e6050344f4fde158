"""Builds the parts of every process from the settings; the only place that knows which part goes where."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actions.attempt_count import RedisAttemptCount
from actions.cities import CitiesError, load_cities
from actions.fare_table import FareTableError, load_fares
from actions.fares import FareSource
from actions.http_fares import HttpFares
from actions.http_orders import HttpOrders
from actions.http_source import HttpSource
from actions.order_book import OrderBook
from actions.orders import OrderSource, emails, order_numbers
from actions.verification import AttemptCount
from bot.answer import Answerer, AssistantFailed, ContactRoutes
from bot.burst import Gathering
from bot.casework import Casework
from bot.clock import SystemClock
from bot.daily_purge import DailyPurge
from bot.embedded_redis import NoRedis, redis_url
from bot.folder import Folder
from bot.metrics import BacklogMetrics, DeliveryMetrics, IngressMetrics, ProcessMetrics, ResponderMetrics
from bot.model import ModelBroken, ModelMissing, trained_model
from bot.notices import Company, Notices
from bot.responder import Responder
from bot.settings import DEMO_PASSWORD, Settings
from bot.turns import Turns
from handoff.announcements import Announcements
from handoff.announcements_policy import load_announcements
from handoff.announcing import Announcing
from handoff.backlog import read_backlog
from handoff.changes import Announced, Changes
from handoff.connection import connect
from handoff.desk import Desk
from handoff.erasure import Erasure
from handoff.hours import ServiceHours
from handoff.hours_policy import load_hours
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.ledger import Ledger
from handoff.outbox import Outbox
from handoff.policy import PolicyError
from handoff.purge import Purge
from handoff.queue import Queue
from handoff.report.prices import Prices, load_prices
from handoff.restore import restored_at as when_restored
from handoff.retention import load_retention
from handoff.scripts import Transitions
from handoff.sensitivity_policy import load_sensitivity
from handoff.upkeep import ROLE as UPKEEP
from knowledge.encoder import shared_encoder
from knowledge.published import PublishedKnowledge

if TYPE_CHECKING:
    from bot.assistant import Assistant
    from bot.channels.ingress import Ingress
    from bot.channels.x.adapter import XChannel
    from bot.channels.x.transport import Transport
    from bot.delivery import Delivery


REFUSALS = (NoRedis, ModelMissing, ModelBroken, AssistantFailed, PolicyError, CitiesError, FareTableError)
"""What only an operator can mend; each says what to do."""


@dataclass(frozen=True, kw_only=True)
class LedgerParts:
    """The ledger and what works on it, over one connection pool."""

    redis: Redis
    transitions: Transitions
    ledger: Ledger
    outbox: Outbox
    desk: Desk
    queue: Queue
    announcing: Announcing
    metrics: ProcessMetrics


def ledger_parts(settings: Settings, process: str = "tool") -> LedgerParts:
    """Connects to nothing yet; the first command does. `process`: whose metrics they are. Raises NoRedis."""
    metrics = ProcessMetrics(process)
    redis = connect(redis_url(settings), on_failure=metrics.redis_failed)
    transitions = Transitions(redis)
    count = settings.partitions
    return LedgerParts(
        redis=redis,
        transitions=transitions,
        ledger=Ledger(redis, transitions, partitions=count),
        outbox=Outbox(redis, transitions, partitions=count),
        desk=Desk(redis, transitions, partitions=count),
        queue=Queue(redis, partitions=count),
        announcing=Announcing(redis, transitions, partitions=count),
        metrics=metrics,
    )


def leases(
    settings: Settings,
    parts: LedgerParts,
    *,
    role: str,
    grace_s: float = 0.0,
    partitions: Sequence[str] | None = None,
) -> Leases:
    """This process's leases of one role, over all partitions of the ledger unless others are named."""
    built = Leases(
        parts.redis,
        parts.transitions,
        role=role,
        # Another one at every start: a process that came back must wait for the calls of its dead self.
        holder=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
        partitions=partitions or parts.ledger.partitions,
        ttl_s=settings.lease_s,
        grace_s=grace_s,
    )
    parts.metrics.follow_leases(role, lambda: built.held)
    return built


def published_knowledge(settings: Settings) -> PublishedKnowledge:
    """The knowledge that is answered from, over a connection of its own that gives bytes."""
    redis = connect(redis_url(settings), text=False)
    return PublishedKnowledge(redis, encoder_revision=shared_encoder().revision)


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where fares and orders come from."""

    fares: FareSource
    orders: OrderSource


@asynccontextmanager
async def sources(settings: Settings) -> AsyncIterator[Sources]:
    """The company's systems where they are set, else the embedded table and book; connections end with the block."""
    cities, now = load_cities(), SystemClock().now
    fares: FareSource | None = None
    orders: OrderSource | None = None
    async with AsyncExitStack() as opened:
        if settings.fares_url:
            source = HttpSource(name="fares", url=settings.fares_url, token=settings.fares_token)
            opened.push_async_callback(source.aclose)
            fares = HttpFares(source, cities=cities, now=now)
        if settings.orders_url:
            source = HttpSource(name="orders", url=settings.orders_url, token=settings.orders_token)
            opened.push_async_callback(source.aclose)
            orders = HttpOrders(source, now=now)
        yield Sources(fares=fares or load_fares(cities=cities), orders=orders or OrderBook(Folder(settings.var).orders))


def contact_routes(settings: Settings) -> ContactRoutes:
    """Other ways to reach the company."""
    return ContactRoutes(phone=settings.contact_phone, web=settings.contact_web)


def notices(settings: Settings, hours: ServiceHours) -> Notices:
    """Our own words, measured and shortened by X's rules."""
    from bot.channels.x.text import shorten, weighted_length

    company = Company(
        name=settings.company,
        privacy=settings.privacy_url or "",
    )
    return Notices(
        company,
        hours,
        reply_minutes=settings.first_reply_minutes,
        weighted_length=weighted_length,
        shorten=shorten,
    )


async def assistant(
    settings: Settings, parts: LedgerParts, knowledge: PublishedKnowledge, hours: ServiceHours, asked: Sources
) -> Assistant:
    """Rasa, loaded from the trained model and tried once; takes seconds and half a gigabyte."""
    from bot.assistant import Assistant

    built = Assistant(
        model_path=trained_model(Folder(settings.var).models),
        knowledge=knowledge,
        fares=asked.fares,
        orders=asked.orders,
        counts=RedisAttemptCount(parts.redis),
        hours=hours,
        contact=contact_routes(settings),
        company=settings.company,
        reply_minutes=settings.first_reply_minutes,
    )
    await built.check_ready()
    return built


def turns(
    settings: Settings,
    parts: LedgerParts,
    answerer: Answerer,
    hours: ServiceHours,
    *,
    counts: AttemptCount,
    restored_at: datetime | None = None,
) -> Turns:
    """What a burst of messages gets."""
    return Turns(
        answerer=answerer,
        sensitivity=load_sensitivity(),
        notices=notices(settings, hours),
        casework=Casework(parts.ledger, parts.desk),
        counts=counts,
        oldest_answered=timedelta(hours=settings.oldest_answered_hours),
        restored_at=restored_at,
        turn_limit_s=settings.turn_limit_s,
    )


async def responder(settings: Settings, parts: LedgerParts, answerer: Answerer, hours: ServiceHours) -> Responder:
    """From the inbox to the outbox."""
    counts = RedisAttemptCount(parts.redis)
    return Responder(
        ledger=parts.ledger,
        leases=leases(settings, parts, role="responder"),
        turns=turns(settings, parts, answerer, hours, counts=counts, restored_at=await when_restored(parts.redis)),
        clock=SystemClock(),
        arrivals=Changes(parts.redis, Announced.ARRIVALS),
        gathering=Gathering(quiet_s=settings.quiet_s, cap_s=settings.burst_cap_s),
        metrics=ResponderMetrics(parts.metrics.registry),
    )


def channel(settings: Settings) -> XChannel:
    """X, or the sandbox with its own keys."""
    from bot.channels.x.adapter import XChannel

    return XChannel(transport(settings))


def transport(settings: Settings) -> Transport:
    """The calls of X's API, or of the sandbox's."""
    from bot.channels.x.transport import Keys, Transport

    keys = Keys(**_x_keys(settings))
    base_url = settings.x_base_url or (settings.sandbox_address if settings.uses_sandbox else None)
    return Transport(keys, clock=SystemClock(), base_url=base_url, call_limit_s=settings.call_limit_s)


def _x_keys(settings: Settings) -> dict[str, str]:
    if settings.uses_sandbox:
        from bot.sandbox.world import Account

        demo = Account()
        return {
            "consumer_key": demo.consumer_key,
            "consumer_secret": demo.consumer_secret,
            "access_token": demo.access_token,
            "access_token_secret": demo.access_secret,
        }
    return {
        "consumer_key": settings.x_consumer_key or "",
        "consumer_secret": settings.x_consumer_secret or "",
        "access_token": settings.x_access_token or "",
        "access_token_secret": settings.x_access_token_secret or "",
    }


def ingress(settings: Settings, parts: LedgerParts, channel: XChannel) -> Ingress:
    """From the account into the inbox; one process of all reads."""
    from bot.channels.ingress import Cadence, Ingress

    usual = Cadence.of_sandbox() if settings.uses_sandbox else Cadence.of_x()
    chosen = {"mentions": settings.mentions_poll_s, "direct": settings.direct_poll_s}
    every_s = {**usual.every_s, **{feed: seconds for feed, seconds in chosen.items() if seconds is not None}}
    return Ingress(
        inlet=channel,
        ledger=parts.ledger,
        clock=SystemClock(),
        cadence=replace(usual, every_s=every_s),
        leases=leases(settings, parts, role="ingress", partitions=[ACCOUNT]),
        metrics=IngressMetrics(parts.metrics.registry),
    )


def delivery(settings: Settings, parts: LedgerParts, channel: XChannel) -> Delivery:
    """From the outbox to the account."""
    from bot.brakes import Pace
    from bot.channels.x.rules import XRules
    from bot.delivery import Delivery

    return Delivery(
        outbox=parts.outbox,
        ledger=parts.ledger,
        outlet=channel,
        rules=XRules(),
        case_for=Casework(parts.ledger, parts.desk).undelivered,
        clock=SystemClock(),
        pace=Pace(),
        leases=leases(settings, parts, role="delivery", grace_s=channel.call_limit_s + 1.0),
        metrics=DeliveryMetrics(parts.metrics.registry),
    )


async def desk_app(settings: Settings, parts: LedgerParts, health: Sequence[web.AbstractRouteDef]) -> web.Application:
    """The pages of the desk."""
    from bot.channels.x.composer import XComposer
    from bot.web.agents import Agents
    from bot.web.app import create_desk_app

    clock = SystemClock()
    return await create_desk_app(
        redis=parts.redis,
        ledger=parts.ledger,
        desk=parts.desk,
        queue=parts.queue,
        agents=Agents(parts.redis),
        composer=XComposer(reveals=_personal_data),
        now=clock.now,
        account=settings.account,
        zone=service_hours().zone,
        prices=prices(),
        announcing=parts.announcing,
        announcements=announcements(settings) if settings.announcements == "on" else None,
        secure=(settings.desk_url or "").startswith("https://"),
        public_origin=settings.desk_url,
        demo_hint=f"Demo: ana or ben, password {DEMO_PASSWORD}" if settings.is_demo else None,
        health=health,
    )


def _personal_data(text: str) -> list[str]:
    """What of a text only the customer may know."""
    return [*order_numbers(text), *emails(text)]


def follow_backlog(settings: Settings, parts: LedgerParts) -> None:
    """Counts what waits in the ledger at every look at the metrics; unknown while Redis is away."""
    metrics = BacklogMetrics(parts.metrics.registry)

    async def refresh() -> None:
        try:
            backlog = await read_backlog(parts.redis, partitions=settings.partitions, now=SystemClock().now())
        except RedisError:
            metrics.hide()
        else:
            metrics.show(backlog)

    parts.metrics.refreshes.append(refresh)


def purge(settings: Settings, parts: LedgerParts) -> Purge:
    """What forgets data past its days. Raises PolicyError, which names the line and the remedy."""
    return Purge(parts.redis, parts.transitions, partitions=settings.partitions, retention=load_retention())


def erasure(settings: Settings, parts: LedgerParts) -> Erasure:
    """What erases one customer. Raises PolicyError, as above."""
    return Erasure(parts.redis, parts.transitions, partitions=settings.partitions, retention=load_retention())


def wrong_tries(parts: LedgerParts) -> RedisAttemptCount:
    """Who tried wrong verifications."""
    return RedisAttemptCount(parts.redis)


def upkeep_leases(parts: LedgerParts) -> Leases:
    """The one lease of purges, erasures and backups; long, because one step of them may take seconds."""
    holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    return Leases(parts.redis, parts.transitions, role=UPKEEP, holder=holder, partitions=[ACCOUNT], ttl_s=30.0)


def daily_purge(settings: Settings, parts: LedgerParts) -> DailyPurge:
    """The desk's purge. Raises PolicyError, as above."""
    return DailyPurge(
        parts.redis,
        purge=purge(settings, parts),
        erasure=erasure(settings, parts),
        leases=upkeep_leases(parts),
        retention=load_retention(),
        zone=service_hours().zone,
        now=SystemClock().now,
    )


async def seed_demo(parts: LedgerParts) -> None:
    """Lets the demo agents sign in."""
    from bot.web.agents import Agents, seed_demo_agents

    await seed_demo_agents(Agents(parts.redis), password=DEMO_PASSWORD)


def service_hours() -> ServiceHours:
    """When people are there. Raises PolicyError, which names the line and the remedy."""
    return load_hours()


def prices() -> Prices:
    """What the platform charges. Raises PolicyError, which names the line and the remedy."""
    return load_prices()


def announcements(settings: Settings) -> Announcements:
    """What the account says to everybody, and when. Raises PolicyError, which names the line and the remedy."""
    return load_announcements(service_hours(), company=settings.company, account=settings.account)
