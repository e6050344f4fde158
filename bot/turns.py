"""What a burst of messages gets: an answer, a case, the open case, or deliberate silence. Exactly one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.answer import Answer, Answerer, AssistantFailed, Reply
from bot.burst import Burst
from bot.casework import Casework, findings
from bot.memory import Memory
from bot.notices import Notices
from bot.opt_out import opting
from handoff.ledger import Raised, Snapshot, Turn
from handoff.packet import Evidence
from handoff.sensitivity import Assessment, Sensitivity
from handoff.words import Entry, Outcome, Place, Promise, Reason

log = structlog.get_logger()

URGENT = 80
"""From this priority on, words raise a case that is already open."""
WEAKER_THAN_A_COMPLAINT = frozenset({None, Reason.NO_ANSWER, Reason.REPEATED_FAILURE, Reason.COMPLAINT})


class WrongTries(Protocol):
    """Counts wrong verifications of an order, once per attempt."""

    async def failed(self, order_key: str, customer_id: str, attempt_id: str) -> int:
        """Counts one; returns how many there are now."""
        ...


class Turns:
    """Decides turns; stores nothing itself but the count of wrong verifications."""

    def __init__(
        self,
        *,
        answerer: Answerer,
        sensitivity: Sensitivity,
        notices: Notices,
        casework: Casework,
        counts: WrongTries,
        oldest_answered: timedelta,
        restored_at: datetime | None = None,
        turn_limit_s: float,
    ) -> None:
        """`oldest_answered`: older messages go to people, marked late, and are never answered by the bot.

        `restored_at`: so do those written before a restore, which may have been answered before it.
        `turn_limit_s`: what takes the assistant longer is given to a person.
        """
        self._answerer = answerer
        self._sensitivity = sensitivity
        self._notices = notices
        self._casework = casework
        self._counts = counts
        self._oldest_answered = oldest_answered
        self._restored_at = restored_at
        self._turn_limit_s = turn_limit_s

    async def decide(self, burst: Burst, fence: int, now: datetime) -> Turn:
        """The turn for a burst. Whatever fails inside, a person is called and the customer is told."""
        turn = _Deciding(self, burst, fence, now)
        try:
            return await turn.decided()
        except AssistantFailed as error:
            log.error("assistant_failed", conversation=burst.conversation.key, error=str(error))
            return await turn.call_person(Reason.BOT_ERROR, evidence("assistant_failed", str(error)))
        except Exception as error:
            # The edge of the turn: no failure of ours may leave a customer in silence.
            log.exception("turn_failed", conversation=burst.conversation.key, message=burst.latest.id)
            return await turn.call_person(Reason.BOT_ERROR, evidence("turn_failed", type(error).__name__))

    def give_up(self, snapshot: Snapshot, fence: int, now: datetime) -> Turn:
        """The turn of messages that no turn could be stored for: a person, with nothing read that might be broken."""
        burst = Burst(conversation=snapshot.conversation, memory=Memory(), messages=snapshot.waiting)
        return _Deciding(self, burst, fence, now).give_up()

    def assess(self, text: str) -> Assessment:
        """Which words of a text call a person."""
        return self._sensitivity.assess(text)

    async def ask(self, burst: Burst, now: datetime) -> Answer:
        """The assistant's answer within the limit; raises AssistantFailed."""
        try:
            async with asyncio.timeout(self._turn_limit_s):
                return await self._answerer.answer(burst.question(now))
        except TimeoutError:
            raise AssistantFailed(f"no answer within {self._turn_limit_s:g} s") from None

    async def look_up(self, burst: Burst, now: datetime) -> Answer | None:
        """What the assistant would have understood and said, for the agent alone; nothing of it is stored or said."""
        if not burst.text.strip():
            return None
        try:
            return await self.ask(burst, now)
        except Exception as error:
            # The person is called already; a failing assistant must not stand in the way of that.
            log.warning("nothing_to_suggest", conversation=burst.conversation.key, error=type(error).__name__)
            return None

    async def count_wrong_try(self, burst: Burst, order_key: str) -> None:
        """Counts a wrong verification before the turn is stored, once however often the turn is redone."""
        await self._counts.failed(order_key, burst.conversation.customer.id, attempt_id=burst.turn_id)

    def is_too_old(self, burst: Burst, now: datetime) -> bool:
        """Whether the burst has waited too long for a machine, or may have been answered before a restore."""
        if self._restored_at and burst.messages[0].sent_at <= self._restored_at:
            return True
        return now - burst.messages[0].sent_at > self._oldest_answered

    @property
    def notices(self) -> Notices:
        """What we say ourselves."""
        return self._notices

    @property
    def casework(self) -> Casework:
        """What composes cases."""
        return self._casework


