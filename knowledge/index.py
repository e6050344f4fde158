"""Finding the article for a question in one published version of the knowledge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from knowledge.article import Article, PublishedArticle, Sensitivity
from knowledge.confidence import Decision, Hit
from knowledge.facts import FactMissing
from knowledge.version import Version
from knowledge.wording import Wording

DENSE_SHARE = 0.9
"""How much meaning counts against words; chosen on the articles' own held-out questions."""
MAX_QUERY_CHARS = 2000

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an article says now, with what has to be recorded about it."""

    text: str
    link: str | None
    ref: str  # "KB-pets@v3"
    article_id: str
    title: str
    sensitivity: Sensitivity
    knowledge_version: int


@dataclass(frozen=True, kw_only=True)
class Unavailable:
    """An article that must not be answered now; the question goes to a person."""

    article_id: str
    ref: str | None
    because: str


def passages_of(article: Article) -> list[str]:
    """The texts by which an article is found: its title, its wording without facts, its example questions."""
    return [article.title, Wording(article.public).plain, *article.questions]


class Passages:
    """All passages of all articles, and how alike a question is to each article."""

    def __init__(self, articles: Sequence[Article], vectors: Matrix) -> None:
        lists = [passages_of(article) for article in articles]
        self.texts = [text for passages in lists for text in passages]
        if vectors.shape[0] != len(self.texts):
            raise ValueError(f"{vectors.shape[0]} vectors for {len(self.texts)} passages")
        self.vectors = vectors
        self.starts = np.cumsum([0, *(len(passages) for passages in lists[:-1])])
        self._sums = np.add.reduceat(vectors, self.starts, axis=0)
        self.article_of = np.repeat(np.arange(len(lists)), [len(passages) for passages in lists])
        self._words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        self.lexical_rows = hstack(
            [self._words.fit_transform(self.texts), self._characters.fit_transform(self.texts)], format="csr"
        )

    def lexical_of(self, texts: Sequence[str]) -> Matrix:
        """Likeness of words in 0..1, shape (texts, passages): word and character n-grams, half and half."""
        queries = hstack([self._words.transform(texts), self._characters.transform(texts)], format="csr")
        return np.asarray((queries @ self.lexical_rows.T).toarray() / 2, dtype=np.float32)

    def nearest(self, likeness: Matrix) -> Matrix:
        """From passages to articles: the likeness of each article's nearest passage, shape (texts, articles)."""
        return np.asarray(np.maximum.reduceat(likeness, self.starts, axis=1), dtype=np.float32)

    def overall(self, vectors: Matrix, held_out: NDArray[np.intp] | None = None) -> Matrix:
        """Likeness to the mean of each article's passages, shape (texts, articles).

        `held_out` gives for each text the article whose passages it is one of, or -1: its own vector is
        then taken out of that mean.
        """
        dots = vectors @ self._sums.T
        lengths = np.broadcast_to((self._sums**2).sum(axis=1), dots.shape).copy()
        if held_out is not None:
            own = (np.flatnonzero(held_out >= 0), held_out[held_out >= 0])
            lengths[own] += 1 - 2 * dots[own]  # |s - v|^2 with |v| = 1
            dots[own] -= 1
        return np.asarray(dots / np.sqrt(np.maximum(lengths, 1e-9)), dtype=np.float32)


class Index:
    """One published version of the knowledge, ready to be searched; immutable."""

    def __init__(self, version: Version, vectors: Matrix) -> None:
        self._version = version
        self._articles = {published.article.id: published for published in version.articles}
        self._order = tuple(version.articles)
        self._passages = Passages([published.article for published in version.articles], vectors)
        self._wordings = {
            (published.article.id, private): Wording(published.article.private if private else published.article.public)
            for published in version.articles
            for private in (False, True)
        }

    @property
    def version(self) -> int:
        """The number of this version of the knowledge."""
        return self._version.number

    @property
    def content(self) -> Version:
        """Everything that was published with this version."""
        return self._version

    def article(self, article_id: str) -> PublishedArticle | None:
        """The article of that id, in its validity window or not."""
        return self._articles.get(article_id)

    def search(self, text: str, vector: Vector, now: datetime, limit: int = 5) -> list[Hit]:
        """The articles valid at `now` nearest to a question and its vector (384,), best first."""
        likeness = self._passages.vectors @ vector
        words = self._passages.lexical_of([text[:MAX_QUERY_CHARS]])
        nearest = self._passages.nearest(likeness[np.newaxis, :])
        dense = meaning(nearest, self._passages.overall(vector[np.newaxis, :]))[0]
        lexical = self._passages.nearest(words)[0]
        score = fused(dense, lexical)
        valid = [i for i in np.argsort(-score, kind="stable") if self._order[i].article.is_valid(now)]
        following = [float(score[i]) for i in valid[1:]] + [0.0]
        return [
            Hit(
                article_id=self._order[i].article.id,
                version=self._order[i].version,
                ref=self._order[i].ref,
                title=self._order[i].article.title,
                score=float(score[i]),
                dense=float(dense[i]),
                lexical=float(lexical[i]),
                matched=self._matched(i, fused(likeness, words[0])),
                margin=float(score[i]) - after,
            )
            for i, after in zip(valid[:limit], following, strict=False)
        ]

    def decide(self, hits: Sequence[Hit]) -> Decision:
        """What the hits of a search are worth, by this version's own calibration."""
        return self._version.calibration.decide(hits)

    def answer(self, article_id: str, *, private: bool, now: datetime) -> Answer | Unavailable:
        """The article's wording at `now`; Unavailable when it or a fact in it does not hold then."""
        published = self._articles.get(article_id)
        if published is None:
            return Unavailable(article_id=article_id, ref=None, because="the article is not published")
        article = published.article
        if not article.is_valid(now):
            return Unavailable(article_id=article_id, ref=published.ref, because="the article is not valid now")
        try:
            text = self._wordings[article_id, private].at(self._version.facts, now)
        except FactMissing as error:
            return Unavailable(article_id=article_id, ref=published.ref, because=str(error))
        return Answer(
            text=text,
            link=article.link,
            ref=published.ref,
            article_id=article_id,
            title=article.title,
            sensitivity=article.sensitivity,
            knowledge_version=self.version,
        )

    def _matched(self, article: int, likeness: Vector) -> str:
        """The passage of an article that is nearest to the question."""
        own = np.flatnonzero(self._passages.article_of == article)
        return self._passages.texts[int(own[np.argmax(likeness[own])])]


def meaning(nearest: Matrix, overall: Matrix) -> Matrix:
    """Likeness of meaning in 0..1: half the nearest passage, half the article as a whole."""
    return np.asarray(np.clip((nearest + overall) / 2, 0, 1), dtype=np.float32)


def fused(dense: Vector, lexical: Vector) -> Vector:
    """One score from meaning and words; both in 0..1, and so is the result."""
    return np.asarray(DENSE_SHARE * dense + (1 - DENSE_SHARE) * lexical, dtype=np.float32)
