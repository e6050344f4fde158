"""What a burst of messages gets: an answer, a case, the open case, or deliberate silence. Exactly one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from actions.verification import AttemptCount
from bot.answer import Answer, Answerer, AssistantFailed, Question, Reply
from bot.burst import Burst
from bot.casework import Casework, Findings, as_text
from bot.memory import Memory
from bot.notices import Notices
from bot.opt_out import opting
from handoff.ledger import Turn
from handoff.packet import Evidence, Understood
from handoff.sensitivity import Assessment, Sensitivity
from handoff.words import Entry, Outcome, Place, Reason

log = structlog.get_logger()


class Turns:
    """Decides turns; stores nothing itself but the count of wrong verifications."""

    def __init__(
        self,
        *,
        answerer: Answerer,
        sensitivity: Sensitivity,
        notices: Notices,
        casework: Casework,
        counts: AttemptCount,
        oldest_answered: timedelta,
    ) -> None:
        """`oldest_answered`: older messages go to people, marked late, and are never answered by the bot."""
        self._answerer = answerer
        self._sensitivity = sensitivity
        self._notices = notices
        self._casework = casework
        self._counts = counts
        self._oldest_answered = oldest_answered

    async def decide(self, burst: Burst, fence: int, now: datetime) -> Turn:
        """The turn for a burst. Whatever fails inside, a person is called and the customer is told."""
        try:
            return await self._decide(burst, fence, now)
        except AssistantFailed as error:
            log.error(
                "assistant_failed", conversation=burst.conversation.key, message=burst.latest.id, error=str(error)
            )
            return await self._call_person(
                burst, fence, now, Reason.BOT_ERROR, _evidence("assistant_failed", str(error))
            )
        except Exception as error:
            # The edge of the turn: no failure of ours may leave a customer in silence.
            log.exception("turn_failed", conversation=burst.conversation.key, message=burst.latest.id)
            evidence = _evidence("turn_failed", type(error).__name__)
            return await self._call_person(burst, fence, now, Reason.BOT_ERROR, evidence)

    async def _decide(self, burst: Burst, fence: int, now: datetime) -> Turn:
        opted = opting(burst.latest.text)
        if opted is not None:
            return self._opt(burst, fence, now, stop=opted == "stop")
        if not burst.conversation.owner.is_bot:
            return _turn(burst, fence, Outcome.JOINED)
        assessment = self._sensitivity.assess(burst.text)
        if burst.conversation.opted_out and not assessment.needs_person:
            return _turn(burst, fence, Outcome.SILENT, rule="opted_out")
        if assessment.needs_person and not assessment.may_answer_first:
            return await self._call_for_sensitive(burst, fence, now, assessment)
        if now - burst.messages[0].sent_at > self._oldest_answered:
            return await self._call_person(burst, fence, now, Reason.TOO_OLD, _evidence("too_old", None), tell=False)
        if not burst.text.strip():
            return await self._wordless(burst, fence, now)
        return await self._ask(burst, fence, now, assessment)

    def _opt(self, burst: Burst, fence: int, now: datetime, *, stop: bool) -> Turn:
        text = self._notices.stopped() if stop else self._notices.started()
        entries = []
        if burst.answerable:
            entries = [self._entry(burst, now, Reply(text=text), author="desk", number=0, although_opted_out=True)]
        memory = _after_saying(burst.memory, entries, now)
        if not burst.conversation.owner.is_bot:
            return _turn(burst, fence, Outcome.JOINED, entries=entries, memory=memory, opted_out=stop)
        outcome, rule = (Outcome.ANSWERED, None) if entries else (Outcome.SILENT, "opting_unsummoned")
        return _turn(burst, fence, outcome, rule=rule, entries=entries, memory=memory, opted_out=stop)

    async def _wordless(self, burst: Burst, fence: int, now: datetime) -> Turn:
        """A picture, a link, or nothing at all: ask once for words, then call a person."""
        shown = any(message.pictures or message.links for message in burst.messages)
        rule = "picture_or_link_only" if shown else "empty"
        if burst.memory.failures:
            return await self._call_person(burst, fence, now, Reason.UNREADABLE, _evidence(rule, None))
        if burst.answerable is None:
            evidence = _evidence("not_summoned", rule)
            return await self._call_person(burst, fence, now, Reason.CANNOT_REPLY, evidence)
        text = self._notices.describe_picture() if shown else self._notices.ask_what()
        return self._say(burst, fence, now, [Reply(text=text)], memory=_failed(burst.memory), rule=rule)

    async def _ask(self, burst: Burst, fence: int, now: datetime, assessment: Assessment) -> Turn:
        """The assistant's turn; a soft complaint that it has no sure answer to goes to a person."""
        answer = await self._answerer.answer(_question(burst, now))
        if answer.failed_order_key is not None:
            customer = burst.conversation.customer.id
            await self._counts.failed(answer.failed_order_key, customer, attempt_id=burst.turn_id)
        if answer.opt is not None:
            return self._opt(burst, fence, now, stop=answer.opt == "stop")
        memory = _learnt(burst, answer)
        if assessment.needs_person and (answer.failed or not answer.replies):
            return await self._call_for_sensitive(burst, fence, now, assessment, answer=answer)
        if answer.needs_person is not None:
            return await self._call_person(
                burst, fence, now, answer.needs_person, answer.evidence, answer=answer, memory=memory
            )
        if answer.silent_rule is not None:
            return _turn(burst, fence, Outcome.SILENT, rule=answer.silent_rule, memory=memory, answer=answer)
        if not answer.replies:
            raise AssistantFailed("it said nothing and called nobody")
        if burst.answerable is None:
            evidence = _evidence("not_summoned", "no public message of this turn mentions us explicitly")
            return await self._call_person(
                burst, fence, now, Reason.CANNOT_REPLY, evidence, answer=answer, memory=memory
            )
        turn = self._say(burst, fence, now, answer.replies, memory=memory, answer=answer)
        if any(entry.place is Place.PUBLIC and burst.memory.has_said(entry.text, now) for entry in turn.entries):
            evidence = _evidence("same_answer_twice", "the same public answer was given within a day")
            return await self._call_person(
                burst, fence, now, Reason.REPEATED_FAILURE, evidence, answer=answer, memory=memory
            )
        return turn

    async def _call_for_sensitive(
        self, burst: Burst, fence: int, now: datetime, assessment: Assessment, *, answer: Answer | None = None
    ) -> Turn:
        top = assessment.top
        reason = Reason(assessment.reason or Reason.SENSITIVE)
        words = ""
        if top is not None:
            private = burst.latest.place is Place.PRIVATE
            words = top.category.notice_private if private else top.category.notice_public
        evidence = Evidence(
            rule=f"sensitive:{top.category.name}" if top else "sensitive:unjudged",
            matched=burst.text[slice(*top.span)] if top else None,
            score=None,
            threshold=None,
            detail=", ".join(sorted({match.category.name for match in assessment.matches})) or None,
        )
        tell = not burst.conversation.opted_out
        return await self._call_person(
            burst, fence, now, reason, evidence, priority=assessment.priority, words=words, tell=tell, answer=answer
        )

    async def _call_person(
        self,
        burst: Burst,
        fence: int,
        now: datetime,
        reason: Reason,
        evidence: Evidence,
        *,
        priority: int = 50,
        words: str = "",
        tell: bool = True,
        answer: Answer | None = None,
        memory: Memory | None = None,
    ) -> Turn:
        """Opens a case, tells the customer, and keeps what the bot knew for when it gets the conversation back."""
        if not burst.conversation.owner.is_bot:
            return _turn(burst, fence, Outcome.JOINED)
        promise, entries = None, []
        if tell and burst.answerable:
            place = burst.answerable.place
            told = self._notices.hand_over(words, now, place=place, disclose=place not in burst.memory.disclosed)
            promise = told.promise
            entries = [self._entry(burst, now, Reply(text=told.text), author="desk", number=0)]
        known = answer or await self._look_up(burst, now, reason)
        case = await self._casework.new_case(
            burst.conversation,
            burst.latest,
            reason,
            evidence,
            now,
            priority=priority,
            promise=promise,
            findings=_findings(burst, known) if known else None,
        )
        after = _after_saying(memory or burst.memory, entries, now).model_copy(update={"failures": 0})
        return _turn(
            burst, fence, Outcome.CASE_OPENED, entries=entries, memory=after, case=case, answer=answer, known=known
        )

    async def _look_up(self, burst: Burst, now: datetime, reason: Reason) -> Answer | None:
        """What the assistant would have understood and said, for the agent alone; nothing of it is stored or said."""
        if reason is Reason.BOT_ERROR or not burst.text.strip():
            return None
        try:
            return await self._answerer.answer(_question(burst, now))
        except Exception as error:
            # The person is called already; a failing assistant must not stand in the way of that.
            log.warning("nothing_to_suggest", conversation=burst.conversation.key, error=type(error).__name__)
            return None

    def _say(
        self,
        burst: Burst,
        fence: int,
        now: datetime,
        replies: Sequence[Reply],
        *,
        memory: Memory,
        rule: str | None = None,
        answer: Answer | None = None,
    ) -> Turn:
        """Answers; in public with one post, because X allows one automated reply to a post."""
        if burst.latest.place is Place.PUBLIC:
            replies = [_as_one(replies)]
        entries = [self._entry(burst, now, reply, author="bot", number=n) for n, reply in enumerate(replies)]
        after = _after_saying(memory, entries, now)
        return _turn(
            burst,
            fence,
            Outcome.ANSWERED,
            entries=entries,
            memory=after,
            rule=rule,
            answer=answer,
        )

    def _entry(
        self, burst: Burst, now: datetime, reply: Reply, *, author: str, number: int, although_opted_out: bool = False
    ) -> Entry:
        latest, customer = burst.answerable or burst.latest, burst.conversation.customer
        disclose = number == 0 and latest.place not in burst.memory.disclosed
        text = self._notices.worded(reply.text, place=latest.place, disclose=disclose)
        if reply.link and latest.place is Place.PRIVATE:
            text = f"{text}\n{reply.link}"
        return Entry(
            id=f"{burst.turn_id}-{burst.conversation.epoch}-{number}",
            conversation=burst.conversation.key,
            author=author,
            place=latest.place,
            text=text,
            reply_to=latest.platform_id if latest.place is Place.PUBLIC else None,
            customer_id=customer.id,
            offers_private=reply.offers_private,
            although_opted_out=although_opted_out,
            created_at=now,
            articles=reply.articles,
        )


