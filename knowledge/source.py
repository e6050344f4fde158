"""A folder of articles and facts, read and checked: what the next version of the knowledge is made from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from knowledge.article import Article
from knowledge.article_file import MAX_FILE_BYTES, parse_article
from knowledge.check import check_together
from knowledge.confidence import Gate
from knowledge.facts import Facts, FactTable, parse_table
from knowledge.gate import parse_gate, parse_off_topic
from knowledge.problem import Problem, errors_of

T = TypeVar("T")

DEFAULT_FOLDER = Path(__file__).parent
"""The articles and facts that come with Frontdesk."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Everything read from a folder; articles with errors are left out and named in `problems`."""

    articles: tuple[Article, ...]
    facts: Facts
    gate: Gate | None  # None: gate.yml has errors
    off_topic: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep this from being published."""
        return errors_of(self.problems)


def read_source(folder: Path, now: datetime) -> Source:
    """Read articles, facts, gate and off-topic lines of a folder; bad content becomes problems.

    A folder without its own `gate.yml` or `calibration/off_topic.yml` uses those that come with Frontdesk.
    """
    problems: list[Problem] = []
    facts = _read_facts(folder / "facts", problems)
    named = _read_articles(folder / "articles", problems)
    problems.extend(check_together(named, facts, now))
    gate = _parse(_own_or_default(folder, "gate.yml"), parse_gate, problems)
    off_topic = _parse(_own_or_default(folder, "calibration/off_topic.yml"), parse_off_topic, problems)
    broken = {problem.file for problem in errors_of(problems)}
    return Source(
        articles=tuple(article for file, article in named if file not in broken),
        facts=facts,
        gate=gate,
        off_topic=off_topic or (),
        problems=tuple(problems),
    )


def _read_articles(folder: Path, problems: list[Problem]) -> list[tuple[str, Article]]:
    """Every article that can be read, with its file; of two with one id, the first."""
    files = sorted(folder.glob("*.md"))
    if not files:
        remedy = "Put articles (*.md) there, or name another folder."
        problems.append(Problem(file=_shown(folder), message="has no articles.", remedy=remedy))
    found: dict[str, tuple[str, Article]] = {}
    for path in files:
        article = _parse(path, parse_article, problems)
        if article is None:
            continue
        file, _ = found.setdefault(article.id, (_shown(path), article))
        if file != _shown(path):
            message, remedy = f"{article.id!r} is taken by {file}.", "Give one of the two another id."
            problems.append(Problem(file=_shown(path), field="id", message=message, remedy=remedy))
    return list(found.values())


def _own_or_default(folder: Path, name: str) -> Path:
    own = folder / name
    return own if own.exists() else DEFAULT_FOLDER / name


def _parse(path: Path, parse: Callable[[str, str], tuple[T, list[Problem]]], problems: list[Problem]) -> T | None:
    """What a parser makes of a file; its problems are added to the others."""
    text = _read_text(path, problems)
    if text is None:
        return None
    value, found = parse(_shown(path), text)
    problems.extend(found)
    return value


def _read_facts(folder: Path, problems: list[Problem]) -> Facts:
    tables: dict[str, FactTable] = {}
    for path in sorted(folder.glob("*.csv")):
        text = _read_text(path, problems)
        if text is None:
            continue
        table, found = parse_table(_shown(path), path.stem, text)
        problems.extend(found)
        if table is not None:
            tables[table.name] = table
    return Facts(tables=MappingProxyType(tables))


def _read_text(path: Path, problems: list[Problem]) -> str | None:
    """A file's text; a problem instead when it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        remedy = "Make the file readable, or delete it."
        problems.append(Problem(file=_shown(path), message=f"cannot be read: {error.strerror}.", remedy=remedy))
        return None
    if len(content) > MAX_FILE_BYTES:
        message, remedy = f"has {len(content)} bytes.", f"Keep it below {MAX_FILE_BYTES}."
        problems.append(Problem(file=_shown(path), message=message, remedy=remedy))
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        remedy = "Save it with the encoding UTF-8."
        problems.append(Problem(file=_shown(path), line=line, message="is not UTF-8.", remedy=remedy))
        return None


def _shown(path: Path) -> str:
    """The path as a person would type it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
