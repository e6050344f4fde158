"""Conversations and cases made without the bot: messages received, turns committed, packets filled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from redis.asyncio import Redis

from handoff.announcing import Announcing
from handoff.desk import Desk
from handoff.leases import Leases
from handoff.ledger import Ledger, Turn
from handoff.packet import (
    EarlierCase,
    Evidence,
    Packet,
    Suggestion,
    Tried,
    Understood,
    Verification,
    packet_lines,
)
from handoff.queue import Queue
from handoff.scripts import Transitions
from handoff.words import Customer, Entry, Message, NewCase, Outcome, Place, Promise, Reason

ZOE = Customer(id="4711", handle="zoe_flies", name="Zoë Hart")
numbers = count(1_900_000_000_000_000_001)


class House:
    """A ledger with a customer or two, and the bot's part played by the test."""

    def __init__(self, redis: Redis, *, partitions: int = 4) -> None:
        self.redis = redis
        self.transitions = Transitions(redis, patience_s=5)
        self.ledger = Ledger(redis, self.transitions, partitions=partitions)
        self.desk = Desk(redis, self.transitions, partitions=partitions)
        self.queue = Queue(redis, partitions=partitions)
        self.announcing = Announcing(redis, self.transitions, partitions=partitions)
        self._leases = Leases(
            redis, self.transitions, role="responder", holder="test", partitions=self.ledger.partitions, ttl_s=600
        )
        self._now: datetime | None = None

    def now(self) -> datetime:
        """The time: real, or as set by `set_clock`."""
        return self._now or datetime.now(UTC)

    def set_clock(self, now: datetime) -> None:
        self._now = now

    async def writes(
        self,
        text: str,
        *,
        customer: Customer = ZOE,
        place: Place = Place.PUBLIC,
        summons_us: bool = True,
    ) -> Message:
        """The customer writes."""
        number = str(next(numbers))
        message = Message(
            id=f"{'post' if place is Place.PUBLIC else 'dm'}:{number}",
            customer=customer,
            place=place,
            text=text,
            sent_at=self.now(),
            thread=number,
            summons_us=summons_us,
            url=f"https://x.com/{customer.handle}/status/{number}" if place is Place.PUBLIC else None,
        )
        ruling = await self.ledger.receive(message, self.now())
        assert ruling.result == "stored"
        return message

    async def bot_turn(self, customer: Customer = ZOE, *, says: str | None = None, case: NewCase | None = None) -> str:
        """The bot handles what waits, and opens a case if one is given; returns the case's id or nothing."""
        snapshot = await self.ledger.snapshot(f"x:{customer.id}")
        assert snapshot is not None
        held = self._leases.held or await self._leases.renew(self.now())
        last = snapshot.waiting[-1]
        said = (self._bot_entry(says, snapshot.conversation.key, last),) if says else ()
        ruling = await self.ledger.commit_turn(
            Turn(
                turn_id=f"t{last.platform_id}",
                conversation=snapshot.conversation.key,
                fence=held[self.ledger.partition_of(snapshot.conversation.key)],
                epoch=snapshot.conversation.epoch,
                messages=tuple(message.id for message in snapshot.waiting),
                outcome=Outcome.CASE_OPENED if case else Outcome.ANSWERED,
                entries=said,
                case=case,
            ),
            self.now(),
        )
        assert ruling.result == "committed", ruling
        return ruling.case or ""

    async def opens_case(
        self,
        text: str = "My suitcase never arrived and nobody answers.",
        *,
        customer: Customer = ZOE,
        place: Place = Place.PUBLIC,
        reason: Reason = Reason.COMPLAINT,
        priority: int = 50,
        promise_min: int | None = 30,
        summons_us: bool = True,
        rich: bool = False,
    ) -> str:
        """The customer writes and the bot hands over; returns the case's id."""
        await self.writes(text, customer=customer, place=place, summons_us=summons_us)
        packet = await self.packet(customer, reason, rich=rich)
        promise = self._promise(promise_min) if promise_min is not None else None
        case = NewCase(reason=reason, priority=priority, packet=packet.model_dump_json(), promise=promise)
        says = "I am handing this to a colleague. You will hear from us within 30 minutes."
        return await self.bot_turn(customer, says=says, case=case)

    async def packet(self, customer: Customer, reason: Reason, *, rich: bool = False) -> Packet:
        """A whole packet, as the bot would fill it."""
        lines = await self.ledger.transcript(f"x:{customer.id}")
        message = next(line.message for line in reversed(lines) if line.message)
        article = "KB-lost-baggage@v3"
        suggestion = "I'm sorry about your bag. Please send us the reference on your tag, it begins with KA."
        return Packet(
            schema_version=1,
            conversation=message.conversation,
            customer=customer,
            opened_at=self.now(),
            place=message.place,
            thread=message.thread,
            url=message.url,
            transcript=packet_lines(lines),
            understood=(
                Understood(message=message.id, intent="complain", certainty=0.91, entities={"item": "suitcase"}),
            ),
            slots={"order_number": "KA-482913"} if rich else {},
            verification=Verification(state="failed", wrong_attempts=2, order="KA-482913")
            if rich
            else Verification(state="not_asked", wrong_attempts=0, order=None),
            tried=(Tried(article=article, title="Lost baggage", score=0.62, said=False),) if rich else (),
            reason=reason,
            evidence=Evidence(
                rule="words of complaint", matched=message.text[:40] or None, score=0.62, threshold=0.8, detail=None
            ),
            promises=(self._promise(30),) if rich else (),
            suggestions=(Suggestion(text=suggestion, article=article, place=Place.PUBLIC),) if rich else (),
            earlier_cases=(
                EarlierCase(case="C00-99", reason=Reason.NO_ANSWER, opened_ms=1_700_000_000_000,
                            resolution="resolved", agent="ben"),
            ) if rich else (),
        )  # fmt: skip

    async def texts(self, customer: Customer = ZOE) -> list[str]:
        """What we said or are about to say, oldest first."""
        return [line.entry.text for line in await self.ledger.transcript(f"x:{customer.id}") if line.entry]

    async def by_agents(self, customer: Customer = ZOE) -> list[str]:
        """What agents said or are about to say, oldest first."""
        lines = await self.ledger.transcript(f"x:{customer.id}")
        return [line.entry.text for line in lines if line.entry and line.entry.author.startswith("agent:")]

    async def owner(self, customer: Customer = ZOE) -> str:
        """Who answers now."""
        snapshot = await self.ledger.snapshot(f"x:{customer.id}")
        assert snapshot is not None
        return str(snapshot.conversation.owner)

    def _promise(self, minutes: int) -> Promise:
        due = self.now() + timedelta(minutes=minutes)
        return Promise(told_at=self.now(), due_at=due, wording=f"You will hear from us within {minutes} minutes.")

    def _bot_entry(self, text: str, conversation: str, message: Message) -> Entry:
        public = message.place is Place.PUBLIC
        return Entry(
            id=f"bot{message.platform_id}",
            conversation=conversation,
            author="bot",
            place=message.place,
            text=text,
            reply_to=message.platform_id if public else None,
            customer_id=message.customer.id,
            created_at=self.now(),
        )
