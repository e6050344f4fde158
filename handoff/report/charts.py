"""Charts as plain SVG, drawn by pygal here; colours and fonts come from the page's style sheet alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

from handoff.report.definitions import ENDING_LABELS
from handoff.report.report import ENDINGS, Bar

WIDE, NARROW = 960, 360
MOST_BARS = 8
LONGEST_LABEL_CHARS = 28
ROOM_FOR_VALUES = 1.15
LABELS_IN_A_ROW = {WIDE: 12, NARROW: 5}
DRAWN_WITH = {  # no scripts, no styles, nothing from elsewhere: the page's policy allows neither
    "js": (),
    "css": (),
    "disable_xml_declaration": True,
    "no_prefix": True,
    "show_legend": False,
    "print_values": False,
    "explicit_size": False,
    "rounded_bars": 2,
    "margin": 4,
    "spacing": 6,
    "show_minor_x_labels": False,
    "show_minor_y_labels": True,
    "truncate_label": -1,
}


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart, drawn for a desk and for a phone."""

    wide: Markup
    narrow: Markup


def over_time(bars: tuple[Bar, ...]) -> Chart:
    """Messages by hour or day, stacked by how they ended."""

    def draw(width: int) -> Markup:
        every = -(-len(bars) // LABELS_IN_A_ROW[width])
        labels = [bar.stretch.label for bar in bars]
        chart = pygal.StackedBar(
            **_settings(width, height=260 if width == WIDE else 200),
            x_labels=labels,
            x_labels_major=labels[::every],
            show_x_guides=False,
        )
        _whole_numbers(chart, max((sum(bar.counts.values()) for bar in bars), default=0))
        for ending in ENDINGS:
            chart.add(ENDING_LABELS[ending], [bar.counts[ending] for bar in bars])
        return _drawn(chart)

    return Chart(wide=draw(WIDE), narrow=draw(NARROW))


def ranked(counts: Mapping[str, int]) -> Chart:
    """The highest counts as bars with their names; names must be words of ours, not of customers."""
    shown = list(counts.items())[:MOST_BARS]

    def draw(width: int) -> Markup:
        height = 34 + 30 * len(shown)
        chart = pygal.HorizontalBar(
            **{**_settings(width, height=height), "print_values": True, "spacing": 10},
            print_values_position="top",
            range=(0, max(count for _, count in shown) * ROOM_FOR_VALUES),
            x_labels=[_short(name) for name, _ in reversed(shown)],
            show_x_labels=False,
        )
        chart.value_formatter = str
        chart.add("", [count for _, count in reversed(shown)])
        return _drawn(chart)

    return Chart(wide=draw(WIDE), narrow=draw(NARROW))


def _settings(width: int, *, height: int) -> dict[str, Any]:
    """The font sizes let pygal keep room for labels; the style sheet sets the same."""
    style = Style(label_font_size=12, major_label_font_size=12, value_font_size=12)
    return {**DRAWN_WITH, "width": width, "height": height, "style": style}


def _whole_numbers(chart: Any, highest: int) -> None:
    """Four or fewer lines, at whole numbers."""
    step = max(1, -(-highest // 4))
    chart.y_labels = list(range(0, max(highest, 1) + step, step))
    chart.value_formatter = lambda value: f"{value:g}"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL_CHARS else name[: LONGEST_LABEL_CHARS - 1] + "…"


def _drawn(chart: Any) -> Markup:
    """The SVG without what the page's policy would refuse, hidden from screen readers: a table says the same."""
    chart.add_xml_filter(_plain)
    return Markup(chart.render(is_unicode=True))


def _plain(root: Any) -> Any:
    for parent in list(root.iter()):
        parent.attrib.pop("style", None)
        for child in list(parent):
            if not isinstance(child.tag, str) or _is_unwanted(child):
                parent.remove(child)
    for node in root.iter():
        _rename_classes(node)
    root.attrib.pop("id", None)  # it would be empty
    root.attrib.update({"aria-hidden": "true", "focusable": "false"})
    return root


def _rename_classes(node: Any) -> None:
    """The classes of a chart are its own: `bar` is also the head of the page."""
    if classes := node.attrib.pop("class", "").split():
        node.attrib["class"] = " ".join(f"chart-{name}" for name in classes)


def _is_unwanted(node: Any) -> bool:
    name = node.tag.rpartition("}")[2]
    return name in {"style", "script", "title", "desc"} or "tooltip" in node.get("class", "").split()
