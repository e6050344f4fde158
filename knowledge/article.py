"""One article: an answer in words, with the questions it answers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Sensitivity(StrEnum):
    """Where an article may be said by the bot."""

    OPEN = "open"  # anywhere: the public wording in public, the private wording in private
    PRIVATE = "private"  # the public wording only invites into private; the answer itself stays there
    PERSON = "person"  # never by the bot: the agent who gets the case sees it as a suggestion


@dataclass(frozen=True, kw_only=True)
class Article:
    """An answer as an editor wrote it; the wordings may still contain `{{ fact.name("key") }}`."""

    id: str
    title: str
    questions: tuple[str, ...]
    public: str
    private: str
    owner: str
    link: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    sensitivity: Sensitivity = Sensitivity.OPEN
    language: str = "en"

    def is_valid(self, now: datetime) -> bool:
        """Whether `now` lies within the article's validity window (its end excluded)."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now < self.valid_to)

    def as_dict(self) -> dict[str, Any]:
        """The article as JSON, the form it is published and exported in."""
        return {
            "id": self.id,
            "title": self.title,
            "questions": list(self.questions),
            "public": self.public,
            "private": self.private,
            "owner": self.owner,
            "link": self.link,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
            "sensitivity": str(self.sensitivity),
            "language": self.language,
        }

    def fingerprint(self) -> str:
        """The same for the same content, so that a new version is counted only when something changed."""
        text = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def article_from_dict(data: Mapping[str, Any]) -> Article:
    """The article that `as_dict` gave; for published content, which was checked before (KeyError otherwise)."""
    return Article(
        id=data["id"],
        title=data["title"],
        questions=tuple(data["questions"]),
        public=data["public"],
        private=data["private"],
        owner=data["owner"],
        link=data["link"],
        valid_from=_time(data["valid_from"]),
        valid_to=_time(data["valid_to"]),
        sensitivity=Sensitivity(data["sensitivity"]),
        language=data["language"],
    )


@dataclass(frozen=True, kw_only=True)
class PublishedArticle:
    """An article with the version under which it was published; the version grows only when it changes."""

    article: Article
    version: int

    @property
    def ref(self) -> str:
        """What an answer records as its source, for example `KB-pets@v3`."""
        return f"KB-{self.article.id}@v{self.version}"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
