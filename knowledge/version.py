"""One version of the knowledge as it is published: articles, facts, gate, calibration; immutable."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from knowledge.article import PublishedArticle, article_from_dict
from knowledge.confidence import Calibration, Gate, calibration_from_dict
from knowledge.facts import Facts, facts_from_dict

SCHEMA = 1
RETRIEVAL = 1
"""Grows whenever scores are computed in another way: a calibration holds for the scores it was fitted on."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """Everything that is answered from, apart from the vectors, which are stored beside it."""

    number: int
    published_at: datetime
    published_by: str
    encoder_name: str
    encoder_revision: str
    articles: tuple[PublishedArticle, ...]
    facts: Facts
    gate: Gate
    off_topic: tuple[str, ...]
    calibration: Calibration
    retrieval: int = RETRIEVAL

    def to_json(self) -> str:
        """The version as it is stored."""
        document = {
            "schema": SCHEMA,
            "number": self.number,
            "published_at": self.published_at.isoformat(),
            "published_by": self.published_by,
            "encoder": {"name": self.encoder_name, "revision": self.encoder_revision},
            "retrieval": self.retrieval,
            "articles": [{"version": published.version, **published.article.as_dict()} for published in self.articles],
            "facts": self.facts.as_dict(),
            "gate": asdict(self.gate),
            "off_topic": list(self.off_topic),
            "calibration": self.calibration.as_dict(),
        }
        return json.dumps(document, ensure_ascii=False)

    def fingerprint(self) -> str:
        """The same for the same content, whoever published it and when."""
        content = {
            "articles": [published.article.as_dict() for published in self.articles],
            "facts": self.facts.as_dict(),
            "gate": asdict(self.gate),
            "off_topic": list(self.off_topic),
            "made_with": [SCHEMA, self.retrieval, self.encoder_name, self.encoder_revision],
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def version_from_json(text: str | bytes) -> Version:
    """The version that `to_json` gave; raises ValueError, KeyError or TypeError for anything else."""
    data: dict[str, Any] = json.loads(text)
    if (data["schema"], data["retrieval"]) != (SCHEMA, RETRIEVAL):
        raise ValueError("it was published by another release")
    return Version(
        number=data["number"],
        published_at=datetime.fromisoformat(data["published_at"]),
        published_by=data["published_by"],
        encoder_name=data["encoder"]["name"],
        encoder_revision=data["encoder"]["revision"],
        articles=tuple(
            PublishedArticle(article=article_from_dict(item), version=item["version"]) for item in data["articles"]
        ),
        facts=facts_from_dict(data["facts"]),
        gate=Gate(**data["gate"]),
        off_topic=tuple(data["off_topic"]),
        calibration=calibration_from_dict(data["calibration"]),
    )
