"""Ports: one that is taken is named before anything starts, with who holds it and what to change."""

import os
import socket
from collections.abc import Iterator

import pytest

from bot.ports import Port, port_problems, ports_of
from bot.settings import X_KEYS, Settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_its_holder_and_its_setting(taken: int) -> None:
    port = Port(number=taken, what="the console", setting="FRONTDESK_DESK_PORT", host="127.0.0.1")
    [problem] = port_problems([port])
    assert problem.startswith(f"Port {taken} (the console) is taken by ")
    assert f"(process {os.getpid()})" in problem
    assert problem.endswith("set FRONTDESK_DESK_PORT to a free port.")


def test_a_port_held_on_one_address_is_taken_for_all(taken: int) -> None:
    port = Port(number=taken, what="the console", setting="FRONTDESK_DESK_PORT", host="0.0.0.0")
    assert port_problems([port])


def test_one_port_for_two_processes_is_refused() -> None:
    settings = Settings.read({"FRONTDESK_DESK_PORT": "8421"})
    assert "Port 8421 (the sandbox) is also that of the console." in " ".join(
        port_problems([*ports_of(settings).values()])
    )


def test_an_address_that_is_not_ours_names_the_host_setting() -> None:
    port = Port(number=8420, what="the console", setting="FRONTDESK_DESK_PORT", host="192.0.2.1")
    [problem] = port_problems([port])
    assert "Set FRONTDESK_HOST" in problem


def test_with_x_keys_and_a_redis_only_three_ports_are_needed() -> None:
    keys = dict.fromkeys(X_KEYS, "1")
    assert set(ports_of(Settings.read({**keys, "REDIS_URL": "redis://there"}))) == {"desk", "channel", "responder"}
    assert set(ports_of(Settings.read({}))) == {"desk", "channel", "responder", "sandbox", "redis"}
