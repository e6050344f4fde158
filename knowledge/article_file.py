"""An article as the Markdown file that an editor keeps: front matter, `## Public`, `## Private`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import yaml

from knowledge.article import Article, Sensitivity
from knowledge.problem import Problem, Severity
from knowledge.wording import PRIVATE_LIMIT, has_unwanted_characters

MAX_FILE_BYTES = 64_000
MIN_QUESTIONS = 5
MAX_QUESTIONS = 60
MAX_QUESTION_CHARS = 200
MAX_TITLE_CHARS = 60
ARTICLE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_REQUIRED = ("id", "title", "questions", "owner")
_OPTIONAL = ("link", "valid_from", "valid_to", "sensitivity", "language")
_SECTIONS = ("Public", "Private")


def parse_article(file: str, text: str) -> tuple[Article | None, list[Problem]]:
    """Read one article; it is None when any error was found."""
    reading = _Reading(file=file)
    front, body, body_line = _split(reading, text)
    if front is None:
        return None, reading.problems
    values = reading.mapping(front)
    if values is None:
        return None, reading.problems
    sections = _sections(reading, body, body_line)
    article = _article(reading, values, sections)
    failed = any(problem.severity is Severity.ERROR for problem in reading.problems)
    return (None if failed else article), reading.problems


def article_as_markdown(article: Article) -> str:
    """The article as the file that `parse_article` reads."""
    values = article.as_dict()
    front = {key: values[key] for key in (*_REQUIRED, *_OPTIONAL) if values[key] is not None}
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100)
    return f"---\n{head}---\n\n## Public\n\n{article.public}\n\n## Private\n\n{article.private}\n"


@dataclass(kw_only=True)
class _Reading:
    """What is known while one file is read: its problems so far and the line of each field."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def wrong(self, message: str, remedy: str, name: str | None = None, line: int | None = None) -> None:
        at = line if line is not None else self.lines.get(name or "")
        self.problems.append(Problem(file=self.file, line=at, field=name, message=message, remedy=remedy))

    def mapping(self, front: str) -> dict[str, Any] | None:
        """The front matter as a mapping with the line of each key; None when it is no YAML mapping."""
        try:
            node = yaml.compose(front, Loader=yaml.SafeLoader)
            values = yaml.safe_load(front)
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # such as 2026-13-01, or [[[[…
            self._not_yaml(error)
            return None
        if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
            self.wrong("has no fields in its front matter.", "Write lines like 'title: Pets in the cabin'.", line=2)
            return None
        for key, _ in node.value:
            line = key.start_mark.line + 2
            if key.value in self.lines:
                self.wrong("is written twice.", "Delete one of them.", key.value, line)
            self.lines.setdefault(str(key.value), line)
            if key.value not in _REQUIRED + _OPTIONAL:
                known = ", ".join(_REQUIRED + _OPTIONAL)
                self.wrong("is an unknown field.", f"Known fields are {known}.", str(key.value), line)
        return values

    def _not_yaml(self, error: Exception) -> None:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        remedy = "Correct that line; text with a colon, a hash or quotes needs quotation marks around it."
        self.wrong(f"the front matter is not YAML: {what}.", remedy, line=mark.line + 2 if mark else None)

    def text(self, values: Mapping[str, Any], name: str, limit: int) -> str:
        """A required line of text; the empty string after a problem."""
        value = values.get(name)
        if value is None or value == "":
            self.wrong("is missing.", f"Add a line '{name}: …' to the front matter.", name)
        elif not isinstance(value, str):
            self.wrong("is not text.", "Put it into quotation marks.", name)
        elif len(value.strip()) > limit or "\n" in value.strip() or has_unwanted_characters(value):
            self.wrong("is too long or has control characters.", f"Write one line, up to {limit} characters.", name)
        else:
            return value.strip()
        return ""

    def time(self, values: Mapping[str, Any], name: str) -> datetime | None:
        """An aware time, or None where the window is open."""
        value = values.get(name)
        if value is None:
            return None
        remedy = "Write it with hour and time zone, like 2026-04-01T00:00:00+00:00."
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                self.wrong(f"{str(value)[:40]!r} is no time.", remedy, name)
                return None
        if not isinstance(value, datetime):
            what = "has no time of day and no time zone." if isinstance(value, date) else "is no time."
            self.wrong(what, remedy, name)
        elif value.tzinfo is None:
            self.wrong("has no time zone.", remedy, name)
        else:
            return value
        return None


