"""A small recording goes through every real process, and nothing is lost, doubled or disordered."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

REPO = Path(__file__).parents[2]
TEXTS = (
    "@OtherAir how heavy may my suitcase be?",
    "@OtherAir may I bring a guitar on board?",
    "@OtherAir what does a return to Lisbon cost in June?",
    "@OtherAir I am furious, three hours in a queue &amp; nobody talks to us",
    "@OtherAir please put me through to a person",
    "@OtherAir thanks a lot",
    "@OtherAir",
    "the sunset from seat 12A was worth it",
    "STOP",
)
ROWS, REPEATED, AUTHORS = 40, 5, 10


def recording() -> list[dict[str, str]]:
    dice = Random(40)
    rows = [
        {"id": f"r{number}", "author": f"author{dice.randrange(14)}", "text": dice.choice(TEXTS)}
        for number in range(ROWS - REPEATED)
    ]
    for _ in range(REPEATED):
        rows.insert(dice.randrange(10, len(rows)), rows[dice.randrange(8)])
    return rows


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in recording()), encoding="utf-8")
    return path


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """Where the replay makes its folder; a short path, because it holds a socket."""
    with tempfile.TemporaryDirectory(prefix="fd-") as folder:
        yield Path(folder)


def started(rows: Path, temporary: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bot.cli", "replay", str(rows), "--limits", "off", "--authors", str(AUTHORS)]
    return subprocess.Popen(
        [*command, "--json"],
        cwd=REPO,
        env={**os.environ, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_in(folder: Path) -> list[str]:
    """The command lines of whatever works in this folder; Redis overwrites all traces but its working directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            told = f"{command} {os.readlink(process / 'cwd')} {(process / 'environ').read_text(errors='replace')}"
        except OSError:
            continue
        if command and str(folder) in told:
            found.append(command)
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("trained_model")
def test_a_recording_is_replayed_without_a_fault(rows_file: Path, temporary: Path) -> None:
    replay = started(rows_file, temporary)
    told, progress = replay.communicate(timeout=280)
    assert replay.returncode == 0, progress + told
    report: dict[str, Any] = json.loads(told)
    assert (report["lost"], report["duplicated"], report["order_violations"]) == (0, 0, 0), report["evidence"]
    assert (report["rows"], report["repeated"], report["customers"]) == (ROWS, REPEATED, AUTHORS)
    handled = [report[outcome] for outcome in ("answered", "case_opened", "joined", "silent")]
    assert report["received"] == sum(handled) == ROWS - REPEATED
    assert report["complete"]
    assert report["unfinished_replies"] == 0
    assert report["entries"]["sent"] > 0
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]
    assert "with an outcome" in progress
    assert list(temporary.glob("frontdesk-*")) == []
    assert processes_in(temporary) == []


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.usefixtures("trained_model")
def test_ctrl_c_takes_every_process_and_file_away(rows_file: Path, temporary: Path) -> None:
    replay = started(rows_file, temporary)
    deadline = time.monotonic() + 100
    while not all(any(name in command for command in processes_in(temporary)) for name in ("redis", "responder")):
        assert replay.poll() is None, replay.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    replay.send_signal(signal.SIGINT)
    told, said = replay.communicate(timeout=90)
    assert replay.returncode == 1
    assert told == ""
    assert "Stopped" in said.splitlines()[-1]
    assert processes_in(temporary) == []
    assert list(temporary.glob("frontdesk-*")) == []


def test_a_bad_file_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1", "author": "a", "text": "Hi"}\n{"id": \n')
    replay = started(path, tmp_path)
    told, said = replay.communicate(timeout=60)
    assert replay.returncode == 1
    assert told == ""
    [line] = said.splitlines()
    assert "line 2 is not JSON" in line
