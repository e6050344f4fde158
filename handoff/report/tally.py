"""From records to the report: pure functions, the time passed in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from handoff.report.facts import Case, Facts, Heard, Words
from handoff.report.journal import Record
from handoff.report.period import Period
from handoff.report.prices import Prices
from handoff.report.report import ENDINGS, WAITING, Bar, Cost, CostLine, Report, Times, Unanswered
from handoff.words import Outcome, Place, Reason, in_ms

JUDGED_FOR = timedelta(days=1)
"""How long after the period what becomes of its conversations still counts."""
SAID = ("reply_created", "direct_created", "post_created", "post_with_link_created")
WITHOUT_ANSWER = frozenset({Reason.NO_ANSWER, Reason.REPEATED_FAILURE})


def tally(records: Iterable[Record], *, period: Period, now: datetime, prices: Prices) -> Report:
    """The report of a period as it was known at `now`."""
    return _Tally(Facts.of(record for record in records if record.at_ms <= in_ms(now)), period, now, prices).report()


class _Tally:
    """The facts of one period, counted."""

    def __init__(self, facts: Facts, period: Period, now: datetime, prices: Prices) -> None:
        self._facts = facts
        self._period = period
        self._now = now
        self._prices = prices
        self._starts, self._ends = in_ms(period.starts_at), in_ms(period.ends_at)
        self._heard = [heard for heard in facts.heard.values() if self._within(heard.at_ms)]
        self._opened = [case for case in facts.cases.values() if self._within(case.opened_ms)]
        self._said = [words for words in facts.words.values() if words.sent_ms and self._within(words.sent_ms)]

    def report(self) -> Report:
        """Every number."""
        endings = Counter(_ending(heard) for heard in self._heard)
        fates = Counter(self._fate(conversation) for conversation in {heard.conversation for heard in self._heard})
        judged = fates["contained"] + fates["abandoned"] + fates["handed_over"]
        promises = Counter(case.promise for case in self._opened if case.has_promise)
        open_cases = self._open_at_the_end()
        return Report(
            period=self._period,
            as_of=self._now,
            messages=len(self._heard),
            public=sum(heard.place == Place.PUBLIC for heard in self._heard),
            private=sum(heard.place == Place.PRIVATE for heard in self._heard),
            answered=endings[Outcome.ANSWERED],
            opened=endings[Outcome.CASE_OPENED],
            joined=endings[Outcome.JOINED],
            silent=endings[Outcome.SILENT],
            waiting=endings[WAITING],
            silent_rules=_ranked(h.rule or "no rule" for h in self._heard if h.outcome == Outcome.SILENT),
            over_time=self._over_time(),
            conversations=fates.total(),
            contained=fates["contained"],
            abandoned=fates["abandoned"],
            handed_over=fates["handed_over"],
            only_heard=fates["only_heard"],
            containment=fates["contained"] / judged if judged else None,
            cases=len(self._opened),
            reasons=_ranked(case.reason for case in self._opened),
            open_cases=len(open_cases),
            breached_cases=sum(case.is_broken_by(self._end_ms) for case in open_cases),
            bot_first_reply=_times(self._bot_replies()),
            people_first_reply=_times(self._people_replies()),
            promises_told=promises.total(),
            promises_kept=promises["kept"],
            promises_broken=promises["broken"],
            promises_ended=promises["ended"],
            promises_running=promises["running"],
            intents=_ranked(heard.intent for heard in self._heard if heard.intent),
            articles=_ranked(article for heard in self._heard for article in heard.articles),
            unanswered=self._unanswered(),
            bot_said=sum(not words.is_of_people for words in self._said),
            people_said=sum(words.is_of_people for words in self._said),
            never_said=sum(self._within(words.given_up_ms) for words in self._facts.words.values()),
            cost=self._cost(),
        )

    @property
    def _end_ms(self) -> int:
        """The period's end, or now while it has not come."""
        return min(self._ends, in_ms(self._now) + 1)

    def _within(self, at_ms: int | None) -> bool:
        return at_ms is not None and self._starts <= at_ms < self._ends

    def _fate(self, conversation: str) -> str:
        """What became of a conversation that wrote in the period."""
        until = self._ends + int(JUDGED_FOR.total_seconds() * 1000)
        turns = [heard for heard in self._facts.handled(conversation) if self._starts <= heard.at_ms < until]
        opened = any(self._starts <= case.opened_ms < until for case in self._facts.cases_of(conversation))
        if opened or any(turn.outcome in (Outcome.CASE_OPENED, Outcome.JOINED) for turn in turns):
            return "handed_over"
        answered = [turn for turn in turns if turn.outcome == Outcome.ANSWERED]
        if not answered:
            return "only_heard"
        first_turn = answered[0].turn
        wrote_again_in_vain = any(turn.failed for turn in answered if turn.turn != first_turn)
        return "abandoned" if answered[-1].failed or wrote_again_in_vain else "contained"

    def _open_at_the_end(self) -> list[Case]:
        return [case for case in self._facts.cases.values() if case.is_open_at(self._end_ms)]

    def _bot_replies(self) -> list[int]:
        answers = [(heard, self._facts.first_said(heard.turn)) for heard in self._heard if _is_answered(heard)]
        return [max(0, sent_ms - heard.at_ms) for heard, sent_ms in answers if sent_ms is not None]

    def _people_replies(self) -> list[int]:
        found = [(case, _first_reply(case, self._facts.words_in(case.conversation))) for case in self._opened]
        return [max(0, sent_ms - case.opened_ms) for case, sent_ms in found if sent_ms is not None]

    def _over_time(self) -> tuple[Bar, ...]:
        stretches = self._period.stretches()
        counts: list[Counter[str]] = [Counter() for _ in stretches]
        ends = [in_ms(stretch.ends_at) for stretch in stretches]
        for heard in self._heard:
            counts[next(place for place, end in enumerate(ends) if heard.at_ms < end)][_ending(heard)] += 1
        return tuple(
            Bar(stretch=stretch, counts={ending: counted[ending] for ending in ENDINGS})
            for stretch, counted in zip(stretches, counts, strict=True)
        )

    def _unanswered(self) -> tuple[Unanswered, ...]:
        groups: dict[str | None, list[Heard]] = defaultdict(list)
        for heard in self._heard:
            if _is_without_answer(heard):
                groups[heard.intent].append(heard)
        ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0] or ""))
        return tuple(
            Unanswered(intent=intent, messages=tuple((h.conversation, h.id) for h in _newest_first(group)))
            for intent, group in ranked
        )

    def _cost(self) -> Cost:
        read = Counter(heard.place for heard in self._heard)
        said = Counter(_item(words) for words in self._said)
        prices = self._prices
        lines = (
            CostLine(item="mention_read", count=read[Place.PUBLIC], price=prices.mention_read),
            CostLine(item="direct_read", count=read[Place.PRIVATE], price=prices.direct_read),
            *(CostLine(item=item, count=said[item], price=getattr(prices, item)) for item in SAID),
        )
        return Cost(currency=prices.currency, lines=lines)


