"""What `frontdesk ask` prints: understood, evidence, decision, each in a frame."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.ask import Asked
from handoff.words import Outcome

_OUTCOMES = {
    Outcome.ANSWERED: "The bot answers",
    Outcome.CASE_OPENED: "A case opens: a person takes over",
    Outcome.JOINED: "It joins the open case",
    Outcome.SILENT: "Deliberately silent",
}


def print_asked(asked: Asked, console: Console) -> None:
    """Prints it for people; every text is printed as it is, never read as markup."""
    console.print(Panel(_understood(asked), title="understood", title_align="left"))
    console.print(Panel(_evidence(asked), title="evidence", title_align="left"))
    console.print(Panel(_decision(asked), title="decision", title_align="left", border_style="bold"))


def _understood(asked: Asked) -> RenderableType:
    understood = asked.understanding
    rows = _rows()
    _row(rows, "intent", f"{understood.intent or 'none'}, {understood.certainty:.0%} certain")
    others = [f"{name} {score:.0%}" for name, score in understood.ranking[1:4]]
    _row(rows, "else", ", ".join(others))
    _row(rows, "found", ", ".join(f"{name}: {value}" for name, value in understood.entities.items()) or "nothing")
    _row(
        rows, "most like", f"“{understood.nearest}” ({understood.similarity:.2f})" if understood.nearest else "nothing"
    )
    return rows


def _evidence(asked: Asked) -> RenderableType:
    parts: list[RenderableType] = []
    evidence = asked.evidence
    if evidence:
        rows = _rows()
        _row(rows, "rule", evidence.rule)
        _row(rows, "words", evidence.matched or "")
        if evidence.score is not None:
            needed = f", {evidence.threshold:.2f} needed" if evidence.threshold is not None else ""
            _row(rows, "score", f"{evidence.score:.2f}{needed}")
        _row(rows, "detail", evidence.detail or "")
        parts.append(rows)
    if asked.understanding.hits:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("article", "score", "its nearest question"):
            table.add_column(name)
        for hit in asked.understanding.hits[:3]:
            table.add_row(Text(hit.ref), f"{hit.score:.2f}", Text(hit.matched))
        decided = asked.understanding.decision
        parts.append(table)
        parts.append(Text(f"{decided.kind}: {decided.probability:.0%} sure that the first one answers", style="dim"))
    return Group(*parts) if parts else Text("none")


def _decision(asked: Asked) -> RenderableType:
    turn = asked.turn
    why = turn.case.reason if turn.case else turn.rule
    parts: list[RenderableType] = [Text(_OUTCOMES[turn.outcome] + (f" ({why})" if why else ""), style="bold")]
    for entry in turn.entries:
        source = f", from {', '.join(entry.articles)}" if entry.articles else ""
        parts.append(Text(f"\n{entry.place}{source}", style="dim"))
        parts.append(Text(entry.text))
    return Group(*parts)


def _rows() -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    return rows


def _row(rows: Table, name: str, value: str) -> None:
    if value:
        rows.add_row(name, Text(value))
