"""Facts: values with a validity window (a fee, an opening time), kept in tables and never typed twice."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from knowledge.problem import Problem

COLUMNS = ("key", "value", "valid_from", "valid_to")
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_VALUE_CHARS = 80


class FactMissing(LookupError):
    """A fact that an article names has no value at this time; the article must not be answered."""


@dataclass(frozen=True, kw_only=True)
class FactRow:
    """One value and when it holds; an open end is None."""

    key: str
    value: str
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether the value holds at `now` (the end of the window excluded)."""
        return (self.valid_from is None or self.valid_from <= now) and (self.valid_to is None or now < self.valid_to)


@dataclass(frozen=True, kw_only=True)
class FactTable:
    """All rows of one fact, for example the fee of a bag by its weight."""

    name: str
    rows: tuple[FactRow, ...]

    def value(self, key: str, now: datetime) -> str:
        """The value of `key` at `now`; raises FactMissing when there is none, or none any more."""
        for row in self.rows:
            if row.key == key and row.holds(now):
                return row.value
        raise FactMissing(f"{self.name}({key!r}) has no value at {now.isoformat()}")

    def has(self, key: str) -> bool:
        """Whether the table knows the key at any time."""
        return any(row.key == key for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All fact tables of one version of the knowledge, by name."""

    tables: Mapping[str, FactTable] = field(default_factory=lambda: MappingProxyType({}))

    def value(self, name: str, key: str, now: datetime) -> str:
        """The value of a fact at `now`; raises FactMissing."""
        table = self.tables.get(name)
        if table is None:
            raise FactMissing(f"there is no table of facts named {name!r}")
        return table.value(key, now)

    def moments(self) -> tuple[datetime, ...]:
        """Every time at which a value begins to hold, oldest first."""
        starts = {row.valid_from for table in self.tables.values() for row in table.rows if row.valid_from}
        return tuple(sorted(starts))

    def as_dict(self) -> dict[str, list[dict[str, str | None]]]:
        """The tables as JSON, the form they are published and exported in."""
        return {name: [_row_as_dict(row) for row in table.rows] for name, table in self.tables.items()}


def facts_from_dict(data: Mapping[str, Any]) -> Facts:
    """The facts that `as_dict` gave; for published content, which was checked before."""
    tables = {}
    for name, rows in data.items():
        parsed = tuple(
            FactRow(
                key=row["key"],
                value=row["value"],
                valid_from=_time(row["valid_from"] or ""),
                valid_to=_time(row["valid_to"] or ""),
            )
            for row in rows
        )
        tables[name] = FactTable(name=name, rows=parsed)
    return Facts(tables=MappingProxyType(tables))


def table_as_csv(table: FactTable) -> str:
    """The table as the CSV file that an editor keeps."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: v or "" for k, v in _row_as_dict(row).items()} for row in table.rows)
    return out.getvalue()


def parse_table(file: str, name: str, text: str) -> tuple[FactTable | None, list[Problem]]:
    """Read one CSV table; the table is None when nothing of it can be used."""
    if not TABLE_NAME.fullmatch(name):
        remedy = "Rename it with small letters, digits and underscores, for example pet_fee.csv."
        return None, [Problem(file=file, message=f"{name!r} is no name for a table.", remedy=remedy)]
    lines = csv.DictReader(io.StringIO(text), strict=True)
    try:
        records = [(lines.line_num, record) for record in lines]
    except csv.Error as error:
        remedy = "Check the quotation marks and commas of that line."
        return None, [Problem(file=file, line=lines.line_num, message=f"is not CSV: {error}.", remedy=remedy)]
    if tuple(lines.fieldnames or ()) != COLUMNS:
        remedy = f"Write {','.join(COLUMNS)} as the first line."
        return None, [Problem(file=file, line=1, message="has other columns than a table of facts.", remedy=remedy)]
    problems: list[Problem] = []
    rows = tuple(row for line, record in records if (row := _parse_row(file, line, record, problems)))
    problems.extend(_overlaps(file, rows))
    if not rows and not problems:
        problems.append(Problem(file=file, message="has no rows.", remedy="Add one, or delete the file."))
    return FactTable(name=name, rows=rows), problems


def _parse_row(file: str, line: int, record: Mapping[str, Any], problems: list[Problem]) -> FactRow | None:
    def wrong(field: str | None, message: str, remedy: str) -> None:
        problems.append(Problem(file=file, line=line, field=field, message=message, remedy=remedy))

    if None in record or any(record[column] is None for column in COLUMNS):
        wrong(None, "has not four columns.", "Put text that contains a comma into quotation marks.")
        return None
    value = str(record["value"]).strip()
    if not 0 < len(value) <= MAX_VALUE_CHARS:
        wrong("value", "is empty or too long.", f"Write 1 to {MAX_VALUE_CHARS} characters.")
        return None
    window: dict[str, datetime | None] = {}
    for column in ("valid_from", "valid_to"):
        try:
            window[column] = _time(str(record[column]).strip())
        except ValueError as error:
            wrong(column, f"{error}.", "Write it like 2026-04-01T00:00:00+00:00.")
            return None
    if window["valid_from"] and window["valid_to"] and window["valid_from"] >= window["valid_to"]:
        wrong("valid_to", "is not after valid_from.", "Correct one of the two.")
        return None
    return FactRow(key=str(record["key"]).strip(), value=value, **window)


def _overlaps(file: str, rows: tuple[FactRow, ...]) -> Iterator[Problem]:
    """Two values of one key at the same time: nobody could say which is right."""
    by_key: dict[str, list[FactRow]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    for key, same in by_key.items():
        same.sort(key=lambda row: row.valid_from.timestamp() if row.valid_from else float("-inf"))
        for earlier, later in pairwise(same):
            if earlier.valid_to is None or later.valid_from is None or later.valid_from < earlier.valid_to:
                remedy = "End the earlier row with a valid_to where the later one begins."
                yield Problem(file=file, field="key", message=f"{key!r} has two values at one time.", remedy=remedy)


def _time(text: str) -> datetime | None:
    """An aware time, or None for an open end; raises ValueError with what is wrong."""
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time") from None
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time


def _row_as_dict(row: FactRow) -> dict[str, str | None]:
    return {
        "key": row.key,
        "value": row.value,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
    }
