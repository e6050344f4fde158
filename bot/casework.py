"""Casework: what a new case holds, so that the agent need not ask again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.answer import Answer
from handoff.desk import Case, Desk
from handoff.ledger import Conversation, Ledger, Line
from handoff.packet import (
    PACKET_VERSION,
    EarlierCase,
    Evidence,
    Packet,
    Suggestion,
    Tried,
    Understood,
    Verification,
    packet_lines,
)
from handoff.words import Entry, Message, NewCase, Place, Promise, Reason

MOST_EARLIER_CASES = 10


NOT_ASKED = Verification(state="not_asked", wrong_attempts=0, order=None)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a turn learnt before a person was called; empty where the bot never got to work."""

    understood: tuple[Understood, ...] = ()
    slots: Mapping[str, str] = field(default_factory=dict)
    verification: Verification = NOT_ASKED
    tried: tuple[Tried, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


def findings(message: Message, answer: Answer) -> Findings:
    """What an answer tells the agent, said or not; where it suggests nothing else, its own words are the suggestion."""
    words = [
        Suggestion(text=reply.text, article=", ".join(reply.articles), place=message.place) for reply in answer.replies
    ]
    return Findings(
        understood=(understood(message.id, answer),),
        slots=answer.slots,
        verification=answer.verification,
        tried=answer.tried,
        suggestions=answer.suggestions or (() if answer.failed else tuple(words)),
    )


def understood(message_id: str, answer: Answer) -> Understood:
    """What was understood of a message, and with what certainty."""
    return Understood(
        message=message_id,
        intent=answer.intent,
        certainty=answer.certainty,
        entities=dict(answer.entities),
    )


class Casework:
    """Composes new cases with their packets from what the ledger knows and the turn found."""

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        self._ledger = ledger
        self._desk = desk

    async def new_case(
        self,
        conversation: Conversation,
        latest: Message,
        reason: Reason,
        evidence: Evidence,
        now: datetime,
        *,
        priority: int = 50,
        promise: Promise | None = None,
        found: Findings | None = None,
    ) -> NewCase:
        """A case with its complete packet; `latest` is the message that called for a person."""
        found = found or Findings()
        lines = await self._ledger.transcript(conversation.key)
        earlier = await self._earlier_cases(conversation.key)
        return _case_of(
            conversation, latest, reason, evidence, now, priority, promise, found=found, lines=lines, earlier=earlier
        )

    def bare_case(
        self, conversation: Conversation, latest: Message, why: Evidence, now: datetime, *, promise: Promise | None
    ) -> NewCase:
        """A case that reads nothing of what is stored: for when just that fails. The console shows the transcript."""
        return _case_of(
            conversation, latest, Reason.BOT_ERROR, why, now, 60, promise, found=Findings(), lines=[], earlier=[]
        )

    async def undelivered(self, entry: Entry, rule: str, detail: str, now: datetime) -> NewCase | None:
        """The case for an entry that will never be said; None when there is nothing for a person to do.

        A notice of ours that X refuses as a duplicate is such: the customer has read these very words within a day.
        Otherwise a conversation given back twice a day would come straight back as a case.
        """
        if entry.author == "desk" and rule == "duplicate":
            return None
        snapshot = await self._ledger.snapshot(entry.conversation)
        lines = await self._ledger.transcript(entry.conversation)
        spoken = [line.message for line in lines if line.message]
        if snapshot is None or not spoken:
            return None
        evidence = Evidence(rule=rule, matched=None, score=None, threshold=None, detail=detail or None)
        suggestion = Suggestion(text=entry.text, article=", ".join(entry.articles), place=Place.PRIVATE)
        return await self.new_case(
            snapshot.conversation,
            spoken[-1],
            Reason.NOT_DELIVERED,
            evidence,
            now,
            priority=60,
            found=Findings(suggestions=(suggestion,)),
        )

    async def _earlier_cases(self, conversation: str) -> list[Case]:
        ids = await self._ledger.cases_of(conversation)
        cases = [await self._desk.case(case_id) for case_id in ids[-MOST_EARLIER_CASES:]]
        return [case for case in cases if case]


def _case_of(
    conversation: Conversation,
    latest: Message,
    reason: Reason,
    evidence: Evidence,
    now: datetime,
    priority: int,
    promise: Promise | None,
    *,
    found: Findings,
    lines: list[Line],
    earlier: Sequence[Case],
) -> NewCase:
    packet = Packet(
        schema_version=PACKET_VERSION,
        conversation=conversation.key,
        customer=conversation.customer,
        opened_at=now,
        place=latest.place,
        thread=latest.thread,
        url=latest.url,
        transcript=packet_lines(lines),
        understood=(*_understood_before(lines), *found.understood),
        slots=dict(found.slots),
        verification=found.verification,
        tried=(*_said_before(lines), *found.tried),
        reason=reason,
        evidence=evidence,
        promises=(*_promises(earlier), *([promise] if promise else [])),
        suggestions=found.suggestions,
        earlier_cases=tuple(_earlier(case) for case in earlier),
    )
    return NewCase(reason=reason, priority=priority, packet=packet.model_dump_json(), promise=promise)


def _earlier(case: Case) -> EarlierCase:
    return EarlierCase(
        case=case.id,
        reason=case.reason,
        opened_ms=case.opened_ms,
        resolution=case.resolution,
        agent=case.resolved_by or case.taken_by,
    )


def _promises(earlier: Sequence[Case]) -> list[Promise]:
    return [case.promise for case in earlier if case.promise]


def _understood_before(lines: Sequence[Line]) -> list[Understood]:
    return [Understood.model_validate_json(line.understood) for line in lines if line.understood]


def _said_before(lines: Sequence[Line]) -> list[Tried]:
    refs = [ref for line in lines if line.entry and line.entry.author == "bot" for ref in line.entry.articles]
    return [Tried(article=ref, title="", score=None, said=True) for ref in dict.fromkeys(refs)]
