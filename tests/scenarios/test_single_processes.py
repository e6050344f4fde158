"""Single processes and `frontdesk ask`, run as an operator runs them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def var(tmp_path: Path, trained_model: Path) -> Path:
    """A folder that holds nothing but the trained model."""
    shutil.copytree(trained_model.parent, tmp_path / "var" / "models")
    return tmp_path / "var"


def _environment(var: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("FRONTDESK_", "X_", "REDIS_", "TF_"))
    }
    return {**kept, "FRONTDESK_VAR": str(var), "OMP_NUM_THREADS": "1", **more}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(name: str, environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "bot.cli", name], env=environment, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _troubles(port: int) -> dict[str, str] | None:
    """What `/readyz` says, or None while nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return dict(json.load(answer)["troubles"])
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error)["troubles"])
    except OSError:
        return None


def _until(look: Callable[[], Any], limit_s: float = 90.0) -> Any:
    deadline = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def test_a_responder_that_is_stopped_gives_its_leases_back_at_once(var: Path, redis_url: str, tmp_path: Path) -> None:
    port = _free_port()
    environment = _environment(var, REDIS_URL=redis_url, FRONTDESK_RESPONDER_PORT=str(port))
    with (
        redis.Redis.from_url(redis_url, decode_responses=True) as client,
        _running("responder", environment, tmp_path / "responder.log") as process,
    ):
        _until(lambda: len(client.keys("*:lease:responder")) == 16)
        told = _until(lambda: _troubles(port))
        assert told == {"knowledge": "No knowledge is published yet; run `frontdesk knowledge publish`."}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert client.keys("*:lease:responder") == []


def test_a_responder_without_a_model_says_how_to_get_one(tmp_path: Path, redis_url: str) -> None:
    environment = _environment(
        tmp_path / "empty", REDIS_URL=redis_url, FRONTDESK_RESPONDER_PORT=str(_free_port()), FRONTDESK_LOG_LEVEL="error"
    )
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "responder"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("Run `frontdesk train`.")
    assert "Traceback" not in done.stderr


def test_a_desk_waits_for_redis_and_says_so(tmp_path: Path) -> None:
    port = _free_port()
    environment = _environment(tmp_path, REDIS_URL=f"redis://127.0.0.1:{_free_port()}/0", FRONTDESK_DESK_PORT=str(port))
    with _running("desk", environment, tmp_path / "desk.log") as process:
        told = _until(lambda: _troubles(port))
        assert "Redis does not answer" in told["redis"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_ask_needs_nothing_that_runs_and_its_second_answer_is_quicker(var: Path) -> None:
    first = _ask(var, "how heavy may my hand luggage be", "private")
    assert first["understood"]["intent"] == "ask_knowledge"
    assert first["evidence"]["articles"][0]["article"].startswith("KB-")
    assert first["decision"]["outcome"] == "answered"
    second = _ask(var, "I will sue you", "public", said="")
    assert second["decision"]["outcome"] == "case_opened"
    assert second["decision"]["reason"] == "legal"
    assert second["evidence"]["rule"] == "sensitive:legal"


def _ask(var: Path, text: str, place: str, *, said: str | None = None) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "ask", text, "--place", place, "--json"],
        env=_environment(var),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if said is not None:
        assert done.stderr == said
    told: dict[str, Any] = json.loads(done.stdout)
    return told
