"""The environment is the lock: every pin is installed, and what the pins promise imports together."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[2] / "requirements.lock"
PINS = [line.strip().split("==") for line in LOCK.read_text().splitlines() if re.match(r"[A-Za-z]", line)]


@pytest.mark.parametrize(("package", "pinned"), PINS)
def test_a_pinned_package_is_installed_in_that_version(package: str, pinned: str) -> None:
    try:
        installed = version(package)
    except PackageNotFoundError:
        pytest.fail(f"{package} is not installed. Run `make setup`.")
    assert installed == pinned, "Run `make setup`."


def test_the_two_pins_that_rasa_depends_on_stay_old() -> None:
    pins = dict(PINS)
    assert int(pins["packaging"].split(".")[0]) < 22  # LegacyVersion
    assert int(pins["setuptools"].split(".")[0]) < 81  # pkg_resources


@pytest.mark.slow
def test_rasa_torch_spacy_and_tweepy_import_in_one_process() -> None:
    modules = "rasa.core.agent, rasa.model_training, rasa_sdk, torch, sentence_transformers, spacy, tweepy, redis"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import {modules}"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
