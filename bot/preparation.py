"""What must be there before the processes can work: a trained model, published knowledge, the order book."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis

from actions.order_book import build_order_book
from bot.folder import Folder
from knowledge import keys
from knowledge.encoder import MiniLmEncoder
from knowledge.source import DEFAULT_FOLDER

Say = Callable[[str], None]


class CannotStart(Exception):
    """Something that only the operator can change is in the way; the text says what to do."""


class Stopped(Exception):
    """The operator asked to stop while things were still starting."""


class Preparation:
    """Makes what is missing or out of date, each in a process of its own: torch and Rasa never enter this one."""

    def __init__(
        self,
        folder: Folder,
        environment: Mapping[str, str],
        *,
        say: Say,
        stop: threading.Event,
        articles: Path | None = None,
    ) -> None:
        """`articles`: the folder of the knowledge; Frontdesk's own where it is not given."""
        self._folder = folder
        self._environment = dict(environment)
        self._say = say
        self._stop = stop
        self._articles = articles or DEFAULT_FOLDER

    def train(self) -> None:
        """Trains the model if its inputs changed."""
        told = self._command("train", "Training the assistant, once until its inputs change", "train", "--json")
        if told["trained"]:
            self._say(f"The model is trained ({told['seconds']:.0f} s).")

    def order_book(self) -> None:
        """Writes the demo's order book if there is none."""
        if not self._folder.orders.exists():
            self._say(f"The order book is written: {build_order_book(self._folder.orders)} orders.")

    def publish(self, redis_url: str) -> None:
        """Publishes the articles in files if nothing is published, or if they changed since we published them.

        What an editor published meanwhile is never replaced by files that are older.
        """
        files = _fingerprint(self._articles)
        current = _current_version(redis_url)
        record = self._record()
        if current and record.get("version") != current:
            if record and record["files"] != files:
                self._say(
                    f"The article files changed, but version {current} was published by other means and stays. "
                    "To publish the files: frontdesk knowledge publish"
                )
            return
        if current and record["files"] == files:
            return
        told = self._command(
            "publish",
            "Publishing the knowledge",
            *("knowledge", "publish", "--json", "--by", "files", "--expected", str(current)),
            *("--folder", str(self._articles)),
        )
        self._folder.publication.write_text(json.dumps({"files": files, "version": told["version"]}))
        self._say(f"Version {told['version']} of the knowledge is published.")

    def _record(self) -> dict[str, Any]:
        try:
            record = json.loads(self._folder.publication.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return record if isinstance(record, dict) and {"files", "version"} <= record.keys() else {}

    def _command(self, name: str, what: str, *arguments: str) -> dict[str, Any]:
        """What a command of ours prints as JSON; its log goes to a file. Raises CannotStart, Stopped."""
        log = self._folder.logs / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C reaches only us
            )
            output = self._wait(process, what)
        if process.returncode:
            raise CannotStart(f"{what} failed: {_last_line(log)} The whole story: {log}")
        told = json.loads(output)
        if not isinstance(told, dict):
            raise CannotStart(f"{what}: {output[:80]!r} was not expected. The whole story: {log}")
        return told

    def _wait(self, process: subprocess.Popen[bytes], what: str) -> bytes:
        """Its output when it ended by itself; says every few seconds that it is still at work."""
        began = time.monotonic()
        told_s = 2.0
        while True:
            try:
                return process.communicate(timeout=0.1)[0]
            except subprocess.TimeoutExpired:
                elapsed_s = time.monotonic() - began
            if self._stop.is_set():
                process.terminate()
                process.communicate()
                raise Stopped
            if elapsed_s >= told_s:
                self._say(f"{what} … {elapsed_s:.0f} s")
                told_s += 10.0


def _current_version(redis_url: str) -> int:
    with redis.Redis.from_url(redis_url, socket_timeout=5) as client:
        return int(client.get(keys.CURRENT) or 0)  # type: ignore[arg-type]  # redis-py types sync and async as one


def _fingerprint(folder: Path) -> str:
    """Changes whenever a file of the knowledge or the encoder does."""
    digest = hashlib.sha256(MiniLmEncoder().revision.encode())
    files = [
        file
        for pattern in ("articles/*.md", "facts/*.csv", "gate.yml", "calibration/*.yml")
        for file in folder.glob(pattern)
    ]
    for file in sorted(files):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing."
