"""Whether the ports are free that `frontdesk up` will listen on, and who holds one that is not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from bot.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port, what it is for, and the setting that changes it."""

    number: int
    what: str
    setting: str
    host: str


def ports_of(settings: Settings) -> dict[str, Port]:
    """The ports of every process that `frontdesk up` runs with these settings, by the process's name."""
    here, host = settings, settings.host
    ports = {
        "desk": Port(number=here.desk_port, what="the console", setting="FRONTDESK_DESK_PORT", host=host),
        "channel": Port(number=here.channel_port, what="the channel", setting="FRONTDESK_CHANNEL_PORT", host=host),
        "responder": Port(
            number=here.responder_port, what="the responder", setting="FRONTDESK_RESPONDER_PORT", host=host
        ),
    }
    if here.uses_sandbox:
        ports["sandbox"] = Port(
            number=here.sandbox_port, what="the sandbox", setting="FRONTDESK_SANDBOX_PORT", host=host
        )
    if not here.redis_url:
        ports["redis"] = Port(number=here.redis_port, what="Redis", setting="FRONTDESK_REDIS_PORT", host="127.0.0.1")
    return ports


def port_problems(ports: Sequence[Port]) -> list[str]:
    """One line for every port that cannot be had: which, who holds it, what to change."""
    problems = []
    for index, port in enumerate(ports):
        twin = next((other for other in ports[:index] if other.number == port.number), None)
        problem = f"is also that of {twin.what}. Set" if twin else _trouble(port)
        if problem:
            problems.append(f"Port {port.number} ({port.what}) {problem} {port.setting} to a free port.")
    return problems


def _trouble(port: Port) -> str | None:
    try:
        family, _, _, _, address = socket.getaddrinfo(port.host, port.number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"is taken{_holder(port.number)}. Stop that, or set"
        if error.errno == errno.EACCES:
            return "may be used by root only. Set"
        return f"cannot be had at {port.host}. Set FRONTDESK_HOST to an address of this machine, or"
    return None


def _holder(number: int) -> str:
    """` by NAME (process 123)`, or nothing where the system does not tell."""
    try:
        for connection in psutil.net_connections(kind="inet"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return ""
    return ""
