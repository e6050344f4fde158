"""Sensitivity: which words in a message call a person, and how urgently."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from handoff.phrases import PlainText, compiled, negation, plain

MAX_READ_CHARS = 10_000  # as long as a private message can be
MATCHES_SHOWN = 3  # per category: evidence for an agent, not a concordance
TIME_LIMIT_S = 0.25  # per category
_BEFORE_CHARS = 60  # how far back a negator is looked for

_QUESTION = regex.compile(r"[^.!?\n]+(?:\?|(?=[.!\n]|\Z))")
_ASKING = (
    *("what", "whats", "when", "where", "wheres", "which", "who", "why", "how", "hows", "can", "could", "do", "does"),
    *("did", "is", "are", "will", "would", "should", "may"),
)
_LINKING = {"and", "also", "or", "but", "so", "then", "plus", "hi", "hello", "please", "oh"}
_EMPTY = {
    *_ASKING,
    *_LINKING,
    *("a", "an", "the", "i", "we", "you", "it", "my", "your", "our", "me", "us", "this", "that", "there", "to", "of"),
    *("for", "on", "in", "at", "with", "be", "have", "has", "get", "any", "if", "am", "im", "need", "want", "know"),
}


@dataclass(frozen=True, kw_only=True)
class Category:
    """One kind of sensitive message, with its phrases and what the customer is told."""

    name: str
    reason: str
    priority: int  # 0 to 100
    notice_public: str
    notice_private: str
    phrases: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    negation_ignored: bool = False
    answer_first: bool = False  # a sure answer from the knowledge may be given instead of calling a person
    questions: int | None = None  # so many different questions are a match, whatever their words


@dataclass(frozen=True, kw_only=True)
class Match:
    """A phrase that was found; the span is in the customer's own text, its end not included."""

    category: Category
    phrase: str
    span: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What was found in a text, the most urgent first."""

    matches: tuple[Match, ...] = ()
    complete: bool = True  # False: the text could not be read within the time limit

    @property
    def top(self) -> Match | None:
        """The most urgent match."""
        return self.matches[0] if self.matches else None

    @property
    def needs_person(self) -> bool:
        """Whether a person is called for (see may_answer_first); what could not be read through counts too."""
        return bool(self.matches) or not self.complete

    @property
    def may_answer_first(self) -> bool:
        """Whether the bot may still give an answer that it is sure of; without one a person is needed."""
        return self.complete and all(match.category.answer_first for match in self.matches)

    @property
    def reason(self) -> str | None:
        """Why a person is needed, if one is."""
        if self.top:
            return self.top.category.reason
        return None if self.complete else "sensitive"

    @property
    def priority(self) -> int:
        """How urgent it is, 0 to 100."""
        return self.top.category.priority if self.top else 0


class _Rule:
    """A category, ready to be looked for."""

    def __init__(self, category: Category) -> None:
        self.category = category
        self._phrases = compiled(category.phrases)
        self._exceptions = compiled(category.exceptions)

    def matches(self, text: PlainText, negated: regex.Pattern[str]) -> Iterator[Match]:
        """The matches that no exception and no negator takes back; raises TimeoutError."""
        excused: list[tuple[int, int]] | None = None
        for found in self._phrases.finditer(text.text, overlapped=True, timeout=TIME_LIMIT_S):
            begins, ends = found.span()
            if excused is None:  # only looked for when there is something to excuse
                excused = [match.span() for match in self._exceptions.finditer(text.text, timeout=TIME_LIMIT_S)]
            if any(begins < last and first < ends for first, last in excused):
                continue
            if not self.category.negation_ignored and negated.search(
                text.text[max(0, begins - _BEFORE_CHARS) : begins], timeout=TIME_LIMIT_S
            ):
                continue
            phrase = self.category.phrases[int(str(found.lastgroup)[1:])]
            yield Match(category=self.category, phrase=phrase, span=text.original(begins, ends))


class Sensitivity:
    """Looks for sensitive words; the same text always gets the same assessment."""

    def __init__(self, categories: Sequence[Category], *, negators: Sequence[str]) -> None:
        """Raises PhraseError for a phrase or negator that is not written in the language."""
        self._rules = [_Rule(category) for category in sorted(categories, key=lambda c: -c.priority)]
        self._negated = negation(negators)

    def category(self, name: str) -> Category | None:
        """The category of this name."""
        return next((rule.category for rule in self._rules if rule.category.name == name), None)

    def categories(self) -> tuple[Category, ...]:
        """All categories, the most urgent first."""
        return tuple(rule.category for rule in self._rules)

    def assess(self, text: str) -> Assessment:
        """What a person has to look at in this text."""
        text = text[:MAX_READ_CHARS]
        read = plain(text)
        matches: list[Match] = []
        complete = True
        for rule in self._rules:
            try:
                matches += _first(rule.matches(read, self._negated))
            except TimeoutError:
                complete = False
            if rule.category.questions and is_tangled(text, rule.category.questions):
                matches.append(Match(category=rule.category, phrase="several questions", span=(0, len(text))))
        return Assessment(matches=tuple(matches), complete=complete)


def _first(matches: Iterator[Match]) -> list[Match]:
    """The first few matches, overlapping ones only once."""
    kept: list[Match] = []
    for match in matches:
        if not kept or match.span[0] >= kept[-1].span[1]:
            kept.append(match)
        if len(kept) == MATCHES_SHOWN:
            break
    return kept


def is_tangled(text: str, questions: int = 3) -> bool:
    """Whether a text asks at least so many different things; the same question put again counts once."""
    asked: list[set[str]] = []
    for sentence in _QUESTION.findall(plain(text[:MAX_READ_CHARS]).text):
        words = list(regex.findall(r"[\p{L}\p{N}]+", sentence))
        while words and words[0] in _LINKING:
            words.pop(0)
        about = set(words) - _EMPTY
        is_question = sentence.endswith("?") or (bool(words) and words[0] in _ASKING)
        if (
            is_question
            and about
            and len(words) >= 3
            and not any(2 * len(about & other) > len(about) for other in asked)
        ):
            asked.append(about)
    return len(asked) >= questions
