"""The project is a normal Rasa project: the commands that the README gives work, in their order."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
COMMANDS = re.findall(r"^rasa (.+)$", (REPO / "README.md").read_text(), flags=re.MULTILINE)


def rasa(command: str, results: Path) -> "subprocess.CompletedProcess[str]":
    """Runs a command of the README, but for where it writes: that lies in `results`."""
    environment = {
        **os.environ,
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    words = [word.replace("var/rasa", str(results)) for word in shlex.split(command)]
    run = [sys.executable, "-W", "ignore", "-m", "rasa", *words]
    return subprocess.run(run, cwd=REPO, env=environment, capture_output=True, text=True, timeout=240, check=False)


def test_the_readme_validates_trains_and_tests() -> None:
    assert [command.split(" --")[0] for command in COMMANDS] == ["data validate", "train", "test core"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_rasas_own_commands_work_one_after_the_other_as_the_readme_gives_them(tmp_path: Path) -> None:
    for command in COMMANDS:
        ran = rasa(command, tmp_path)
        assert ran.returncode == 0, f"rasa {command}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
    assert (tmp_path / "frontdesk.tar.gz").exists()