def _split(reading: _Reading, text: str) -> tuple[str | None, str, int]:
    """Front matter, body, and the line the body begins at."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if not lines or lines[0].rstrip() != "---":
        reading.wrong("does not begin with front matter.", "Begin the file with a line '---'.", line=1)
        return None, "", 1
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 2
    reading.wrong("the front matter has no end.", "Close it with a line '---'.", line=1)
    return None, "", 1


def _sections(reading: _Reading, body: str, first_line: int) -> dict[str, str]:
    """The text under `## Public` and `## Private`; lines of a paragraph become one."""
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(body.split("\n"), start=first_line):
        if line.startswith("#"):
            name = line.lstrip("#").strip()
            if line.split()[0] != "##" or name not in _SECTIONS or name in sections:
                reading.wrong(f"has the heading {line[:40]!r}.", "Use '## Public' and '## Private', once.", line=number)
            current = sections.setdefault(name, [])
            reading.lines.setdefault(name.lower(), number)
        elif current is not None:
            current.append(line.strip())
        elif line.strip():
            reading.wrong("has text before '## Public'.", "Move it under a heading.", line=number)
            current = []
    return {name: _paragraphs(sections.get(name, [])) for name in _SECTIONS}


def _paragraphs(lines: list[str]) -> str:
    """One line per paragraph and per list item, paragraphs parted by an empty line."""
    out: list[str] = []
    for line in lines:
        continues = bool(out) and bool(out[-1]) and bool(line) and not line.startswith("- ")
        if continues:
            out[-1] = f"{out[-1]} {line}"
        elif line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip()


def _article(reading: _Reading, values: Mapping[str, Any], sections: Mapping[str, str]) -> Article | None:
    article_id = reading.text(values, "id", 60)
    if article_id and not ARTICLE_ID.fullmatch(article_id):
        reading.wrong("is no id.", "Write small letters, digits and hyphens, like 'lost-baggage'.", "id")
    valid_from, valid_to = reading.time(values, "valid_from"), reading.time(values, "valid_to")
    if valid_from and valid_to and valid_from >= valid_to:
        reading.wrong("is not after valid_from.", "Correct one of the two.", "valid_to")
    for name in _SECTIONS:
        _check_section(reading, name, sections[name])
    return Article(
        id=article_id,
        title=reading.text(values, "title", MAX_TITLE_CHARS),
        questions=_questions(reading, values.get("questions")),
        public=" ".join(sections["Public"].split()),
        private=sections["Private"],
        owner=reading.text(values, "owner", 60),
        link=_link(reading, values.get("link")),
        valid_from=valid_from,
        valid_to=valid_to,
        sensitivity=_sensitivity(reading, values.get("sensitivity", "open")),
        language=_language(reading, values.get("language", "en")),
    )


def _check_section(reading: _Reading, name: str, text: str) -> None:
    if not text:
        reading.wrong("wording is missing.", f"Write it under a heading '## {name}'.", name.lower())
    elif has_unwanted_characters(text):
        reading.wrong("wording has control characters.", "Type the text anew.", name.lower())
    elif name == "Private" and len(text) > PRIVATE_LIMIT:
        reading.wrong(f"wording has {len(text)} characters.", f"Shorten it to {PRIVATE_LIMIT} or fewer.", "private")


def _questions(reading: _Reading, value: Any) -> tuple[str, ...]:
    """Five or more example questions, each different."""
    if not isinstance(value, list) or len(value) < MIN_QUESTIONS:
        count = len(value) if isinstance(value, list) else 0
        remedy = f"List at least {MIN_QUESTIONS} different ways in which customers ask for this."
        reading.wrong(f"has {count} example questions." if count else "is missing.", remedy, "questions")
        return ()
    if len(value) > MAX_QUESTIONS:
        reading.wrong(f"has {len(value)} entries.", f"Keep the {MAX_QUESTIONS} most different.", "questions")
        return ()
    questions: dict[str, str] = {}
    for number, question in enumerate(value, start=1):
        if not isinstance(question, str) or not question.strip():
            reading.wrong(f"number {number} is not text.", "Put it into quotation marks.", "questions")
        elif len(question) > MAX_QUESTION_CHARS or has_unwanted_characters(question):
            remedy = f"Write one line of up to {MAX_QUESTION_CHARS} characters."
            reading.wrong(f"number {number} is too long or has control characters.", remedy, "questions")
        elif question.casefold().strip() in questions:
            reading.wrong(f"number {number} is there twice.", "Replace it by another wording.", "questions")
        else:
            questions[question.casefold().strip()] = " ".join(question.split())
    return tuple(questions.values())


def _link(reading: _Reading, value: Any) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= 300 else None
    except ValueError:
        parts = None
    if parts is None or parts.scheme != "https" or not parts.hostname or " " in str(value):
        reading.wrong("is no web address.", "Write one that begins with https://, or delete the line.", "link")
        return None
    return str(value)


def _sensitivity(reading: _Reading, value: Any) -> Sensitivity:
    try:
        return Sensitivity(value)
    except ValueError:
        reading.wrong(f"{str(value)[:40]!r} is unknown.", f"Write one of {', '.join(Sensitivity)}.", "sensitivity")
        return Sensitivity.PERSON


def _language(reading: _Reading, value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z]{2}", value):
        return value
    reading.wrong("is no language code.", "Write two small letters, like 'en'; for 'no' use quotes.", "language")
    return "en"
