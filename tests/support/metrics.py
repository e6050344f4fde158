"""Every metric there is, as the list in docs/metrics.md has it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from bot.metrics import BacklogMetrics, DeliveryMetrics, IngressMetrics, ProcessMetrics, ResponderMetrics


def metrics_table() -> str:
    """All metrics as the Markdown table of docs/metrics.md."""
    lines = ["| metric | type | labels | process | what it says |", "|---|---|---|---|---|"]
    for process, registry in registries().items():
        for family in sorted(registry.collect(), key=lambda family: family.name):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in labels_of(registry, family.name)) or "–"
            lines.append(f"| `{name}` | {family.type} | {labels} | {process} | {family.documentation} |")
    return "\n".join(lines) + "\n"


def registries() -> dict[str, CollectorRegistry]:
    """Fresh registries that together hold every metric once, by the process that exports it."""
    every, found = ProcessMetrics("any").registry, {"channel": CollectorRegistry()}
    IngressMetrics(found["channel"])
    DeliveryMetrics(found["channel"])
    for process, kind in (("responder", ResponderMetrics), ("desk", BacklogMetrics)):
        found[process] = CollectorRegistry()
        kind(found[process])
    return {"every": every, **found}


def labels_of(registry: CollectorRegistry, family: str) -> tuple[str, ...]:
    """The labels of a metric, also while it has no values yet."""
    collector = registry._names_to_collectors.get(family)
    return tuple(getattr(collector, "_labelnames", ()))
