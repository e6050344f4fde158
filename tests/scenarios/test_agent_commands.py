"""`frontdesk agent`: people for a real desk, added as an operator does it."""

import json
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from bot.web.agents import Agents
from bot.web.roles import Role
from handoff.connection import connect

PASSWORD = "a-long-password"
LONGEST_SILENCE_S = 20
EVA = ("--display", "Eva Long", "--initials", "EL")


@pytest.fixture
async def agents(redis_url: str) -> AsyncIterator[Agents]:
    async with connect(redis_url) as redis:
        yield Agents(redis)


def environment(redis_url: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "NO_COLOR": "1", "TERM": "dumb", "REDIS_URL": redis_url}


def run(redis_url: str, *words: str, says: str | None = PASSWORD + "\n") -> "subprocess.CompletedProcess[str]":
    """Runs `frontdesk agent` with this on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "agent", *words],
        input=says,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(redis_url),
    )


def run_in_a_terminal(redis_url: str, *words: str, types: str) -> tuple[int, str]:
    """Runs it where passwords can be asked for; the exit code and what the terminal showed."""
    terminal, slave = pty.openpty()
    command = [sys.executable, "-m", "bot.cli", "agent", *words]
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment(redis_url), start_new_session=True
    ) as process:
        os.close(slave)
        shown, asked = b"", 0
        answers = types.splitlines(keepends=True)
        while select.select([terminal], [], [], LONGEST_SILENCE_S)[0]:
            try:
                shown += os.read(terminal, 1024)
            except OSError:  # it has ended
                break
            if asked < len(answers) and len(re.findall(rb"(?:Password|again): ", shown)) > asked:
                os.write(terminal, answers[asked].encode())
                asked += 1
        else:
            process.kill()
    os.close(terminal)
    return process.returncode, shown.decode()


async def test_whoever_is_added_signs_in_with_the_password(redis_url: str, agents: Agents) -> None:
    done = run(redis_url, "add", "eva", *EVA, "--role", "lead", "--password-stdin")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Eva Long may sign in as eva (lead) at http://127.0.0.1:8420\n"
    eva = await agents.verify("eva", PASSWORD)
    assert eva is not None
    assert (eva.display_name, eva.initials, eva.role) == ("Eva Long", "EL", Role.LEAD)


async def test_the_password_is_asked_for_twice_and_not_shown(redis_url: str, agents: Agents) -> None:
    code, shown = run_in_a_terminal(redis_url, "add", "eva", *EVA, types=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0, shown
    assert "The same again" in shown
    assert PASSWORD not in shown
    assert await agents.verify("eva", PASSWORD) is not None


async def test_two_passwords_that_differ_are_asked_for_again(redis_url: str, agents: Agents) -> None:
    typed = f"{PASSWORD}\nanother-password\n{PASSWORD}\n{PASSWORD}\n"
    code, shown = run_in_a_terminal(redis_url, "add", "eva", *EVA, types=typed)
    assert code == 0, shown
    assert "do not match" in shown
    assert await agents.verify("eva", PASSWORD) is not None


async def test_a_password_is_never_an_argument(redis_url: str, agents: Agents) -> None:
    assert run(redis_url, "add", "eva", *EVA, "--password", PASSWORD).returncode == 2
    unasked = run(redis_url, "add", "eva", *EVA)
    assert unasked.returncode == 1
    assert unasked.stderr.strip().endswith("Run it there, or give --password-stdin.")
    assert await agents.all() == []


@pytest.mark.parametrize(
    ("words", "password", "said"),
    [
        (("Eva!", *EVA), PASSWORD, "NAME must begin with a letter"),
        (("eva", "--display", "", "--initials", "EL"), PASSWORD, "--display must be a name"),
        (("eva", "--display", "Eva", "--initials", "eva long"), PASSWORD, "--initials must be two or three capital"),
        (("eva", *EVA), "short", "Choose a password of 10 to 200 characters."),
        (("eva", *EVA), "", "Choose a password of 10 to 200 characters."),
    ],
)
async def test_what_cannot_be_used_is_refused_in_one_line(
    redis_url: str, agents: Agents, words: tuple[str, ...], password: str, said: str
) -> None:
    done = run(redis_url, "add", *words, "--password-stdin", says=password + "\n")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"frontdesk: {said}")
    assert await agents.all() == []


async def test_nobody_is_replaced_by_accident(redis_url: str, agents: Agents) -> None:
    run(redis_url, "add", "eva", *EVA, "--password-stdin")
    again = run(redis_url, "add", "eva", *EVA, "--password-stdin", says="another-password\n")
    assert again.returncode == 1
    assert "give --replace" in again.stderr
    assert await agents.verify("eva", PASSWORD) is not None
    wanted = run(redis_url, "add", "eva", *EVA, "--password-stdin", "--replace", says="another-password\n")
    assert wanted.returncode == 0, wanted.stderr
    assert await agents.verify("eva", PASSWORD) is None
    assert await agents.verify("eva", "another-password") is not None


def test_everybody_is_listed_and_no_secret_with_them(redis_url: str) -> None:
    assert "Nobody may sign in yet." in run(redis_url, "list").stdout
    run(redis_url, "add", "eva", *EVA, "--role", "editor", "--password-stdin")
    told = json.loads(run(redis_url, "list", "--json").stdout)
    assert told == [{"name": "eva", "display_name": "Eva Long", "initials": "EL", "role": "editor"}]
    assert run(redis_url, "list").stdout.split() == ["eva", "editor", "EL", "Eva", "Long"]


def test_a_redis_that_is_not_there_is_told_in_one_line() -> None:
    done = run("redis://:hunter2@127.0.0.1:1/0", "list")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("frontdesk: Redis does not answer (ConnectionError).")
    assert "hunter2" not in line
