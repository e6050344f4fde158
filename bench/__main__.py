"""`make bench`: measures our responder beside the bot that `rasa init` makes, and says what was met and missed."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console

from bench.figures import Measured
from bench.program import ProgramFailed
from bench.run import benchmark
from bench.side import NotAnswered
from bench.sizes import FULL, QUICK, Sizes
from bot.embedded_redis import NoRedis
from bot.own_stack import Interrupted
from bot.preparation import CannotStart
from bot.settings import SettingsError, read_settings
from bot.supervisor import SupervisorGone
from bot.watch import NotReady

REFUSALS = (
    CannotStart, Interrupted, NoRedis, NotAnswered, NotReady, OSError, ProgramFailed, SettingsError, SupervisorGone,
)  # fmt: skip


def main() -> int:
    """Exit code 0 when everything was measured, whether or not the targets are met."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts: whether it works, not how fast it is")
    parser.add_argument("--out", type=Path, help="where the figures go; else bench.json in the folder of everything")
    for one in fields(Sizes):
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=int, metavar="N", help=f"{getattr(FULL, one.name)}")
    asked = vars(parser.parse_args())
    given = {one.name: asked[one.name] for one in fields(Sizes) if asked[one.name]}
    console = Console(stderr=True, highlight=False)
    try:
        settings = read_settings()
        measured = benchmark(settings, replace(QUICK if asked["quick"] else FULL, **given), say=console.print)
        _tell(measured, asked["out"] or settings.var / "bench.json")
    except REFUSALS as error:
        print(f"bench: {error or 'stopped'}", file=sys.stderr)
        return 1
    return 0


def _tell(measured: Measured, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(measured.as_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console = Console(highlight=False)
    console.print(measured.table())
    for name, value in measured.conditions.items():
        console.print(f"{name}: {value}", markup=False)
    console.print(f"Kept in {out}.")


if __name__ == "__main__":
    sys.exit(main())
