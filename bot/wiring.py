"""Builds the parts of every process from the settings; the only place that knows which part goes where."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from aiohttp import web
from redis.asyncio import Redis

from actions.attempt_count import RedisAttemptCount
from actions.cities import CitiesError, load_cities
from actions.fare_table import FareTable, FareTableError, load_fares
from actions.order_book import OrderBook
from actions.orders import emails, order_numbers
from actions.verification import AttemptCount
from bot.answer import Answerer, AssistantFailed, ContactRoutes
from bot.casework import Casework
from bot.clock import SystemClock
from bot.embedded_redis import NoRedis, redis_url
from bot.folder import Folder
from bot.model import ModelBroken, ModelMissing, trained_model
from bot.notices import Company, Notices
from bot.responder import Responder
from bot.settings import DEMO_PASSWORD, Settings
from bot.turns import Turns
from handoff.connection import connect
from handoff.desk import Desk
from handoff.hours import ServiceHours
from handoff.hours_policy import load_hours
from handoff.keys import ACCOUNT
from handoff.leases import Leases
from handoff.ledger import Ledger
from handoff.outbox import Outbox
from handoff.policy import PolicyError
from handoff.queue import Queue
from handoff.scripts import Transitions
from handoff.sensitivity_policy import load_sensitivity
from knowledge.encoder import shared_encoder
from knowledge.published import PublishedKnowledge

if TYPE_CHECKING:
    from bot.assistant import Assistant
    from bot.channels.ingress import Ingress
    from bot.channels.x.adapter import XChannel
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


def ledger_parts(settings: Settings) -> LedgerParts:
    """Connects to nothing yet; the first command does. Raises NoRedis."""
    redis = connect(redis_url(settings))
    transitions = Transitions(redis)
    count = settings.partitions
    return LedgerParts(
        redis=redis,
        transitions=transitions,
        ledger=Ledger(redis, transitions, partitions=count),
        outbox=Outbox(redis, transitions, partitions=count),
        desk=Desk(redis, transitions, partitions=count),
        queue=Queue(redis, partitions=count),
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
    return Leases(
        parts.redis,
        parts.transitions,
        role=role,
        # Another one at every start: a process that came back must wait for the calls of its dead self.
        holder=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}",
        partitions=partitions or parts.ledger.partitions,
        ttl_s=settings.lease_s,
        grace_s=grace_s,
    )


def published_knowledge(settings: Settings) -> PublishedKnowledge:
    """The knowledge that is answered from, over a connection of its own that gives bytes."""
    redis = connect(redis_url(settings), text=False)
    return PublishedKnowledge(redis, encoder_revision=shared_encoder().revision)


def fares() -> FareTable:
    """The embedded fare table."""
    return load_fares(cities=load_cities())


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
    settings: Settings, parts: LedgerParts, knowledge: PublishedKnowledge, hours: ServiceHours
) -> Assistant:
    """Rasa, loaded from the trained model and tried once; takes seconds and half a gigabyte."""
    from bot.assistant import Assistant

    folder = Folder(settings.var)
    built = Assistant(
        model_path=trained_model(folder.models),
        knowledge=knowledge,
        fares=fares(),
        orders=OrderBook(folder.orders),
        counts=RedisAttemptCount(parts.redis),
        hours=hours,
        contact=contact_routes(settings),
        company=settings.company,
        reply_minutes=settings.first_reply_minutes,
    )
    await built.check_ready()
    return built


def turns(
    settings: Settings, parts: LedgerParts, answerer: Answerer, hours: ServiceHours, *, counts: AttemptCount
) -> Turns:
    """What a burst of messages gets."""
    return Turns(
        answerer=answerer,
        sensitivity=load_sensitivity(),
        notices=notices(settings, hours),
        casework=Casework(parts.ledger, parts.desk),
        counts=counts,
        oldest_answered=timedelta(hours=settings.oldest_answered_hours),
        turn_limit_s=settings.turn_limit_s,
    )


def responder(settings: Settings, parts: LedgerParts, answerer: Answerer, hours: ServiceHours) -> Responder:
    """From the inbox to the outbox."""
    return Responder(
        ledger=parts.ledger,
        leases=leases(settings, parts, role="responder"),
        turns=turns(settings, parts, answerer, hours, counts=RedisAttemptCount(parts.redis)),
        clock=SystemClock(),
    )


def channel(settings: Settings) -> XChannel:
    """X, or the sandbox with its own keys."""
    from bot.channels.x.adapter import XChannel
    from bot.channels.x.transport import Keys, Transport

    keys = Keys(**_x_keys(settings))
    base_url = settings.x_base_url or (settings.sandbox_address if settings.uses_sandbox else None)
    return XChannel(Transport(keys, clock=SystemClock(), base_url=base_url, call_limit_s=settings.call_limit_s))


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
        secure=(settings.desk_url or "").startswith("https://"),
        public_origin=settings.desk_url,
        demo_hint=f"Demo: ana or ben, password {DEMO_PASSWORD}" if settings.is_demo else None,
        health=health,
    )


def _personal_data(text: str) -> list[str]:
    """What of a text only the customer may know."""
    return [*order_numbers(text), *emails(text)]


async def seed_demo(parts: LedgerParts) -> None:
    """Lets the demo agents sign in."""
    from bot.web.agents import Agents, seed_demo_agents

    await seed_demo_agents(Agents(parts.redis), password=DEMO_PASSWORD)


def service_hours() -> ServiceHours:
    """When people are there. Raises PolicyError, which names the line and the remedy."""
    return load_hours()
