"""`frontdesk up` as a newcomer starts it: real processes on free ports, in a folder of their own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from tests.support.sandbox import MIA, TOM

T = TypeVar("T")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
PORTS = ("DESK", "SANDBOX", "CHANNEL", "RESPONDER", "REDIS")
WORKERS = ("channel", "responder", "desk", "sandbox")
LONGEST_START_S = 30
MOST_MEMORY_BYTES = 1.1e9
CUSTOMERS = (MIA, TOM)
QUESTIONS = (
    "lowest return fare from London to Paris",
    "how heavy may my cabin bag be?",
    "where is my order?",
    "can I take my dog on board?",
    "when are you open?",
    "are you a bot?",
    "do you sell meals on board?",
    "I want to talk to a person",
)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory, trained_model: Path) -> Path:
    """A folder that holds nothing but the trained model."""
    folder = tmp_path_factory.mktemp("up") / "var"
    shutil.copytree(trained_model.parent, folder / "models")
    return folder


@dataclass
class Run:
    """One `frontdesk up` and what it said."""

    process: "subprocess.Popen[str]"
    ports: dict[str, int]
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def children(self) -> dict[str, psutil.Process]:
        """The running children of its supervisor, by name."""
        found = {}
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = process.cmdline()
            except psutil.NoSuchProcess:
                continue
            if line[1:3] == ["-m", "bot.cli"]:
                found[line[3]] = process
            elif (line and line[0].endswith("redis-server")) or "redis-server" in " ".join(line[:1]):
                found["redis"] = process
        return found

    def is_ready(self, name: str) -> bool:
        """What `/readyz` of a process says."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def _up(var: Path, **more: str) -> Iterator[Run]:
    ports = _free_ports()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "X_", "REDIS_"))},
        **{f"FRONTDESK_{name}_PORT": str(ports[name.lower()]) for name in PORTS},
        "FRONTDESK_VAR": str(var),
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "up"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    run = Run(process=process, ports=ports)
    reading = threading.Thread(target=_read, args=(process, run.lines))
    reading.start()
    try:
        yield run
    finally:
        _end(process)
        reading.join()
        if process.stdout:
            process.stdout.close()


def _read(process: "subprocess.Popen[str]", lines: list[str]) -> None:
    for line in process.stdout or ():
        lines.append(line.rstrip("\n"))


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports() -> dict[str, int]:
    probes = [socket.socket() for _ in PORTS]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {name.lower(): probe.getsockname()[1] for name, probe in zip(PORTS, probes, strict=True)}
    finally:
        for probe in probes:
            probe.close()


def _until(look: Callable[[], T], run: Run, limit_s: float = 120.0) -> T:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not happen in time; `frontdesk up` said:\n{run.said}"
        assert run.process.poll() is None, f"`frontdesk up` ended:\n{run.said}"
        time.sleep(0.05)
    return found


def _ready_seconds(run: Run) -> int:
    _until(lambda: "Frontdesk is ready" in run.said, run, limit_s=200)
    found = re.search(r"Frontdesk is ready \((\d+) s\)", run.said)
    assert found
    return int(found[1])


def test_all_are_ready_the_killed_come_back_and_ctrl_c_leaves_nobody_behind(
    var: Path, record_property: Callable[[str, object], None]
) -> None:
    with _up(var) as run:
        record_property("first_start_s", _ready_seconds(run))
        assert f"http://127.0.0.1:{run.ports['sandbox']}/" in run.said
        assert "sign in as ana or ben, password kestrel-demo" in run.said
        assert all(run.is_ready(name) for name in WORKERS)
        for name in ("responder", "channel", "redis"):
            _kill_and_see_it_return(run, name)
        everybody = [*run.children().values(), *psutil.Process(run.process.pid).children(recursive=True)]
    assert run.process.returncode == 0, run.said
    assert "Stopped. Everything is kept in" in run.lines[-1]
    assert [process for process in everybody if process.is_running()] == []


def _kill_and_see_it_return(run: Run, name: str) -> None:
    killed = run.children()[name]
    killed.kill()
    _until(lambda: (back := run.children().get(name)) and back.pid != killed.pid, run)
    _until(lambda: f"{name} ended and is started again." in run.said, run)
    _until(lambda: all(run.is_ready(worker) for worker in WORKERS), run)


