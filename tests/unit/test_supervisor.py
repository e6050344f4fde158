"""The supervisor: what dies is started again, what is stopped may finish, nothing is left behind."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from bot.embedded_redis import EmbeddedRedis
from bot.supervisor import Child, Supervisor, SupervisorGone

T = TypeVar("T")
SLEEPER = Child(name="sleeper", command=(sys.executable, "-c", "import time; time.sleep(600)"))


@contextmanager
def _supervised(folder: Path, *children: Child) -> Iterator[Supervisor]:
    supervisor = Supervisor(children, logs=folder / "logs", environment=dict(os.environ))
    supervisor.start()
    try:
        for child in children:
            supervisor.start_child(child.name)
        yield supervisor
    finally:
        supervisor.stop()


def _until(look: Callable[[], T], limit_s: float = 20.0) -> T:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def _python(folder: Path, name: str, script: str, *, is_store: bool = False) -> Child:
    file = folder / f"{name}.py"
    file.write_text(script)
    return Child(name=name, command=(sys.executable, str(file)), is_store=is_store)


def _log(supervisor: Supervisor, name: str) -> str:
    file = supervisor.log_of(name)
    return file.read_text() if file.exists() else ""


def _pid(supervisor: Supervisor, name: str) -> int:
    return supervisor.states()[name].pid


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    with _supervised(tmp_path, SLEEPER) as supervisor:
        first = _until(lambda: _pid(supervisor, "sleeper"))
        _until(lambda: supervisor.states()["sleeper"].state == "RUNNING")
        os.kill(first, signal.SIGKILL)
        second = _until(lambda: (pid := _pid(supervisor, "sleeper")) != first and pid)
        assert psutil.pid_exists(second)


def test_a_child_that_dies_at_once_is_given_up_and_its_words_are_in_its_log(tmp_path: Path) -> None:
    wrong = Child(name="wrong", command=(sys.executable, "-c", "import sys; sys.exit('no 50% model; here')"))
    with _supervised(tmp_path, wrong) as supervisor:
        _until(lambda: supervisor.states()["wrong"].state == "FATAL", limit_s=60)
        assert "no 50% model; here" in supervisor.log_of("wrong").read_text()


def test_stopping_lets_a_child_finish_and_takes_what_it_left_behind(tmp_path: Path) -> None:
    script = f"""
import signal, subprocess, sys, time, pathlib
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path({str(tmp_path / "left")!r}).write_text(str(left.pid))
def end(*_):
    time.sleep(0.5)
    pathlib.Path({str(tmp_path / "done")!r}).write_text("finished")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True: time.sleep(1)
"""
    with _supervised(tmp_path, _python(tmp_path, "careful", script)) as supervisor:
        _until(lambda: "ready" in _log(supervisor, "careful"))
        left = psutil.Process(int((tmp_path / "left").read_text()))
    assert (tmp_path / "done").read_text() == "finished"
    _until(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE)


def test_the_store_ends_after_those_who_write_to_it(tmp_path: Path) -> None:
    def script(name: str) -> str:
        return f"""
import signal, sys, time
def end(*_):
    open({str(tmp_path / "order")!r}, "a").write({name!r} + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True: time.sleep(1)
"""

    store = _python(tmp_path, "store", script("store"), is_store=True)
    with _supervised(tmp_path, store, _python(tmp_path, "writer", script("writer"))) as supervisor:
        _until(lambda: "ready" in _log(supervisor, "store") and "ready" in _log(supervisor, "writer"))
    assert (tmp_path / "order").read_text().split() == ["writer", "store"]


def test_when_supervisord_itself_is_killed_that_is_told_and_its_children_end(tmp_path: Path) -> None:
    with _supervised(tmp_path, SLEEPER) as supervisor:
        pid = _until(lambda: _pid(supervisor, "sleeper"))
        psutil.Process(pid).parent().kill()
        with pytest.raises(SupervisorGone, match=r"supervisord.log"):
            _until(lambda: bool(supervisor.states()) and False)
    _until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_the_embedded_redis_keeps_what_it_confirmed_and_wants_its_password(tmp_path: Path) -> None:
    import redis

    port = _free_port()
    embedded = EmbeddedRedis(tmp_path, port=port)
    for expected in (None, b"kept"):
        with (
            _supervised(tmp_path, Child(name="redis", command=tuple(embedded.prepare()), is_store=True)) as supervisor,
            redis.Redis.from_url(embedded.url) as client,
        ):
            _until(lambda client=client: _answers(client))
            assert client.get("word") == expected
            client.set("word", "kept")
            os.kill(_pid(supervisor, "redis"), signal.SIGKILL)
    with pytest.raises(redis.ConnectionError):
        redis.Redis(port=port).ping()
    assert (tmp_path / "redis" / "password").stat().st_mode & 0o077 == 0


def _answers(client: object) -> bool:
    import redis

    try:
        return bool(client.ping())  # type: ignore[attr-defined]
    except redis.RedisError:
        return False


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
