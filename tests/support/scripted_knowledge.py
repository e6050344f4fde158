"""Published knowledge whose decision a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from knowledge.article import Article, PublishedArticle, Sensitivity
from knowledge.confidence import Decision, DecisionKind, Hit
from knowledge.index import Answer, Unavailable

_TITLES = {"pets": "Travelling with pets", "bikes": "Bicycles and sports equipment"}


@dataclass(kw_only=True)
class ScriptedIndex:
    """Finds pets before bikes for any question, and decides as told."""

    kind: DecisionKind
    sensitivity: Sensitivity = Sensitivity.OPEN
    expired: bool = False
    version: int = 1

    def search(self, text: str, vector: Any, now: datetime, limit: int = 5) -> list[Hit]:
        return [_hit("pets", 0.8), _hit("bikes", 0.78)]

    def decide(self, hits: Sequence[Hit]) -> Decision:
        kept = 1 if self.kind is DecisionKind.ANSWER else 2
        return Decision(kind=self.kind, probability=0.5, probability_of_two=0.8, hits=tuple(hits[:kept]))

    def article(self, article_id: str) -> PublishedArticle | None:
        article = Article(
            id=article_id,
            title=_TITLES[article_id],
            questions=(),
            public="",
            private="",
            owner="tests",
            sensitivity=self.sensitivity,
        )
        return PublishedArticle(article=article, version=1)

    def answer(self, article_id: str, *, private: bool, now: datetime) -> Answer | Unavailable:
        if self.expired:
            return Unavailable(article_id=article_id, ref=f"KB-{article_id}@v1", because="a fact has expired")
        return Answer(
            text=f"About {article_id}, in {'private' if private else 'public'}.",
            link=None,
            ref=f"KB-{article_id}@v1",
            article_id=article_id,
            title=_TITLES[article_id],
            sensitivity=self.sensitivity,
            knowledge_version=1,
        )


@dataclass(kw_only=True)
class ScriptedKnowledge:
    """What `PublishedKnowledge.current` would give."""

    current: ScriptedIndex


def _hit(article_id: str, score: float) -> Hit:
    return Hit(
        article_id=article_id,
        version=1,
        ref=f"KB-{article_id}@v1",
        title=_TITLES[article_id],
        score=score,
        dense=score,
        lexical=score,
        matched=_TITLES[article_id],
        margin=0.02,
    )
