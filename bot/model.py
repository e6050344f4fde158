"""The trained model: made when its inputs changed, checked before it is loaded."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
MODEL, STAMP = "frontdesk.tar.gz", "frontdesk.json"
TRAINING_LIMIT_S = 900
RASA_TRAIN = (
    *("train", "--config", "config.yml", "--domain", "bot/domain"),
    *("--data", "nlu/data", "bot/rules", "--fixed-model-name", "frontdesk"),
)
INPUTS = ("config.yml", "bot/domain/*.yml", "bot/rules/*.yml", "nlu/data/*.yml", "nlu/*.py")


class ModelMissing(Exception):
    """There is no trained model; run `frontdesk train`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"There is no trained model in {folder}. Run `frontdesk train`.")


class ModelBroken(Exception):
    """The model is not what was trained; run `frontdesk train --force`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The model {path} is damaged or was not made by us. Run `frontdesk train --force`.")


class TrainingFailed(Exception):
    """Rasa could not train; the message ends with what it said."""


def train_if_changed(folder: Path, *, force: bool = False, say: Callable[[str], None] | None = None) -> Path:
    """The model of the present inputs, trained if there is none; progress goes to standard error unless `say` is given.

    Raises TrainingFailed.
    """
    tell = say or _to_stderr
    inputs = fingerprint()
    path = folder / MODEL
    if not force and _stamp(folder).get("inputs") == inputs and is_intact(path):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    tell("Training the assistant; this takes about a minute.")
    with tempfile.TemporaryDirectory(dir=folder, prefix="training-") as scratch:
        made = _train(Path(scratch))
        stamp = Path(scratch) / STAMP
        stamp.write_text(json.dumps({"inputs": inputs, "sha256": _checksum(made)}), encoding="utf-8")
        os.replace(made, path)  # a model without its stamp counts as damaged, so a crash in between trains again
        os.replace(stamp, folder / STAMP)
    tell("The assistant is trained.")
    return path


def trained_model(folder: Path) -> Path:
    """The model in a folder; raises ModelMissing or ModelBroken, which name the remedy."""
    path = folder / MODEL
    if not path.is_file():
        raise ModelMissing(folder)
    check_model(path)
    return path


def check_model(path: Path) -> None:
    """Raises ModelMissing or ModelBroken unless this very file came out of a training; a model is code."""
    if not path.is_file():
        raise ModelMissing(path.parent)
    if not is_intact(path):
        raise ModelBroken(path)


def is_intact(path: Path) -> bool:
    """Whether the file is there and has the checksum that its training noted."""
    return path.is_file() and _stamp(path.parent).get("sha256") == _checksum(path)


def trained_from(folder: Path) -> str | None:
    """The fingerprint of the inputs that the model in a folder was trained from; None where nobody noted it."""
    return _stamp(folder).get("inputs")


def fingerprint(project: Path = PROJECT) -> str:
    """Changes whenever the same training would give another model."""
    from knowledge.encoder import MiniLmEncoder

    digest = hashlib.sha256(f"rasa {version('rasa')} {MiniLmEncoder().revision}".encode())
    for path in _input_files(project):
        digest.update(f"\0{path.relative_to(project)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _input_files(project: Path) -> Iterator[Path]:
    for pattern in INPUTS:
        yield from sorted(project.glob(pattern))


def _train(out: Path) -> Path:
    """Run Rasa's own training beside us, so that its gigabyte of memory ends with it."""
    environment = {
        **os.environ,
        **{"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_OFFLINE": "1"},
        **{"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore"},
    }
    command = [sys.executable, "-m", "rasa", *RASA_TRAIN, "--out", str(out)]
    try:
        ran = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=TRAINING_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TrainingFailed(f"The training took more than {TRAINING_LIMIT_S} s and was ended.") from error
    made = out / MODEL
    if ran.returncode or not made.is_file():
        raise TrainingFailed(
            "Rasa could not train the model:\n" + "\n".join((ran.stdout + ran.stderr).splitlines()[-30:])
        )
    return made


def _stamp(folder: Path) -> dict[str, str]:
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
