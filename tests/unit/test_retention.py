"""How long data are kept: the shipped policy can be read, and what is wrong is named with its remedy."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from handoff.policy import PolicyError
from handoff.retention import KINDS, RETENTION, load_retention

GOOD = """
purge_at: "03:30"
days: {transcripts: 30, cases: 60, customers: 90, journal: 10, tombstones: 5}
"""


def read(tmp_path: Path, text: str) -> str:
    """What the policy says is wrong with it."""
    path = tmp_path / "retention.yml"
    path.write_text(text)
    with pytest.raises(PolicyError) as error:
        load_retention(path)
    return str(error.value)


def test_the_shipped_policy_keeps_every_kind_for_a_while() -> None:
    retention = load_retention()
    assert all(getattr(retention, kind) >= 30 for kind in KINDS)
    assert RETENTION.read_text().count("#") > len(KINDS)


def test_days_are_counted_back_from_now(tmp_path: Path) -> None:
    path = tmp_path / "retention.yml"
    path.write_text(GOOD)
    retention = load_retention(path)
    assert retention.purge_at == time(3, 30)
    assert retention.before_ms("transcripts", datetime(2026, 1, 31, tzinfo=UTC)) == 1_767_225_600_000
    assert retention.tombstones_ms == 432_000_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("transcripts: 30", "transcripts: 1", "transcripts “1” must be a whole number from 2 to 3650"),
        ("transcripts: 30", "transcripts: 4000", "from 2 to 3650"),
        ("transcripts: 30", "transcripts: yes", "transcripts “yes” must be"),
        ("transcripts: 30", "transcripts: 30.5", "must be a whole number"),
        ("transcripts: 30, ", "", "transcripts “None” must be"),
        ("transcripts: 30", "transcripts: 100", "Make it at least 100"),
        ("cases: 60", "cases: 91", "customers (90) is shorter than cases (91)"),
        ("journal", "jurnal", "unknown key “jurnal”"),
        ('"03:30"', "330", "purge_at “330” is no time"),
        ('"03:30"', '"3:30"', 'Write it in quotes, like "03:30"'),
        ('"03:30"', '"24:00"', "is no time"),
        ("purge_at:", "purge:", "unknown key “purge”"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(old: str, new: str, said: str, tmp_path: Path) -> None:
    text = read(tmp_path, GOOD.replace(old, new, 1))
    assert text.startswith("retention.yml: ")
    assert said in text


def test_days_that_are_no_list_are_refused(tmp_path: Path) -> None:
    assert "list the kinds with their days" in read(tmp_path, 'purge_at: "03:30"\ndays: 30\n')
