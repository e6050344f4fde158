"""A finding: one thing that was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's report."""

    what: str
    level: Level
    """`bad`: it cannot work so; `warn`: it works, but not as it should or not yet."""
    said: str
    remedy: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"what": self.what, "level": self.level, "said": self.said, "remedy": self.remedy}


def ok(what: str, said: str) -> Finding:
    """All is well."""
    return Finding(what=what, level="ok", said=said)


def warn(what: str, said: str, remedy: str) -> Finding:
    """Worth a look."""
    return Finding(what=what, level="warn", said=said, remedy=remedy)


def bad(what: str, said: str, remedy: str) -> Finding:
    """Must be mended."""
    return Finding(what=what, level="bad", said=said, remedy=remedy)
