"""Knowledge in and out, by function and by command line."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from knowledge.commands import KnowledgeParts, app
from knowledge.exchange import ExchangeRefused, import_files
from knowledge.source import DEFAULT_FOLDER

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARTICLES = ("pets", "wifi", "lounge", "refunds", "meals")

Run = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five of Frontdesk's own articles, with the facts."""
    folder = tmp_path / "knowledge"
    (folder / "articles").mkdir(parents=True)
    for name in ARTICLES:
        shutil.copy(DEFAULT_FOLDER / "articles" / f"{name}.md", folder / "articles")
    shutil.copytree(DEFAULT_FOLDER / "facts", folder / "facts")
    return folder


@pytest.fixture
def run(redis_url: str, word_encoder: Any) -> Run:
    parts = KnowledgeParts(redis_url=redis_url, encoder=lambda: word_encoder)
    return lambda *arguments: CliRunner().invoke(app, [str(item) for item in arguments], obj=parts)


def test_checking_a_good_folder_ends_well_and_says_so(run: Run, folder: Path) -> None:
    result = run("check", "--folder", folder)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "5 articles are fine; 0 errors." in result.stderr


def test_checking_a_bad_folder_names_every_problem_as_json_alone(run: Run, folder: Path) -> None:
    _spoil(folder, "pets", "title: Travelling with pets\n", "")
    _spoil(folder, "wifi", "owner: on board\n", "")
    result = run("check", "--folder", folder, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["articles"] == 3
    assert [(item["field"], item["severity"]) for item in report["problems"]] == [
        ("title", "error"),
        ("owner", "error"),
    ]


def test_publishing_reports_the_version_and_what_changed(run: Run, folder: Path) -> None:
    report = json.loads(run("publish", "--folder", folder, "--json").stdout)
    assert (report["outcome"], report["version"], sorted(report["changed"])) == ("published", 1, sorted(ARTICLES))
    again = run("publish", "--folder", folder)
    assert again.exit_code == 0
    assert "Version 1 has exactly this already" in again.stderr


def test_a_folder_with_an_error_is_not_published(run: Run, folder: Path) -> None:
    _spoil(folder, "pets", "title: Travelling with pets\n", "")
    result = run("publish", "--folder", folder)
    assert result.exit_code == 1
    assert "pets.md: title: is missing." in result.stderr
    assert "Not published" in result.stderr


def test_publishing_over_a_colleagues_version_is_a_lost_race(run: Run, folder: Path) -> None:
    run("publish", "--folder", folder)
    _spoil(folder, "pets", "title: Travelling with pets", "title: Animals")
    result = run("publish", "--folder", folder, "--expected", 0)
    assert result.exit_code == 1
    assert "version 1 was published meanwhile" in result.stderr


def test_what_was_exported_is_what_is_published(run: Run, folder: Path, tmp_path: Path) -> None:
    run("publish", "--folder", folder)
    assert run("export", tmp_path / "out").exit_code == 0
    result = run("publish", "--folder", tmp_path / "out", "--json")
    assert json.loads(result.stdout)["outcome"] == "unchanged"


def test_an_exported_document_can_be_imported_elsewhere(run: Run, folder: Path, tmp_path: Path) -> None:
    run("publish", "--folder", folder)
    exported = run("export", tmp_path / "out.json", "--format", "json", "--json")
    assert json.loads(exported.stdout) == {"version": 1, "written": ["out.json"]}
    imported = run("import", tmp_path / "out.json", "--folder", tmp_path / "new", "--json")
    assert len(json.loads(imported.stdout)["written"]) == 5 + len(list((folder / "facts").glob("*.csv")))
    again = run("import", tmp_path / "out.json", "--folder", folder, "--json")
    assert json.loads(again.stdout)["written"] == []  # other layout, same content


def test_nothing_is_overwritten_unasked(run: Run, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "other")
    _spoil(tmp_path / "other", "pets", "title: Travelling with pets", "title: Animals")
    before = (folder / "articles" / "pets.md").read_text()
    refused = run("import", tmp_path / "other", "--folder", folder)
    assert refused.exit_code == 1
    assert "pets.md: is there already" in refused.stderr
    assert "--replace" in refused.stderr
    assert (folder / "articles" / "pets.md").read_text() == before
    assert run("import", tmp_path / "other", "--folder", folder, "--replace").exit_code == 0
    assert "title: Animals" in (folder / "articles" / "pets.md").read_text()


def test_one_bad_file_keeps_all_of_an_import_out(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "other")
    _spoil(tmp_path / "other", "wifi", "fact.wifi_fee", "fact.wlan_fee")
    with pytest.raises(ExchangeRefused) as refused:
        import_files(tmp_path / "other", tmp_path / "new", NOW, overwrite=False)
    assert {problem.file for problem in refused.value.problems} == {"articles/wifi.md"}
    assert not (tmp_path / "new").exists()


def test_an_imported_article_must_not_take_the_id_of_another(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "articles").mkdir(parents=True)
    shutil.copy(folder / "articles" / "pets.md", tmp_path / "other" / "articles" / "zebras.md")
    with pytest.raises(ExchangeRefused, match=r"'pets' is taken by articles/pets\.md"):
        import_files(tmp_path / "other", folder, NOW, overwrite=False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "is not an export of schema 1"),
        ('{"schema": 1}', "lacks the field 'articles'"),
        ('{"schema": 1, "articles": [{"id": "x"}], "facts": {}}', "lacks the field"),
        ('{"schema": 1, "articles": 3, "facts": {}}', "wrong kind"),
        ('{"schema": 1, "articles": [], "facts": {"../../evil": []}}', "is no name for a file"),
        ("\xff", "is not JSON"),
    ],
)
def test_a_document_that_is_no_export_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "in.json").write_text(text)
    with pytest.raises(ExchangeRefused, match=says):
        import_files(tmp_path / "in.json", tmp_path / "new", NOW, overwrite=False)


def test_a_source_that_is_not_there_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("import", tmp_path / "nothing")
    assert result.exit_code == 1
    assert "is neither a folder nor a file" in result.stderr


def test_without_a_redis_the_commands_say_what_to_do(folder: Path, word_encoder: Any) -> None:
    none = CliRunner().invoke(
        app, ["publish", "-f", str(folder)], env={"REDIS_URL": ""}, obj=KnowledgeParts(encoder=lambda: word_encoder)
    )
    assert (none.exit_code, "set REDIS_URL" in none.stderr) == (1, True)
    dead = KnowledgeParts(redis_url="redis://127.0.0.1:1/0", encoder=lambda: word_encoder)
    refused = CliRunner().invoke(app, ["publish", "-f", str(folder)], env={"REDIS_URL": ""}, obj=dead)
    assert (refused.exit_code, "Redis did not answer" in refused.stderr) == (1, True)


def test_exporting_before_anything_is_published_says_what_to_do(run: Run, tmp_path: Path) -> None:
    result = run("export", tmp_path / "out")
    assert result.exit_code == 1
    assert "run `frontdesk knowledge publish`" in result.stderr


def _spoil(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / "articles" / f"{name}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
