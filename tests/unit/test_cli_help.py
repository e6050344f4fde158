"""The command line: every subcommand says what it does, and `--json` means JSON alone."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bot.cli import app

ROOT = typer.main.get_command(app)
TOP = ROOT.list_commands(None)  # type: ignore[attr-defined]
PROMISED = {
    *("up", "channel", "responder", "desk", "sandbox", "train", "ask", "doctor", "prepare", "replay", "report"),
    *("agent", "knowledge"),
}
KNOWLEDGE = [("knowledge", name) for name in ("check", "publish", "import", "export")]
AGENT = [("agent", name) for name in ("add", "list")]


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb", **environment},
    )


def test_all_promised_commands_are_there() -> None:
    assert set(TOP) >= PROMISED


def test_help_lists_every_command_with_a_line() -> None:
    shown = _run("--help").stdout
    for name in TOP:
        assert re.search(rf"{name}\s+[A-Z][^│]{{20,}}", shown), f"{name} has no line in --help"


@pytest.mark.parametrize("command", [*((name,) for name in TOP), *KNOWLEDGE, *AGENT], ids=" ".join)
def test_a_command_explains_itself(command: tuple[str, ...]) -> None:
    done = _run(*command, "--help")
    assert done.returncode == 0, done.stderr
    text = done.stdout.partition("Usage:")[2].partition("Options")[0]
    sentences = re.findall(r"[A-Z][^.:]{15,}[.:]", text.partition("\n\n")[2] or text)
    assert sentences, f"{' '.join(command)} says too little:\n{text}"


def test_json_stands_alone_on_standard_output() -> None:
    done = _run("knowledge", "check", "--json")
    assert json.loads(done.stdout)["problems"] == []


def test_a_bad_setting_ends_in_one_line_that_names_it() -> None:
    done = _run("desk", FRONTDESK_DESK_PORT="door")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith('frontdesk: FRONTDESK_DESK_PORT is "door"')


def test_a_process_without_any_redis_says_where_to_get_one(tmp_path: Path) -> None:
    done = _run("desk", FRONTDESK_VAR=str(tmp_path), FRONTDESK_DESK_PORT="18427")
    assert done.returncode == 1
    assert "Run `frontdesk up`, or set REDIS_URL." in done.stderr
