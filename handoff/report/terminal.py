"""The report in a terminal, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from handoff.report.definitions import DEFINITIONS, ENDING_LABELS, ITEMS
from handoff.report.questions import Asked
from handoff.report.report import Report
from handoff.report.wording import exact_words, intent_words, money_words, plain, reason_words, share_words, time_words

MOST_ROWS = 10


def print_report(report: Report, console: Console, asked: Sequence[Asked] | None = None) -> None:
    """Every number; the questions' texts only where they were asked for."""
    as_of = report.as_of.astimezone(report.period.zone)
    console.print(f"[bold]{report.period.name}[/], days in {report.period.zone.key} time, as of {as_of:%d %b %Y %H:%M}")
    for table in _tables(report, asked):
        console.print()
        console.print(table)


def _tables(report: Report, asked: Sequence[Asked] | None) -> Iterable[Table]:
    numbers = ("messages", "public", "private", "answered", "opened", "joined", "silent", "waiting")
    promises = ("promises_told", "promises_kept", "promises_broken", "promises_ended", "promises_running")
    yield _table("Messages", _plain(report, numbers))
    yield _table(DEFINITIONS["silent_rules"].label, _named(report.silent_rules, plain))
    yield _over_time(report)
    yield _conversations(report)
    yield _table("People", _plain(report, ("cases", "open_cases", "breached_cases")))
    yield _table(DEFINITIONS["reasons"].label, _named(report.reasons, reason_words))
    yield _first_replies(report)
    yield _table("Promises", _plain(report, promises))
    yield _table(DEFINITIONS["intents"].label, _named(report.intents, intent_words))
    yield _table(DEFINITIONS["articles"].label, _named(report.articles, str))
    yield _unanswered(report, asked)
    yield _table("Words", _plain(report, ("bot_said", "people_said", "never_said")))
    yield _cost(report)


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    """Names and counts; a line of its own for what does not fit."""
    table = _columns(title, show_header=False)
    table.add_column(ratio=1)
    table.add_column(justify="right")
    listed = list(rows)
    for name, value in listed[:MOST_ROWS]:
        table.add_row(escape(name), value)
    if len(listed) > MOST_ROWS:
        table.add_row(f"[dim]and {len(listed) - MOST_ROWS} more: --json lists them[/]", "")
    if not listed:
        table.add_row("[dim]none[/]", "")
    return table


def _columns(title: str, *, show_header: bool = True) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        show_header=show_header,
        box=None,
        pad_edge=False,
        min_width=44,
    )


def _plain(report: Report, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(DEFINITIONS[name].label, str(getattr(report, name))) for name in names]


def _named(counts: Mapping[str, int], words: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(words(name), str(count)) for name, count in counts.items()]


def _over_time(report: Report) -> Table:
    table = _columns(DEFINITIONS["over_time"].label)
    table.add_column("When")
    for label in ENDING_LABELS.values():
        table.add_column(label, justify="right")
    for bar in report.over_time:
        if any(bar.counts.values()):
            table.add_row(bar.stretch.label, *(str(bar.counts[ending] or "·") for ending in ENDING_LABELS))
    return table


def _conversations(report: Report) -> Table:
    rows = _plain(report, ("conversations", "contained", "abandoned", "handed_over", "only_heard"))
    return _table("Conversations", [*rows, (DEFINITIONS["containment"].label, share_words(report.containment))])


def _first_replies(report: Report) -> Table:
    table = _columns("First replies")
    table.add_column("Who")
    for head in ("Replies", "Median", "9 of 10 within"):
        table.add_column(head, justify="right")
    for name in ("bot_first_reply", "people_first_reply"):
        times = getattr(report, name)
        median, slow = time_words(times.median_ms), time_words(times.p90_ms)
        table.add_row(DEFINITIONS[name].label, str(times.count), median, slow)
    return table


def _unanswered(report: Report, asked: Sequence[Asked] | None) -> Table:
    title = DEFINITIONS["unanswered"].label
    if asked is None:
        return _table(title, [(intent_words(group.intent), str(group.count)) for group in report.unanswered])
    rows: list[tuple[str, str]] = []
    for group in asked:
        rows += [(intent_words(group.intent), str(group.count)), *((f"  {text}", "") for text in group.texts)]
    table = _columns(title, show_header=False)
    for name, value in rows:
        table.add_row(escape(_printable(name)), value)
    return table


def _printable(text: str) -> str:
    """A customer's text without what would steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _cost(report: Report) -> Table:
    table = _columns(DEFINITIONS["cost"].label)
    table.add_column("Item")
    for head in ("Count", "Price", report.cost.currency):
        table.add_column(head, justify="right")
    for line in report.cost.lines:
        table.add_row(ITEMS[line.item], str(line.count), exact_words(line.price), exact_words(line.amount))
    table.add_row("Together", "", "", money_words(report.cost.total, report.cost.currency))
    return table
