"""May the bot answer? Scores become probabilities, and probabilities become a decision."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class DecisionKind(StrEnum):
    """What to do with a question."""

    ANSWER = "answer"  # the nearest article is right often enough
    CLARIFY = "clarify"  # one of the two nearest is: ask which
    NONE = "none"  # nothing here answers it: a person does


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One article that a search found."""

    article_id: str
    version: int
    ref: str  # "KB-pets@v3"
    title: str
    score: float  # 0..1, dense and lexical together
    dense: float  # 0..1, likeness of meaning
    lexical: float  # 0..1, likeness of words
    matched: str  # its nearest example question, title or wording
    margin: float  # score minus that of the next article


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the hits are worth, with the evidence."""

    kind: DecisionKind
    probability: float  # that the nearest article answers the question
    probability_of_two: float  # that one of the two nearest does
    hits: tuple[Hit, ...]  # ANSWER: 1 · CLARIFY: the 2 topics to offer · NONE: the nearest, at most 2


@dataclass(frozen=True, kw_only=True)
class Gate:
    """How sure the bot has to be; an editor's choice, kept in gate.yml."""

    answer_precision: float
    clarify_precision: float
    lowest_answer: float
    lowest_clarify: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A logistic curve from a score and a gap to a probability."""

    constant: float
    score: float
    gap: float

    def probability(self, score: float, gap: float) -> float:
        """A number in 0..1."""
        return 1 / (1 + math.exp(-(self.constant + self.score * score + self.gap * gap)))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Fitted when the knowledge is published, stored with it, and never changed afterwards."""

    first: Curve  # is the nearest article right? gap: to the second
    two: Curve  # is one of the two nearest right? gap: to the third
    answer: float  # lowest probability of an answer
    clarify: float  # lowest probability of a clarifying question
    measured: Mapping[str, float]  # what held-out questions showed: precision, coverage, counts

    def decide(self, hits: Sequence[Hit]) -> Decision:
        """Answer, ask which of two, or leave it to a person; needs three hits where there are three articles."""
        scores = [hit.score for hit in hits[:3]] + [0.0] * (3 - len(hits))
        probability, of_two = self.probabilities(*scores)
        kind, kept = DecisionKind.NONE, 2
        if hits and probability >= self.answer:
            kind, kept = DecisionKind.ANSWER, 1
        elif len(hits) > 1 and of_two >= self.clarify:
            kind = DecisionKind.CLARIFY
        return Decision(kind=kind, probability=probability, probability_of_two=of_two, hits=tuple(hits[:kept]))

    def probabilities(self, first: float, second: float, third: float) -> tuple[float, float]:
        """That the nearest is right, and that one of the two nearest is, from the three best scores."""
        alone = self.first.probability(first, first - second)
        return alone, max(alone, self.two.probability(first, first - third))

    def as_dict(self) -> dict[str, Any]:
        """The calibration as JSON, the form it is published in."""
        return asdict(self)


def calibration_from_dict(data: Mapping[str, Any]) -> Calibration:
    """The calibration that `as_dict` gave."""
    return Calibration(
        first=Curve(**data["first"]),
        two=Curve(**data["two"]),
        answer=data["answer"],
        clarify=data["clarify"],
        measured=data["measured"],
    )
