"""What a run came to: each figure with its target, for people and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number, and what it should be."""

    key: str
    value: float
    meaning: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether it is what it should be; True without a target."""
        low_enough = self.at_most is None or self.value <= self.at_most
        return low_enough and (self.at_least is None or self.value >= self.at_least)

    @property
    def target(self) -> str:
        """The target as people write it; empty where there is none."""
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return "" if self.at_most is None else f"≤ {self.at_most:,g}"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The raw medians of one run."""

    start_s: float
    ours_per_s: float
    peer_per_s: float
    ours_p95_s: float
    peer_p95_s: float
    ours_growth: float
    peer_growth: float
    rss_mb: float
    rss_before_mb: float
    messages: int
    """Messages to our responder between the two looks at its memory."""
    conditions: dict[str, Any] = field(default_factory=dict)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Everything that is told, in the order in which it is told."""
        return (
            Figure(
                key="throughput_ratio",
                value=self.ours_per_s / self.peer_per_s,
                at_least=1.5,
                meaning=f"turns a second, all customers at once: {self.ours_per_s:.1f} to {self.peer_per_s:.1f}",
            ),
            Figure(
                key="p95_ratio",
                value=self.ours_p95_s / self.peer_p95_s,
                at_most=0.7,
                meaning=f"one customer: 95 % within {self.ours_p95_s * 1000:.0f} ms to {self.peer_p95_s * 1000:.0f} ms",
            ),
            Figure(
                key="turn_growth",
                value=self.ours_growth,
                at_most=1.2,
                meaning="one customer's last turns over the first",
            ),
            Figure(key="peer_turn_growth", value=self.peer_growth, meaning="the same of the peer"),
            Figure(
                key="responder_rss_mb",
                value=max(self.rss_mb, self.rss_before_mb),
                at_most=1100,
                meaning="memory of the responder",
            ),
            Figure(
                key="responder_rss_growth",
                value=self.rss_mb / self.rss_before_mb - 1,
                at_most=0.03,
                meaning=f"its growth over {self.messages:,} messages",
            ),
            Figure(key="start_s", value=self.start_s, meaning="until every process is ready, model trained before"),
        )

    def as_json(self) -> dict[str, Any]:
        """The figures by key, which were missed, and under what conditions they were taken."""
        targets = {figure.key: figure.target for figure in self.figures if figure.target}
        return {
            **{figure.key: round(figure.value, 4) for figure in self.figures},
            "ours_turns_per_s": round(self.ours_per_s, 2),
            "peer_turns_per_s": round(self.peer_per_s, 2),
            "ours_p95_ms": round(self.ours_p95_s * 1000, 1),
            "peer_p95_ms": round(self.peer_p95_s * 1000, 1),
            "targets": targets,
            "missed": [figure.key for figure in self.figures if not figure.is_met],
            "conditions": self.conditions,
        }

    def table(self) -> Table:
        """Everything for the terminal."""
        table = Table("figure", "value", "target", "", "what it is")
        for figure in self.figures:
            verdict = "" if not figure.target else "met" if figure.is_met else "MISSED"
            table.add_row(figure.key, f"{figure.value:.3g}" if figure.value < 1000 else f"{figure.value:,.0f}",
                          figure.target, verdict, figure.meaning)  # fmt: skip
        return table
