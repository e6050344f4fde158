"""A problem in what an editor wrote: where it is, what is wrong, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a problem keeps the knowledge from being published."""

    ERROR = "error"  # publishing is refused
    WARNING = "warning"  # published, but worth an editor's look


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One finding of the check; `line` counts from 1 and is None where only the file is known."""

    file: str
    message: str
    remedy: str
    line: int | None = None
    field: str | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f" {self.field}:" if self.field else ""
        return f"{where}:{field} {self.message} {self.remedy}"

    def as_dict(self) -> dict[str, object]:
        """The problem as JSON for other programs."""
        return {
            "file": self.file,
            "line": self.line,
            "field": self.field,
            "severity": str(self.severity),
            "message": self.message,
            "remedy": self.remedy,
        }


def errors_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems that keep the knowledge from being published."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
