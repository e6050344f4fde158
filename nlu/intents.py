"""Which intent a vector has, and how sure one may be: the mathematics behind the classifier."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

FOLDS = 5
INVERSE_PENALTY = 20.0  # vectors have length 1, so weights must be allowed to grow
NEIGHBOURS = 5
SEED = 20

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The intents of one vector, likeliest first, and the probability that the first is right."""

    ranking: tuple[tuple[str, float], ...]
    certainty: float
    nearest: int  # index of the training example that is most alike
    similarity: float


@dataclass(frozen=True, kw_only=True)
class IntentModel:
    """A linear classifier with a calibrated certainty; numbers only, so that storing it needs no pickle."""

    intents: tuple[str, ...]
    weights: Floats  # (intents, dimensions)
    constants: Floats  # (intents,)
    vectors: Floats  # (examples, dimensions), to say what is nearest
    labels: NDArray[np.int64]  # (examples,)
    curve: Floats  # constant and one weight per sign of certainty

    def guess(self, vector: Floats) -> Guess:
        """What this vector probably means."""
        shares = _softmax(self.weights @ vector + self.constants)
        likeness = self.vectors @ vector
        order = np.argsort(-shares)
        signs = _signs(shares, likeness, self.labels)
        nearest = int(likeness.argmax())
        return Guess(
            ranking=tuple((self.intents[index], float(shares[index])) for index in order),
            certainty=float(_sigmoid(self.curve[0] + signs @ self.curve[1:])),
            nearest=nearest,
            similarity=float(likeness[nearest]),
        )

    def save(self, folder: Path) -> None:
        """Write the numbers to a folder."""
        np.savez(
            folder / "numbers.npz",
            weights=self.weights,
            constants=self.constants,
            vectors=self.vectors,
            labels=self.labels,
            curve=self.curve,
        )
        (folder / "intents.json").write_text(json.dumps(self.intents), encoding="utf-8")


def load_intents(folder: Path) -> IntentModel:
    """The model that `save` wrote; raises OSError, KeyError or ValueError for anything else."""
    with np.load(folder / "numbers.npz", allow_pickle=False) as numbers:
        intents = tuple(json.loads((folder / "intents.json").read_text(encoding="utf-8")))
        return IntentModel(intents=intents, **{name: numbers[name] for name in numbers.files})


def fit(vectors: Floats, labels: Sequence[str]) -> IntentModel:
    """Learn intents from examples; certainty is fitted on examples held out in turn."""
    intents = tuple(sorted(set(labels)))
    numbers = np.array([intents.index(label) for label in labels])
    signs, right = _held_out(vectors, numbers, len(intents))
    judge = LogisticRegression(C=1.0).fit(signs, right)
    weights, constants = _linear(vectors, numbers)
    return IntentModel(
        intents=intents,
        weights=weights,
        constants=constants,
        vectors=vectors,
        labels=numbers,
        curve=np.concatenate([judge.intercept_, judge.coef_[0]]).astype(np.float32),
    )


def _held_out(vectors: Floats, labels: NDArray[np.int64], count: int) -> tuple[Floats, NDArray[np.bool_]]:
    """For every example, judged by a model that never saw it: the signs of certainty, and whether it was right."""
    signs = np.zeros((len(labels), 4), dtype=np.float32)
    right = np.zeros(len(labels), dtype=bool)
    for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(vectors, labels):
        weights, constants = _linear(vectors[seen], labels[seen])
        for index in unseen:
            shares = _softmax(weights @ vectors[index] + constants)
            signs[index] = _signs(shares, vectors[seen] @ vectors[index], labels[seen])
            right[index] = shares.argmax() == labels[index]
    return signs, right


def _linear(vectors: Floats, labels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000, class_weight="balanced").fit(vectors, labels)
    return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)


def _signs(shares: Floats, likeness: Floats, labels: NDArray[np.int64]) -> Floats:
    """What speaks for the first intent: its share, its lead, its nearest example, and how many neighbours agree."""
    first, second = np.sort(shares)[::-1][:2]
    mine = labels == shares.argmax()
    neighbours = np.argsort(-likeness)[:NEIGHBOURS]
    return np.array(
        [
            np.log(first / (1 - first + 1e-6)),
            np.log(first / (second + 1e-6)),
            likeness[mine].max(initial=0.0),
            mine[neighbours].mean(),
        ],
        dtype=np.float32,
    )


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)


def _sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
