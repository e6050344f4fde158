"""What `frontdesk up` says of its children: ready, ended, keeps ending. Real processes, no waiting without end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.supervisor import Child, Supervisor
from bot.watch import NotReady, Watch

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


@contextmanager
def _watching(watch: Watch, stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _until(look: Callable[[], bool], limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not look():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_child_that_ended_is_told_once_with_its_log_and_again_when_it_is_back(tmp_path: Path) -> None:
    said: list[str] = []
    stop = threading.Event()
    with _supervised(tmp_path, SLEEPER) as supervisor:
        watch = Watch(supervisor, {}, say=said.append, stop=stop, look_s=0.05)
        watch.until_ready(limit_s=30, began=time.monotonic())
        assert said == ["sleeper is ready."]
        with _watching(watch, stop):
            os.kill(supervisor.states()["sleeper"].pid, signal.SIGKILL)
            _until(lambda: len(said) >= 3)
    ended = f"sleeper ended and is started again. Its log: {tmp_path / 'logs' / 'sleeper.log'}"
    assert said == ["sleeper is ready.", ended, "sleeper is ready."]


def test_a_child_that_keeps_ending_fails_the_start_with_its_own_last_word(tmp_path: Path) -> None:
    wrong = Child(name="wrong", command=(sys.executable, "-c", "import sys; sys.exit('frontdesk: Eat your greens.')"))
    with _supervised(tmp_path, wrong) as supervisor:
        watch = Watch(supervisor, {}, say=lambda line: None, stop=threading.Event(), look_s=0.05)
        with pytest.raises(NotReady) as failed:
            watch.until_ready(limit_s=60, began=time.monotonic())
    log = tmp_path / "logs" / "wrong.log"
    assert str(failed.value) == f"wrong keeps ending while it starts. Eat your greens. Its log: {log}"


def test_a_child_that_never_answers_fails_the_start_in_time(tmp_path: Path) -> None:
    with _supervised(tmp_path, SLEEPER) as supervisor:
        watch = Watch(supervisor, {"sleeper": ("127.0.0.1", 9)}, say=lambda line: None, stop=threading.Event())
        with pytest.raises(NotReady, match=r"sleeper is not ready after 3 s: it does not answer yet"):
            watch.until_ready(limit_s=3, began=time.monotonic())
