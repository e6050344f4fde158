"""What the records say, put together: each message, each case, and all that was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from handoff.report.journal import Record
from handoff.words import ANNOUNCEMENT


@dataclass(kw_only=True)
class Heard:
    """A message of a customer, and how it ended."""

    id: str
    conversation: str
    place: str
    at_ms: int
    outcome: str | None = None
    rule: str | None = None
    turn: str = ""
    reason: str | None = None
    intent: str | None = None
    articles: tuple[str, ...] = ()
    failed: bool = False


@dataclass(kw_only=True)
class Words:
    """An outbox entry: who wrote it, where, and whether it went out."""

    conversation: str
    author: str
    place: str
    queued_ms: int
    turn: str | None
    has_link: bool
    sent_ms: int | None = None
    given_up_ms: int | None = None

    @property
    def is_of_people(self) -> bool:
        return self.author.startswith("agent:")

    @property
    def is_announcement(self) -> bool:
        return self.author == ANNOUNCEMENT


@dataclass(kw_only=True)
class Case:
    """A case from its opening to its end, and the promise that was made with it."""

    conversation: str
    reason: str
    opened_ms: int
    has_promise: bool
    promise: str = "running"
    broken_ms: int | None = None
    closed_ms: int | None = None

    def is_open_at(self, at_ms: int) -> bool:
        """Whether it was open just before a moment."""
        return self.opened_ms < at_ms and (self.closed_ms is None or self.closed_ms >= at_ms)

    def was_open_at(self, at_ms: int) -> bool:
        """Whether something said at a moment was said in it; words may be the last thing before the end."""
        return self.opened_ms <= at_ms and (self.closed_ms is None or at_ms <= self.closed_ms)

    def is_broken_by(self, at_ms: int) -> bool:
        """Whether its promise had been broken before a moment."""
        return self.broken_ms is not None and self.broken_ms < at_ms


@dataclass(kw_only=True)
class Facts:
    """Everything the records told, by id. Records of things that began unseen are left aside."""

    heard: dict[str, Heard] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    words: dict[str, Words] = field(default_factory=dict)
    _handled: dict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    _cases_of: dict[str, list[Case]] = field(default_factory=lambda: defaultdict(list))
    _words_in: dict[str, list[Words]] = field(default_factory=lambda: defaultdict(list))
    _words_of: dict[str, list[Words]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, records: Iterable[Record]) -> Facts:
        """Reads records that are in order within each conversation; kinds that no number rests on are passed over."""
        facts = cls()
        for record in records:
            if read := _READERS.get(record.kind):
                read(facts, record)
        return facts

    def handled(self, conversation: str) -> list[Heard]:
        """The messages of a conversation that have an outcome, in the order in which they got it."""
        return self._handled.get(conversation, [])

    def cases_of(self, conversation: str) -> list[Case]:
        """Its cases, the oldest first."""
        return self._cases_of.get(conversation, [])

    def words_in(self, conversation: str) -> list[Words]:
        """What was to be said in it, the oldest first."""
        return self._words_in.get(conversation, [])

    def first_said(self, turn: str) -> int | None:
        """When the first words of a turn went out; None if none did."""
        return min((words.sent_ms for words in self._words_of.get(turn, []) if words.sent_ms), default=None)

    def _received(self, record: Record) -> None:
        message = str(record.facts["message"])
        self.heard[message] = Heard(
            id=message, conversation=record.conversation, place=str(record.facts["place"]), at_ms=record.at_ms
        )

    def _ended(self, record: Record) -> None:
        told = record.facts
        heard = self.heard.get(str(told["message"]))
        if heard is None:
            return
        heard.outcome, heard.rule, heard.turn = str(told["outcome"]), told.get("rule"), str(told.get("turn", ""))
        heard.reason, heard.intent, heard.failed = told.get("reason"), told.get("intent"), told.get("failed") is True
        heard.articles = tuple(_articles(told.get("articles") or ""))
        self._handled[heard.conversation].append(heard)

    def _queued(self, record: Record) -> None:
        told = record.facts
        words = Words(
            conversation=record.conversation,
            author=str(told["author"]),
            place=str(told["place"]),
            queued_ms=record.at_ms,
            turn=told.get("turn"),
            has_link=told.get("link") is True,
        )
        self.words[str(told["entry"])] = words
        self._words_in[record.conversation].append(words)
        if words.turn:
            self._words_of[words.turn].append(words)

    def _went_out(self, record: Record) -> None:
        if words := self.words.get(str(record.facts["entry"])):
            words.sent_ms = record.at_ms

    def _given_up(self, record: Record) -> None:
        if words := self.words.get(str(record.facts["entry"])):
            words.given_up_ms = record.at_ms

    def _case_opened(self, record: Record) -> None:
        case = Case(
            conversation=record.conversation,
            reason=str(record.facts["reason"]),
            opened_ms=record.at_ms,
            has_promise=record.facts.get("promise_due_ms") is not None,
        )
        self.cases[str(record.facts["case"])] = case
        self._cases_of[record.conversation].append(case)

    def _case_closed(self, record: Record) -> None:
        if case := self.cases.get(str(record.facts["case"])):
            case.closed_ms = record.at_ms

    def _promise_over(self, record: Record) -> None:
        if case := self.cases.get(str(record.facts["case"])):
            case.promise = record.kind.removeprefix("promise_")
            case.broken_ms = record.at_ms if case.promise == "broken" else None


def _articles(listed: str) -> list[str]:
    """Each article once, without its version: `KB-baggage` of `KB-baggage@v3`."""
    return list(dict.fromkeys(ref.partition("@")[0] for ref in listed.split(",") if ref))


_READERS: dict[str, Callable[[Facts, Record], None]] = {
    "message_received": Facts._received,
    "outcome": Facts._ended,
    "entry_queued": Facts._queued,
    "entry_sent": Facts._went_out,
    "entry_cancelled": Facts._given_up,
    "entry_blocked": Facts._given_up,
    "entry_dead": Facts._given_up,
    "case_opened": Facts._case_opened,
    "case_resolved": Facts._case_closed,
    "case_given_back": Facts._case_closed,
    "case_erased": Facts._case_closed,
    "promise_kept": Facts._promise_over,
    "promise_broken": Facts._promise_over,
    "promise_ended": Facts._promise_over,
}
