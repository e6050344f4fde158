"""The list of metrics tells the truth, and the dashboard asks only for what is on it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.metrics import labels_of, metrics_table, registries

REPO = Path(__file__).parents[2]
LIST = (REPO / "docs/metrics.md").read_text()
DASHBOARD = json.loads((REPO / "deploy/grafana/frontdesk.json").read_text())
NAME = re.compile(r"\b(?:frontdesk|process)_[a-z_]+\b")


def exported() -> dict[str, set[str]]:
    """Every name that a query may use, with its labels."""
    found: dict[str, set[str]] = {}
    for registry in registries().values():
        for family in registry.collect():
            labels = set(labels_of(registry, family.name))
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
            found |= {family.name + ending: labels | ({"le"} if ending == "_bucket" else set()) for ending in endings}
    return found


def queries(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["expr"]] if isinstance(part.get("expr"), str) else []
        return own + [query for value in part.values() for query in queries(value)]
    return [query for one in part for query in queries(one)] if isinstance(part, list) else []


def names_in(query: str) -> set[str]:
    return set(NAME.findall(re.sub(r'"[^"]*"', '""', query)))


def test_the_list_holds_every_exported_metric_and_nothing_else() -> None:
    assert metrics_table().strip() in LIST
    rows = [line.split("`")[1] for line in LIST.splitlines() if re.match(r"\| `(frontdesk|process)_[a-z_]+` \|", line)]
    assert sorted(rows) == sorted(set(rows))
    assert set(rows) == {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported()}


def test_every_metric_says_in_a_sentence_what_it_is() -> None:
    for registry in registries().values():
        for family in registry.collect():
            assert re.fullmatch(r"[A-Z0-9].{10,}\.", family.documentation), family.name


def test_the_dashboard_asks_for_exported_metrics_only() -> None:
    asked = queries(DASHBOARD)
    assert len(asked) > 15
    for query in asked:
        assert names_in(query), query
        assert names_in(query) <= set(exported()), query


def test_the_dashboard_shows_every_metric_of_ours() -> None:
    asked = {name for query in queries(DASHBOARD) for name in names_in(query)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported() if name.startswith("frontdesk_")}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} >= families


@pytest.mark.parametrize("query", queries(DASHBOARD))
def test_a_query_uses_only_labels_that_its_metrics_have(query: str) -> None:
    allowed = {label for name in names_in(query) for label in exported()[name]} | {"instance"}
    grouped = {
        label.strip() for group in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", query) for label in group.split(",")
    }
    matched = set(re.findall(r"[{,]\s*([a-z_]+)(?:=~|!=|!~|=)", query))
    assert grouped | matched <= allowed


@pytest.mark.parametrize("query", queries(DASHBOARD))
def test_a_query_is_closed_where_it_was_opened(query: str) -> None:
    for opening, closing in ("()", "[]", "{}"):
        assert query.count(opening) == query.count(closing)


def test_the_alerts_of_the_list_ask_for_exported_metrics_only() -> None:
    alerts = LIST.partition("## Worth an alert")[2]
    rows = [line.split("`")[1] for line in alerts.splitlines() if line.startswith("| `")]
    assert len(rows) >= 5
    for query in rows:
        assert names_in(query) <= set(exported()), query


def test_panels_of_the_dashboard_do_not_lie_upon_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