def _question(burst: Burst, now: datetime) -> Question:
    """What the assistant is asked; in public it begins afresh after a private talk, which it would give away."""
    gives_away = burst.latest.place is Place.PUBLIC and burst.memory.place is Place.PRIVATE
    return Question(
        conversation=burst.conversation.key,
        message_id=burst.latest.id,
        text=burst.text,
        place=burst.latest.place,
        now=now,
        tracker=None if gives_away else burst.conversation.tracker,
        kept={} if gives_away else burst.memory.kept,
        attempts=burst.memory.attempts,
        private_possible=burst.latest.private_possible,
        failures=burst.memory.failures,
        last_was_answer=burst.memory.last_was_answer,
    )


def _turn(
    burst: Burst,
    fence: int,
    outcome: Outcome,
    *,
    rule: str | None = None,
    entries: Sequence[Entry] = (),
    memory: Memory | None = None,
    answer: Answer | None = None,
    known: Answer | None = None,
    **changes: Any,
) -> Turn:
    known = known or answer
    return Turn(
        turn_id=burst.turn_id,
        conversation=burst.conversation.key,
        fence=fence,
        epoch=burst.conversation.epoch,
        messages=tuple(message.id for message in burst.messages),
        outcome=outcome,
        rule=rule,
        entries=tuple(entries),
        memory=memory.model_dump_json() if memory else None,
        tracker=answer.tracker if answer else None,
        intent=known.intent if known else None,
        understood=_understood(burst, known).model_dump_json() if known else None,
        **changes,
    )