def test_a_second_start_trains_nothing_is_quick_and_stays_small(
    var: Path, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with _up(var) as run:
        seconds = _ready_seconds(run)
        _talk(run)
        memory = run.children()["responder"].memory_info().rss
    record_property("start_with_a_trained_model_s", seconds)
    record_property("responder_rss_bytes", memory)
    with capsys.disabled():
        print(f"\nall processes were ready {seconds} s after the start ({LONGEST_START_S} s are allowed)")
        print(f"the responder held {memory / 1e9:.2f} GB after {len(QUESTIONS)} turns (of {MOST_MEMORY_BYTES / 1e9:g})")
    assert "Training" not in run.said
    assert "Publishing" not in run.said
    assert seconds <= LONGEST_START_S or _started_again(var) <= LONGEST_START_S
    assert memory <= MOST_MEMORY_BYTES


def _started_again(var: Path) -> int:
    """Another start: whatever else the machine did during the first only adds to it."""
    with _up(var) as run:
        return _ready_seconds(run)


def _talk(run: Run) -> None:
    """Customers ask, one after the other, and each is answered: the responder has everything loaded that it uses."""
    for number, question in enumerate(QUESTIONS, start=1):
        _sandbox(run, "posts", author=CUSTOMERS[number % len(CUSTOMERS)], text=f"@KestrelAir {question}")
        _until(partial(_has_said, run, number), run)


def _has_said(run: Run, count: int) -> bool:
    return len(_sandbox(run, "sent")["sent"]) >= count


def _sandbox(run: Run, path: str, **wish: str) -> dict[str, Any]:
    """A command of the sandbox's control plane; without a wish it only asks."""
    body = json.dumps(wish).encode() if wish else None
    address = f"http://127.0.0.1:{run.ports['sandbox']}/_sim/{path}"
    asked = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=5) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def test_a_second_frontdesk_in_the_same_folder_is_refused_in_one_line(var: Path) -> None:
    with _up(var) as first:
        _until(lambda: (var / "up.lock").exists() and first.children(), first)
        with _up(var) as second:
            second.process.wait(timeout=60)
    [line] = second.lines
    assert f"Frontdesk already runs in {var} (process {first.process.pid})." in line
    assert second.process.returncode == 1


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = listener.getsockname()[1]
        with _up(tmp_path, FRONTDESK_SANDBOX_PORT=str(number)) as run:
            run.process.wait(timeout=60)
    [line] = run.lines
    assert f"Port {number} (the sandbox) is taken by " in line
    assert "set FRONTDESK_SANDBOX_PORT to a free port." in line
    assert run.process.returncode == 1
    assert not (tmp_path / "logs").exists()


def test_a_redis_that_is_not_there_is_told_in_one_line(var: Path) -> None:
    dead = _free_ports()["redis"]
    with _up(var, REDIS_URL=f"redis://:hunter2@127.0.0.1:{dead}/0") as run:
        run.process.wait(timeout=90)
    assert run.process.returncode == 1
    assert run.lines[-1].startswith("frontdesk: Redis does not answer")
    assert run.lines[-1].endswith("Start it, or correct REDIS_URL.")
    assert "hunter2" not in run.said


def test_ctrl_c_during_the_start_stops_it(var: Path) -> None:
    with _up(var) as run:
        _until(lambda: "responder" in run.children(), run)
        everybody = psutil.Process(run.process.pid).children(recursive=True)
        run.process.send_signal(signal.SIGINT)
        run.process.wait(timeout=60)
        gone, alive = psutil.wait_procs(everybody, timeout=10)
    assert run.process.returncode == 0, run.said
    assert alive == []
    assert len(gone) == len(everybody)


def test_when_up_itself_is_killed_everything_else_ends(var: Path) -> None:
    with _up(var) as run:
        _until(lambda: set(run.children()) >= {"redis", "sandbox", "desk"}, run)
        everybody = psutil.Process(run.process.pid).children(recursive=True)
        run.process.kill()
        run.process.wait()
        gone, alive = psutil.wait_procs(everybody, timeout=60)
    assert alive == []
    assert len(gone) == len(everybody)
