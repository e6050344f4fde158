"""Whether the ports are free that `frontdesk up` will listen on, and who holds one that is not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port, what it is for, and the setting that changes it."""

    number: int
    what: str
    setting: str
    host: str


def port_problems(ports: Sequence[Port]) -> list[str]:
    """One line for every port that cannot be had: which, who holds it, what to change."""
    problems = []
    for index, port in enumerate(ports):
        twin = next((other for other in ports[:index] if other.number == port.number), None)
        problem = f"is also that of {twin.what}" if twin else _trouble(port)
        if problem:
            problems.append(f"Port {port.number} ({port.what}) {problem}. Set {port.setting} to a free port.")
    return problems


def _trouble(port: Port) -> str | None:
    try:
        family, _, _, _, address = socket.getaddrinfo(port.host, port.number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"is taken{_holder(port.number)}; stop that, or go elsewhere"
        if error.errno == errno.EACCES:
            return "may be used by root only"
        return f"cannot be had at {port.host}: is FRONTDESK_HOST an address of this machine?"
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
