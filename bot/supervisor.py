"""The children of `frontdesk up`, kept alive by supervisord: started, restarted when they die, stopped together."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

STOP_S = 20
"""How long a child may take to finish what it has in hand; longer than a turn or a call to the platform."""

_CONFIG = """\
; Written by `frontdesk up` at every start.
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
nodaemon=true
silent=true
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={socket}.pid
childlogdir={logs}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_CHILD = """
[program:{name}]
command={command}
process_name={name}
autostart=false
autorestart=true
; Dead within a second four times running: given up, until `frontdesk up` tries it again.
startsecs=1
startretries=3
stopsignal=TERM
stopwaitsecs={stop_s}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={log}
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=3
priority={priority}
"""

_GROUP = """
[group:{name}]
programs={programs}
priority={priority}
"""


class SupervisorGone(Exception):
    """supervisord ended by itself; its log says why."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process to keep alive."""

    name: str
    command: tuple[str, ...]
    is_store: bool = False
    """Stopped only after all others, since they still write to it."""


@dataclass(frozen=True, kw_only=True)
class ChildState:
    """How a child fares."""

    name: str
    state: str
    """STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED or FATAL (given up)."""
    pid: int
    """0 when it is not running."""


class Supervisor:
    """One supervisord and its children, each in a process group of its own."""

    def __init__(self, children: Sequence[Child], *, logs: Path, environment: Mapping[str, str]) -> None:
        """`environment`: what the children see, REDIS_URL included."""
        self._children = list(children)
        self._logs = logs
        self._environment = dict(environment)
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: dict[str, psutil.Process] = {}

    def log_of(self, name: str) -> Path:
        """Where a child's lines go."""
        return self._logs / f"{name}.log"

    def start(self, limit_s: float = 10.0) -> None:
        """Starts supervisord, without its children. Raises SupervisorGone, OSError (no room on the disk)."""
        self._logs.mkdir(parents=True, exist_ok=True)
        # A short path of its own: a socket's path may have 107 characters at most.
        self._folder = Path(tempfile.mkdtemp(prefix="frontdesk-"))
        config = self._folder / "supervisord.conf"
        config.write_text(self._config())
        program = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)]
        with (self._logs / "supervisord.out").open("wb") as out:
            self._process = subprocess.Popen(
                program,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches only us; we stop the children in order
                preexec_fn=_end_with_parent,
            )
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            try:
                self._call("getState")
                return
            except SupervisorGone:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        raise SupervisorGone(f"supervisord did not start; see {self._logs / 'supervisord.out'}")

    def start_child(self, name: str) -> None:
        """Starts a child, or tries again one that was given up; does nothing to a running one."""
        child = next(child for child in self._children if child.name == name)
        try:
            self._call("startProcess", f"{_group_of(child)}:{name}", False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise

    def states(self) -> dict[str, ChildState]:
        """How every child fares now. Raises SupervisorGone."""
        told: Any = self._call("getAllProcessInfo")
        states = {one["name"]: ChildState(name=one["name"], state=one["statename"], pid=one["pid"]) for one in told}
        self._remember(states.values())
        return states

    def stop(self) -> None:
        """Lets every child finish what it has in hand, the store last; returns when all are gone."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.terminate()
            self._process.wait(timeout=2 * STOP_S + 5)
        self.kill()  # also when supervisord itself was killed: it may still be dying while its children live on
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._process = None

    def kill(self) -> None:
        """Ends supervisord and every child's process group at once."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for process in self._seen.values():
            _kill_with_group(process)

    def _remember(self, states: Iterable[ChildState]) -> None:
        """Keeps hold of running children: when supervisord is killed, nobody else knows them any more."""
        for state in states:
            if state.pid and (state.name not in self._seen or self._seen[state.name].pid != state.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    self._seen[state.name] = psutil.Process(state.pid)

    def _config(self) -> str:
        parts = [_CONFIG.format(socket=_escaped(f"{self._folder}/rpc"), logs=_escaped(str(self._logs)))]
        for child in self._children:
            parts.append(
                _CHILD.format(
                    name=child.name,
                    command=_escaped(shlex.join(child.command)),
                    log=_escaped(str(self.log_of(child.name))),
                    stop_s=STOP_S,
                    priority=_PRIORITIES[_group_of(child)],
                )
            )
        for name, priority in _PRIORITIES.items():
            members = [child.name for child in self._children if _group_of(child) == name]
            if members:
                parts.append(_GROUP.format(name=name, programs=",".join(members), priority=priority))
        return "".join(parts)

    def _call(self, method: str, *arguments: object) -> Any:
        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(serverurl=f"unix://{self._folder}/rpc")
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorGone(f"supervisord does not answer; see {self._logs / 'supervisord.log'}") from error


_PRIORITIES = {"store": 1, "work": 2}
"""Groups in the order in which they start; they stop in the opposite one."""


def _group_of(child: Child) -> str:
    return "store" if child.is_store else "work"


def _escaped(text: str) -> str:
    """A value for supervisord's configuration, which expands % and ends a value at a semicolon."""
    if "\n" in text or " ;" in text:
        raise SupervisorGone(f"A path may not contain a line break or a semicolon after a space: {text!r}")
    return text.replace("%", "%%")


def _kill_with_group(process: psutil.Process) -> None:
    """Ends a child and what it began; only itself while it has no group of its own yet, just after its birth."""
    try:
        if not process.is_running():  # also when its number belongs to another process by now
            return
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (psutil.NoSuchProcess, ProcessLookupError):
        return


def _end_with_parent() -> None:
    """Linux: lets the kernel stop supervisord when `frontdesk up` itself is killed, so that nothing is left running."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # 1 = PR_SET_PDEATHSIG