def _understood(burst: Burst, answer: Answer) -> Understood:
    return Understood(
        message=burst.latest.id,
        intent=answer.intent,
        certainty=answer.certainty,
        entities=as_text(answer.entities),
    )


def _findings(burst: Burst, answer: Answer) -> Findings:
    return Findings(
        understood=_understood(burst, answer),
        slots=answer.slots,
        verification=answer.verification,
        tried=answer.tried,
        suggestions=answer.suggestions,
    )


def _evidence(rule: str, detail: str | None) -> Evidence:
    return Evidence(rule=rule, matched=None, score=None, threshold=None, detail=detail)


def _as_one(replies: Sequence[Reply]) -> Reply:
    return Reply(
        text=" ".join(reply.text for reply in replies),
        articles=tuple(ref for reply in replies for ref in reply.articles),
        offers_private=any(reply.offers_private for reply in replies),
    )


def _failed(memory: Memory) -> Memory:
    return memory.model_copy(update={"failures": memory.failures + 1, "last_was_answer": False})


def _learnt(burst: Burst, answer: Answer) -> Memory:
    """What the bot remembers after an answer; silence changes neither its failures nor what it said last."""
    memory = burst.memory
    changes: dict[str, Any] = {
        "kept": dict(answer.kept),
        "place": burst.latest.place,
        "attempts": dict(answer.attempts) if answer.attempts is not None else None,
    }
    if answer.silent_rule is None:
        changes["failures"] = memory.failures + 1 if answer.failed else 0
        changes["last_was_answer"] = bool(answer.replies) and not answer.failed
    return memory.model_copy(update=changes)


def _after_saying(memory: Memory, entries: Sequence[Entry], now: datetime) -> Memory:
    for entry in entries:
        if entry.place is Place.PUBLIC:
            memory = memory.saying(entry.text, now)
    places = {entry.place for entry in entries} - set(memory.disclosed)
    return memory.model_copy(update={"disclosed": (*memory.disclosed, *sorted(places))})
