"""The peer: the bot that `rasa init` makes, served by Rasa's own server over its REST channel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientSession, ClientTimeout

from bench.program import ProgramFailed, running, wait_until_ready
from bench.side import NotAnswered

MIX = ("hello", "are you a bot?", "I am great", "are you a human?", "goodbye")
"""Small talk of the bot that `rasa init` makes; it has no questions to answer."""
LIMIT_S = 30.0


class Peer:
    """Where the peer lives; made once for each version of Rasa."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder.with_suffix(".log")
        self._mark = folder / "fingerprint"

    @property
    def is_made(self) -> bool:
        """Whether it is trained, from the Rasa that is installed."""
        return self._mark.is_file() and self._mark.read_text() == _fingerprint()

    def make(self) -> None:
        """`rasa init`, which trains for some minutes; nothing where it is made already. Raises ProgramFailed."""
        if self.is_made:
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        command = [sys.executable, "-m", "rasa", "init", "--no-prompt"]
        with self._log.open("wb") as out:
            done = subprocess.run(
                command, cwd=self._folder, env=_environment(), stdout=out, stderr=subprocess.STDOUT, check=False
            )
        if done.returncode or not list((self._folder / "models").glob("*.tar.gz")):
            raise ProgramFailed(f"`rasa init` failed; see {self._log}.")
        self._mark.write_text(_fingerprint())

    @contextmanager
    def running(self, *, redis_url: str, port: int, scratch: Path) -> Iterator[str]:
        """Rasa's server with its Redis tracker store and lock store on this Redis; gives its address.

        `scratch`: a folder for the endpoints, which hold the password.
        """
        endpoints = scratch / "peer-endpoints.yml"
        endpoints.touch(mode=0o600)
        endpoints.write_text(json.dumps(_endpoints(redis_url)))  # JSON is YAML too
        command = [sys.executable, "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(port)]
        command += ["--endpoints", str(endpoints), "--credentials", "credentials.yml"]
        address, log = f"http://127.0.0.1:{port}", scratch / "peer.log"
        with running(command, log=log, environment=_environment(), folder=self._folder) as process:
            wait_until_ready(process, f"{address}/", log=log)
            yield address


class PeerSide:
    """Asks over HTTP and waits for the answer in the response."""

    name = "Rasa's server"
    mix = MIX

    def __init__(self, session: ClientSession, address: str) -> None:
        self._session = session
        self._address = f"{address}/webhooks/rest/webhook"

    async def ask(self, sender: str, text: str) -> None:
        """One request. Raises NotAnswered; an empty list is what Rasa's server says when it failed."""
        async with self._session.post(self._address, json={"sender": sender, "message": text}) as response:
            if response.status != 200 or not await response.json():
                raise NotAnswered(f"Rasa's server did not answer {text!r} (status {response.status}).")


@asynccontextmanager
async def peer_side(address: str) -> AsyncIterator[PeerSide]:
    """The peer over connections that stay open."""
    async with ClientSession(timeout=ClientTimeout(total=LIMIT_S)) as session:
        yield PeerSide(session, address)


def _endpoints(redis_url: str) -> dict[str, dict[str, str | int | None]]:
    where = urlsplit(redis_url)
    store = {"type": "redis", "url": where.hostname, "port": where.port, "password": where.password}
    return {"tracker_store": {**store, "db": 1}, "lock_store": {**store, "db": 2}}


def _environment() -> dict[str, str]:
    return {**os.environ, "RASA_TELEMETRY_ENABLED": "false"}


def _fingerprint() -> str:
    """Of what `rasa init` copies and what trains it."""
    spec = find_spec("rasa")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    project = Path(next(iter(spec.submodule_search_locations))) / "cli" / "initial_project"
    digest = sha256(f"{sys.version} {version('rasa')} {version('tensorflow')}".encode())
    for file in sorted(project.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(str(file.relative_to(project)).encode() + file.read_bytes())
    return digest.hexdigest()