def _ending(heard: Heard) -> str:
    return heard.outcome or WAITING


def _item(words: Words) -> str:
    """What the platform charges for these words as."""
    if words.place == Place.PRIVATE:
        return "direct_created"
    if not words.is_announcement:
        return "reply_created"
    return "post_with_link_created" if words.has_link else "post_created"


def _is_answered(heard: Heard) -> bool:
    return heard.outcome == Outcome.ANSWERED


def _is_without_answer(heard: Heard) -> bool:
    """A question in words that the bot failed at; a picture alone ends by a rule."""
    if _is_answered(heard):
        return heard.failed and not heard.rule
    return heard.outcome == Outcome.CASE_OPENED and heard.reason in WITHOUT_ANSWER


def _first_reply(case: Case, words: Sequence[Words]) -> int | None:
    """When the first words of a person went out that were written while the case was open."""
    sent = [one.sent_ms for one in words if one.is_of_people and one.sent_ms and case.was_open_at(one.queued_ms)]
    return min(sent, default=None)


def _newest_first(group: Iterable[Heard]) -> list[Heard]:
    return sorted(group, key=lambda heard: (heard.at_ms, heard.id), reverse=True)


def _times(durations_ms: Iterable[int]) -> Times:
    ordered = sorted(durations_ms)

    def rank(share: int) -> int | None:
        return ordered[-(-len(ordered) * share // 100) - 1] if ordered else None

    return Times(count=len(ordered), median_ms=rank(50), p90_ms=rank(90))


def _ranked(values: Iterable[str]) -> dict[str, int]:
    """Counts, the highest first, equals by name."""
    return dict(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))
