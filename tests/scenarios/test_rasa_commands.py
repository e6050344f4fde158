"""The project is a normal Rasa project: its own commands accept it."""

import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]
INPUTS = ("--config", "config.yml", "--data", "nlu/data", "bot/rules", "--domain", "bot/domain")


def rasa(*words: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        **{
            "RASA_TELEMETRY_ENABLED": "false",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        },
    }
    command = [sys.executable, "-W", "ignore", "-m", "rasa", *words]
    return subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=110, check=False)


def test_rasa_data_validate_finds_nothing_to_warn_about() -> None:
    ran = rasa("data", "validate", "--fail-on-warnings", *INPUTS)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]


def test_rasa_test_core_predicts_every_story(trained_model: Path, tmp_path: Path) -> None:
    stories = ("--stories", "tests/conversations", "--fail-on-prediction-errors", "--no-plot")
    ran = rasa("test", "core", *stories, "--model", str(trained_model), "--out", str(tmp_path))
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