class _Deciding:
    """One burst on its way to a turn."""

    def __init__(self, turns: Turns, burst: Burst, fence: int, now: datetime) -> None:
        self._turns = turns
        self._burst = burst
        self._fence = fence
        self._now = now
        self._is_bots = burst.conversation.owner.is_bot

    async def decided(self) -> Turn:
        """The rules in their order; the first that applies decides."""
        burst = self._burst
        opted = opting(burst.latest.text)
        if opted is not None:
            return self._opt(stop=opted == "stop")
        assessment = self._turns.assess(burst.text)
        if not self._is_bots:
            return self._join(assessment)
        if burst.conversation.opted_out and not assessment.needs_person:
            return burst.ends(self._fence, Outcome.SILENT, rule="opted_out")
        if assessment.needs_person and (burst.conversation.opted_out or not assessment.may_answer_first):
            return await self._call_for_sensitive(assessment)
        if self._turns.is_too_old(burst, self._now):
            return await self.call_person(Reason.TOO_OLD, evidence("too_old", None), tell=False)
        if not burst.text.strip():
            return await self._wordless()
        return await self._answer(assessment)

    def _opt(self, *, stop: bool) -> Turn:
        text = self._turns.notices.stopped() if stop else self._turns.notices.started()
        entries = []
        if self._burst.answerable:
            entries = [self._entry(Reply(text=text), author="desk", number=0, although_opted_out=True)]
        memory = self._burst.memory.after_saying(entries, self._now)
        outcome, rule = Outcome.ANSWERED, None
        if not self._is_bots:
            outcome = Outcome.JOINED
        elif not entries:
            outcome, rule = Outcome.SILENT, "opting_unsummoned"
        return self._burst.ends(
            self._fence, outcome, rule=rule, entries=entries, memory=memory.model_dump_json(), opted_out=stop
        )

    def _join(self, assessment: Assessment) -> Turn:
        """The message joins the open case, and raises it when it is urgent; while nobody is there, with our words."""
        if assessment.top is None or assessment.priority < URGENT:
            return self._burst.ends(self._fence, Outcome.JOINED)
        raised = Raised(priority=assessment.priority, reason=Reason(assessment.top.category.reason))
        entries = []
        if self._burst.conversation.owner.kind == "queue" and self._may_be_told():
            entries = [self._entry(Reply(text=self._words_of(assessment)), author="desk", number=0)]
        memory = self._burst.memory.after_saying(entries, self._now)
        return self._burst.ends(
            self._fence, Outcome.JOINED, entries=entries, memory=memory.model_dump_json(), raised=raised
        )

    async def _wordless(self) -> Turn:
        """A picture, a link, or nothing at all: ask once for words, then call a person."""
        burst, notices = self._burst, self._turns.notices
        shown = any(message.pictures or message.links for message in burst.messages)
        rule = "picture_or_link_only" if shown else "empty"
        if burst.memory.failures:
            return await self.call_person(Reason.UNREADABLE, evidence(rule, None))
        if burst.answerable is None:
            return await self.call_person(Reason.CANNOT_REPLY, evidence("not_summoned", rule))
        place = burst.answerable.place
        text = notices.describe_picture(place) if shown else notices.ask_what(place)
        turn = self._say([Reply(text=text)], memory=burst.memory.failed(), rule=rule)
        return turn.model_copy(update={"failed": True})

    async def _answer(self, assessment: Assessment) -> Turn:
        """The assistant's turn; a soft complaint that it has no sure answer to goes to a person."""
        burst = self._burst
        answer = await self._turns.ask(burst, self._now)
        if answer.failed_order_key is not None:
            await self._turns.count_wrong_try(burst, answer.failed_order_key)
        memory = burst.memory.learnt(answer, burst.latest.place)
        is_unsure = answer.failed or not answer.replies
        if assessment.needs_person and is_unsure and answer.needs_person in WEAKER_THAN_A_COMPLAINT:
            return await self._call_for_sensitive(assessment, answer=answer, memory=memory)
        if answer.needs_person is not None:
            words = self._turns.notices.because(answer.needs_person)
            return await self.call_person(
                answer.needs_person, answer.evidence, words=words, answer=answer, memory=memory
            )
        if answer.silent_rule is not None:
            return burst.ends(
                self._fence, Outcome.SILENT, rule=answer.silent_rule, memory=memory.model_dump_json(), answer=answer
            )
        if not answer.replies:
            raise AssistantFailed("it said nothing and called nobody")
        if burst.answerable is None:
            why = evidence("not_summoned", "no public message of this turn mentions us explicitly")
            return await self.call_person(Reason.CANNOT_REPLY, why, answer=answer, memory=memory)
        turn = self._say(answer.replies, memory=memory, answer=answer)
        if any(entry.place is Place.PUBLIC and burst.memory.has_said(entry.text, self._now) for entry in turn.entries):
            why = evidence("same_answer_twice", "the same public answer was given within a day")
            return await self.call_person(Reason.REPEATED_FAILURE, why, answer=answer, memory=memory)
        return turn

    async def _call_for_sensitive(
        self, assessment: Assessment, *, answer: Answer | None = None, memory: Memory | None = None
    ) -> Turn:
        top = assessment.top
        why = Evidence(
            rule=f"sensitive:{top.category.name}" if top else "sensitive:unjudged",
            matched=self._burst.text[slice(*top.span)] if top else None,
            score=None,
            threshold=None,
            detail=", ".join(sorted({match.category.name for match in assessment.matches})) or None,
        )
        return await self.call_person(
            Reason(assessment.reason or Reason.SENSITIVE),
            why,
            priority=assessment.priority or 50,
            words=self._words_of(assessment),
            answer=answer,
            memory=memory,
        )

    async def call_person(
        self,
        reason: Reason,
        why: Evidence,
        *,
        priority: int = 50,
        words: str = "",
        tell: bool = True,
        answer: Answer | None = None,
        memory: Memory | None = None,
    ) -> Turn:
        """Opens a case, tells the customer, and keeps what the bot knew for when it gets the conversation back."""
        burst, now = self._burst, self._now
        if not self._is_bots:
            return burst.ends(self._fence, Outcome.JOINED)
        promise, entries = self._hand_over(words) if tell else (None, [])
        known = answer
        if known is None and reason is not Reason.BOT_ERROR:
            known = await self._turns.look_up(burst, now)
        case = await self._turns.casework.new_case(
            burst.conversation,
            burst.latest,
            reason,
            why,
            now,
            priority=priority,
            promise=promise,
            found=findings(burst.latest, known) if known else None,
        )
        after = (memory or burst.memory).after_saying(entries, now).handed_over()
        return burst.ends(
            self._fence,
            Outcome.CASE_OPENED,
            entries=entries,
            memory=after.model_dump_json(),
            case=case,
            answer=answer,
            known=known,
        )

    def give_up(self) -> Turn:
        """A person without asking anybody or reading anything."""
        burst, now = self._burst, self._now
        if not self._is_bots:
            return burst.ends(self._fence, Outcome.JOINED)
        promise, entries = self._hand_over("")
        why = evidence("turn_not_stored", "no turn could be stored for these messages; see the responder's log")
        case = self._turns.casework.bare_case(burst.conversation, burst.latest, why, now, promise=promise)
        return burst.ends(self._fence, Outcome.CASE_OPENED, entries=entries, case=case)

    def _hand_over(self, words: str) -> tuple[Promise | None, list[Entry]]:
        """What the customer is told, where that is possible, and what it promises."""
        burst = self._burst
        if burst.answerable is None or not self._may_be_told():
            return None, []
        place = burst.answerable.place
        disclose = place not in burst.memory.disclosed
        told = self._turns.notices.hand_over(words, self._now, place=place, disclose=disclose)
        return told.promise, [self._entry(Reply(text=told.text), author="desk", number=0)]

    def _say(
        self, replies: Sequence[Reply], *, memory: Memory, rule: str | None = None, answer: Answer | None = None
    ) -> Turn:
        """Answers; in public with one post, because X allows one automated reply to a post."""
        if self._burst.latest.place is Place.PUBLIC:
            replies = [_as_one(replies)]
        entries = [self._entry(reply, author="bot", number=number) for number, reply in enumerate(replies)]
        after = memory.after_saying(entries, self._now)
        return self._burst.ends(
            self._fence, Outcome.ANSWERED, entries=entries, memory=after.model_dump_json(), rule=rule, answer=answer
        )

    def _entry(self, reply: Reply, *, author: str, number: int, although_opted_out: bool = False) -> Entry:
        burst = self._burst
        latest = burst.answerable or burst.latest
        disclose = number == 0 and latest.place not in burst.memory.disclosed
        text = self._turns.notices.worded(reply.text, place=latest.place, disclose=disclose)
        if reply.link and latest.place is Place.PRIVATE:
            text = f"{text}\n{reply.link}"
        return Entry(
            id=f"{burst.turn_id}-{burst.conversation.epoch}-{number}",
            conversation=burst.conversation.key,
            author=author,
            place=latest.place,
            text=text,
            reply_to=latest.platform_id if latest.place is Place.PUBLIC else None,
            customer_id=burst.conversation.customer.id,
            offers_private=reply.offers_private,
            although_opted_out=although_opted_out,
            created_at=self._now,
            articles=reply.articles,
        )

    def _may_be_told(self) -> bool:
        return self._burst.answerable is not None and not self._burst.conversation.opted_out

    def _words_of(self, assessment: Assessment) -> str:
        if assessment.top is None:
            return ""
        category = assessment.top.category
        return category.notice_private if self._burst.latest.place is Place.PRIVATE else category.notice_public


def evidence(rule: str, detail: str | None) -> Evidence:
    """What a reason rests on, where it is a plain rule."""
    return Evidence(rule=rule, matched=None, score=None, threshold=None, detail=detail)


def _as_one(replies: Sequence[Reply]) -> Reply:
    return Reply(
        text=" ".join(reply.text for reply in replies),
        articles=tuple(ref for reply in replies for ref in reply.articles),
        offers_private=any(reply.offers_private for reply in replies),
    )
