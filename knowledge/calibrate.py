"""Measuring how far a score can be trusted, on example questions that are held out one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from knowledge.article import Article
from knowledge.confidence import Calibration, Curve, Gate
from knowledge.index import Matrix, Passages, fused, meaning

MIN_ANSWERED = 10
"""Fewer held-out answers than this above a threshold say nothing about its precision."""

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Held-out questions with their three best scores and whether the right article was found."""

    scores: Numbers  # (n, 3), best first
    first: Flags  # the nearest article is right
    two: Flags  # one of the two nearest is
    on_topic: Flags  # an article answers it at all


def calibrate(
    articles: Sequence[Article], vectors: Matrix, off_topic: Sequence[str], off_topic_vectors: Matrix, gate: Gate
) -> Calibration:
    """Fit both curves and choose the thresholds; needs two articles and some off-topic lines."""
    if len(articles) < 2 or not off_topic:
        raise ValueError("calibration needs at least two articles and some off-topic lines")
    passages = Passages(articles, vectors)
    trials = hold_out(passages, articles, off_topic, off_topic_vectors)
    first, first_held_out = _fit(_features(trials, 1), trials.first)
    two, two_held_out = _fit(_features(trials, 2), trials.two)
    answer = _threshold(first_held_out, trials.first, gate.answer_precision, gate.lowest_answer)
    answered = first_held_out >= answer
    open_ = ~answered  # only what is not answered is ever asked back
    clarify = _threshold(two_held_out[open_], trials.two[open_], gate.clarify_precision, gate.lowest_clarify)
    asked = open_ & (two_held_out >= clarify)
    measured = {
        "questions": float(trials.on_topic.sum()),
        "off_topic": float((~trials.on_topic).sum()),
        "top_1": _share(trials.first[trials.on_topic]),
        "top_2": _share(trials.two[trials.on_topic]),
        "answer_precision": _share(trials.first[answered]),
        "answered": _share(answered[trials.on_topic]),
        "off_topic_answered": _share(answered[~trials.on_topic]),
        "clarify_precision": _share(trials.two[asked]),
        "asked": _share(asked[trials.on_topic]),
        "off_topic_asked": _share(asked[~trials.on_topic]),
    }
    return Calibration(first=first, two=two, answer=answer, clarify=clarify, measured=measured)


def hold_out(
    passages: Passages, articles: Sequence[Article], off_topic: Sequence[str], off_topic_vectors: Matrix
) -> Trials:
    """Ask every example question as if it were not in its article, and every off-topic line."""
    rows = _question_rows(passages, articles)
    questions = [passages.texts[row] for row in rows]
    vectors = np.vstack([passages.vectors[rows], off_topic_vectors])
    truth = np.concatenate([passages.article_of[rows], np.full(len(off_topic), -1)])
    dense = vectors @ passages.vectors.T
    lexical = passages.lexical_of([*questions, *off_topic])
    own = (np.arange(len(rows)), rows)
    dense[own] = lexical[own] = 0  # the question itself is held out
    whole = passages.overall(vectors, held_out=truth)
    score = fused(meaning(passages.nearest(dense), whole), passages.nearest(lexical))
    order = np.argsort(-score, axis=1, kind="stable")[:, :3]
    best = np.take_along_axis(score, order, axis=1)
    return Trials(
        scores=np.pad(best, ((0, 0), (0, 3 - best.shape[1]))).astype(np.float64),
        first=order[:, 0] == truth,
        two=(order[:, :2] == truth[:, np.newaxis]).any(axis=1),
        on_topic=truth >= 0,
    )


def _question_rows(passages: Passages, articles: Sequence[Article]) -> NDArray[np.intp]:
    """Where the example questions are among the passages: behind title and wording."""
    lengths = [len(article.questions) for article in articles]
    return np.concatenate(
        [np.arange(start + 2, start + 2 + n) for start, n in zip(passages.starts, lengths, strict=True)]
    )


def _features(trials: Trials, rank: int) -> Numbers:
    """Score of the nearest and its gap to the article after `rank`."""
    return np.stack([trials.scores[:, 0], trials.scores[:, 0] - trials.scores[:, rank]], axis=1)


def _fit(features: Numbers, right: Flags) -> tuple[Curve, Numbers]:
    """A curve, and the probabilities that curves fitted without each question give to it."""
    smaller = int(min(right.sum(), (~right).sum()))
    if smaller < 2:
        raise ValueError("the held-out questions are all right or all wrong; add articles or off-topic lines")
    model = LogisticRegression(C=1000.0, max_iter=1000)
    folds = StratifiedKFold(min(10, smaller), shuffle=True, random_state=7)
    held_out = cross_val_predict(model, features, right, cv=folds, method="predict_proba")[:, 1]
    model.fit(features, right)
    score, gap = model.coef_[0]
    return Curve(constant=float(model.intercept_[0]), score=float(score), gap=float(gap)), held_out


def _threshold(probability: Numbers, right: Flags, precision: float, lowest: float) -> float:
    """The lowest probability above which the wanted share is right; above 1 (never) when there is none."""
    order = np.argsort(-probability, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((shares >= precision) & (np.arange(1, len(order) + 1) >= MIN_ANSWERED))
    if not len(enough):
        return 1.01
    return max(float(probability[order][enough[-1]]), lowest)


def _share(flags: Flags) -> float:
    return round(float(flags.mean()), 4) if len(flags) else 0.0
