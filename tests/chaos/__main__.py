"""`make chaos`: kills processes at work, and counts what was lost, said twice or said out of order."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

from bot.embedded_redis import NoRedis
from bot.own_stack import Interrupted
from bot.preparation import CannotStart
from bot.settings import SettingsError, read_settings
from bot.supervisor import SupervisorGone
from bot.watch import NotReady
from tests.chaos.house import MomentMissed
from tests.chaos.phases import PHASES
from tests.chaos.run import Chaos, ChaosReport


def main() -> int:
    """Exit code 0 only when nothing was lost, said twice or out of order."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--customers", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="the same choices again")
    parser.add_argument("--only", help="only phases whose victim or name contains this")
    parser.add_argument("--keep", action="store_true", help="keep the store and the logs, and say where")
    asked = parser.parse_args()
    console = Console(highlight=False)
    phases = [phase for phase in PHASES if not asked.only or asked.only in f"{phase.victim}: {phase.name}"]
    if not phases:
        parser.error(f"no phase is called {asked.only!r}")
    try:
        chaos = Chaos(
            read_settings(),
            seed=asked.seed,
            kills=asked.kills,
            messages=asked.messages,
            customers=asked.customers,
            keep=asked.keep,
            say=lambda text: console.print(text, markup=False),
        )
        report = chaos.run(phases)
    except (CannotStart, Interrupted, MomentMissed, NoRedis, NotReady, SettingsError, SupervisorGone) as error:
        print(f"chaos: {error or 'stopped'}", file=sys.stderr)
        return 1
    _show(report, console)
    return 0 if report.is_clean else 1


def _show(report: ChaosReport, console: Console) -> None:
    table = Table(
        "killed", "while", "kills", "in flight: messages + replies + commands", title="kill -9, each of a ready process"
    )
    counts = Counter((kill.phase.victim, kill.phase.name) for kill in report.kills)
    for (victim, name), count in sorted(counts.items()):
        flights = [kill.in_flight for kill in report.kills if (kill.phase.victim, kill.phase.name) == (victim, name)]
        table.add_row(victim, name, str(count), ", ".join(f"{one.waiting}+{one.unsaid}+{one.held}" for one in flights))
    console.print(table)
    found = report.audit
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in found.outcomes.items())
    entries = ", ".join(f"{count} {state}" for state, count in found.entries.items())
    refused = "".join(f" Not said, {rule}: {count}." for rule, count in found.blocked.items())
    console.print(f"{len(report.kills)} kills in {report.seconds:.0f} s. {report.messages} messages: {outcomes}.")
    console.print(f"Replies: {entries}.{refused}")
    console.print(f"The agent's replies: {report.agent_replies}; forms sent again: {report.forms_repeated}.")
    console.print(
        f"lost {found.lost + report.agent_lost}   duplicated {found.duplicated + report.agent_duplicated}   "
        f"out of order {found.order_violations}",
        style="bold green" if report.is_clean else "bold red",
    )
    console.print(f"Thoughts typed in three messages: {report.thoughts}, not answered as one: {len(report.in_parts)}.")
    for what in (*found.evidence, *report.in_parts):
        console.print(f"  {what}", markup=False)


if __name__ == "__main__":
    sys.exit(main())
