"""The golden set: reading it, and judging what came of a question. tests/golden/README.md defines every word."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bot.answer import Answer
from handoff.ledger import Turn
from handoff.words import Entry, Outcome, Place

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = ("article", "fare", "order", "hours", "small_talk", "person", "unanswerable", "silent")
VERDICTS = ("right", "wrong", "abstained", "handed_over")
ASKED_BACK = ("knowledge_clarify", "not_understood", "off_topic", "acknowledgement")
NOTHING_YET = (*ASKED_BACK, "fare_part_missing", "order_details_missing")
"""Rules of answers after which the customer has to go on."""
_RULES = {
    "fare": ("fare", "fare_part_missing"),
    "order": (
        "private_only",
        "private_not_possible",
        "order_details_missing",
        "order_verified",
        "order_not_verified",
    ),
    "hours": ("hours",),
    "abstained": ASKED_BACK,
    "small_talk": ("fixed_words", "thanks"),
}


@dataclass(frozen=True, kw_only=True)
class GoldenQuestion:
    """One line of questions.jsonl."""

    id: str
    text: str
    place: Place
    kind: str
    expected: tuple[str, ...]
    also: tuple[str, ...]

    @property
    def articles(self) -> frozenset[str]:
        """The articles that answer it."""
        others = {other.removeprefix("article:") for other in self.also if other.startswith("article:")}
        return frozenset(others | (set(self.expected) if self.kind == "article" else set()))


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one question."""

    question: GoldenQuestion
    verdict: str
    did: str
    detail: str

    @property
    def line(self) -> str:
        """For a list."""
        asked, wanted = self.question, " or ".join(self.question.expected) or "-"
        return f"{asked.id} {asked.kind}/{wanted} → {self.did} {self.detail}: {asked.text}"


def read_questions() -> list[GoldenQuestion]:
    """The frozen questions."""
    lines = (GOLDEN / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [_question(json.loads(line)) for line in lines]


def read_conversations() -> list[dict[str, Any]]:
    """The frozen conversations."""
    conversations: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(GOLDEN / "conversations.yml")
    return conversations


def listed(value: str | list[str] | None) -> tuple[str, ...]:
    """One, several or none as a tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def normalised(text: str) -> str:
    """A text without case, handles, hashtags and punctuation; as it is where nothing would be left."""
    plain = re.sub(r"[@#]\w+", "", unicodedata.normalize("NFKC", text).lower())
    return " ".join(re.findall(r"\w+", plain)) or text


def articles_of(entries: Iterable[Entry]) -> set[str]:
    """The ids of the articles that something said came from."""
    return {ref.partition("@")[0].removeprefix("KB-") for entry in entries for ref in entry.articles}


def judged(question: GoldenQuestion, turn: Turn, answer: Answer | None) -> Result:
    """One question's result."""
    did, detail = _did(turn, answer)
    return Result(question=question, verdict=_verdict(question, did, detail), did=did, detail=detail)


def table(results: Sequence[Result]) -> str:
    """The counts per kind, and how many in a hundred."""
    lines = [f"{'kind':<13}{'all':>5}" + "".join(f"{verdict:>13}" for verdict in VERDICTS)]
    for kind in (*KINDS, "all"):
        chosen = [one for one in results if kind in ("all", one.question.kind)]
        counts = Counter(one.verdict for one in chosen)
        cells = "".join(f"{counts[v]:>6} {100 * counts[v] / max(1, len(chosen)):>5.1f}%" for v in VERDICTS)
        lines.append(f"{kind:<13}{len(chosen):>5}{cells}")
    return "\n".join(lines)


def share(results: Iterable[Result], verdict: str) -> float:
    """How large a part ended like this, 0..1."""
    verdicts = [one.verdict for one in results]
    return verdicts.count(verdict) / len(verdicts)


def _question(row: dict[str, Any]) -> GoldenQuestion:
    told = {"expected": listed(row["expected"]), "also": listed(row.get("also")), "place": Place(row["place"])}
    return GoldenQuestion(id=row["id"], text=row["text"], kind=row["kind"], **told)


def _did(turn: Turn, answer: Answer | None) -> tuple[str, str]:
    """What was done, in the words of the kinds, and with what."""
    if turn.case is not None:
        return "person", str(turn.case.reason)
    if turn.opted_out is not None:
        return "small_talk", "stop" if turn.opted_out else "start"
    if turn.outcome is Outcome.SILENT:
        return "silent", turn.rule or ""
    articles = sorted(articles_of(turn.entries))
    if articles:
        return "article", " ".join(articles)
    rule = answer.evidence.rule if answer else turn.rule or ""
    for kind, rules in _RULES.items():
        if rule in rules:
            return kind, rule
    raise AssertionError(f"An answer by the rule {rule!r} has no place in the golden set's words; give it one.")


def _verdict(question: GoldenQuestion, did: str, detail: str) -> str:
    if did == "article":
        return "right" if question.articles & set(detail.split()) else "wrong"
    if _is_right(question, did, detail):
        return "right"
    if did == "person":
        return "handed_over"
    if did == "abstained" or (question.kind == "unanswerable" and did == "small_talk"):
        return "abstained"
    return "wrong"


def _is_right(question: GoldenQuestion, did: str, detail: str) -> bool:
    opts = {"stop", "start"}
    if question.kind == "small_talk" and (opts & set(question.expected) or detail in opts):
        return detail in question.expected
    if question.kind == "unanswerable" and did in ("abstained", "silent"):
        return True
    if question.kind in ("small_talk", "silent") and detail == "acknowledgement":
        return True
    if question.kind == "small_talk" and did == "silent":
        return True
    return (did == question.kind or did in question.also) and detail not in opts
