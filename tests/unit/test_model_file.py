"""When the model is trained again, and which file counts as one."""

import json
from pathlib import Path

import pytest

from bot.model import MODEL, STAMP, ModelBroken, ModelMissing, fingerprint, is_intact, trained_model


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("config.yml", "bot/domain/a.yml", "bot/rules/a.yml", "nlu/data/a.yml", "nlu/a.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    return tmp_path


@pytest.mark.parametrize("name", ["config.yml", "bot/domain/a.yml", "bot/rules/a.yml", "nlu/data/a.yml", "nlu/a.py"])
def test_every_input_of_the_training_counts(project: Path, name: str) -> None:
    before = fingerprint(project)
    (project / name).write_text("two")
    assert fingerprint(project) != before


def test_nothing_else_counts(project: Path) -> None:
    before = fingerprint(project)
    (project / "README.md").write_text("two")
    assert fingerprint(project) == before


def test_a_model_counts_only_with_the_checksum_of_its_training(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="frontdesk train"):
        trained_model(tmp_path)
    (tmp_path / MODEL).write_bytes(b"model")
    (tmp_path / STAMP).write_text("{not json")
    with pytest.raises(ModelBroken, match="frontdesk train"):
        trained_model(tmp_path)
    digest = "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    (tmp_path / STAMP).write_text(json.dumps({"sha256": digest}))
    assert is_intact(tmp_path / MODEL)
    assert trained_model(tmp_path) == tmp_path / MODEL
    (tmp_path / MODEL).write_bytes(b"model!")
    assert not is_intact(tmp_path / MODEL)
