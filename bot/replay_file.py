"""A replay file: recorded messages, a JSON object a line, made ready to be posted to our account."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.crowd import Post

LONGEST_TEXT_CHARS = 20_000
MOST_NAMED = 5
_LEADING_HANDLES = re.compile(r"\A([\s.\"'“‘(]*)(?:@\w+[\s,:;]*)+")


class FileRefused(Exception):
    """The file cannot be replayed; the text names the lines and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One recorded message."""

    id: str
    author: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What of a file can be replayed, in its order, and the line numbers that cannot."""

    rows: tuple[Row, ...]
    bad_lines: tuple[int, ...]


def read_recording(path: Path, *, most: int | None = None, skip_bad: bool = False) -> Recording:
    """The first `most` rows of a file; rows may repeat an id. Raises FileRefused."""
    rows: list[Row] = []
    problems: dict[int, str] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if len(rows) == most:
                    break
                if line.strip():
                    row = _row(line)
                    if isinstance(row, Row):
                        rows.append(row)
                    else:
                        problems[number] = row
    except OSError as error:
        raise FileRefused(f"{path} cannot be read: {error.strerror}. Name a file with a JSON object a line.") from None
    if problems and not skip_bad:
        raise FileRefused(f"{path}: {_told(problems)}. Correct them, or leave them out with --skip-bad.")
    if not rows:
        raise FileRefused(
            f'{path} has no rows. Each line should be like {{"id": "1", "author": "a", "text": "Hello"}}.'
        )
    return Recording(rows=tuple(rows), bad_lines=tuple(problems))


def posts_of(rows: Sequence[Row], *, account: str, authors: int | None) -> Iterator[Post]:
    """The rows as posts that mention `account`, their authors folded onto so many handles (None: one for each)."""
    handles: dict[str, str] = {}
    for row in rows:
        number = len(handles) if authors is None else len(handles) % authors
        handle = handles.setdefault(row.author, f"guest{number + 1:05d}")
        yield Post(author=handle, text=addressed(html.unescape(row.text), account), key=row.id)


def addressed(text: str, account: str) -> str:
    """The text with whomever it addresses at its beginning replaced by our account, such as `@KestrelAir`."""
    changed, found = _LEADING_HANDLES.subn(lambda match: f"{match[1]}{account} ", text, count=1)
    if found:
        return changed.rstrip()
    if re.search(rf"(?<!\w){re.escape(account)}(?!\w)", text, re.IGNORECASE):
        return text
    return f"{account} {text}".rstrip()


def _row(line: bytes) -> Row | str:
    """The row on a line, or what is wrong with it."""
    try:
        values = json.loads(line)
    except ValueError:
        return "is not JSON"
    if not isinstance(values, dict):
        return "is not a JSON object"
    for name in ("id", "author", "text"):
        if not isinstance(values.get(name), str) or (name != "text" and not values[name].strip()):
            return f'has no "{name}" in words'
        if any("\ud800" <= char <= "\udfff" for char in values[name]):
            return f'has half a character in "{name}"'
    if len(values["text"]) > LONGEST_TEXT_CHARS:
        return f"has a text of more than {LONGEST_TEXT_CHARS:,} characters"
    return Row(id=values["id"], author=values["author"], text=values["text"])


def _told(problems: dict[int, str]) -> str:
    named = [f"line {number} {problem}" for number, problem in list(problems.items())[:MOST_NAMED]]
    rest = len(problems) - len(named)
    return "; ".join(named) + (f"; and {rest} more" if rest else "")
