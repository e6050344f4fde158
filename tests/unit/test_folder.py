"""The folder of everything that is kept: one Frontdesk at a time, and never a full disk."""

import errno
import os
from pathlib import Path

import pytest

from bot.folder import LEAST_FREE_BYTES, Folder, FolderRefused, refusal


def test_a_second_frontdesk_in_the_same_folder_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    with Folder(tmp_path / "var").claimed():
        with pytest.raises(FolderRefused) as refused, Folder(tmp_path / "var").claimed():
            pass
        assert f"already runs in {tmp_path / 'var'} (process {os.getpid()})" in str(refused.value)
        assert "set FRONTDESK_VAR" in str(refused.value)


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    with Folder(tmp_path).claimed():
        pass
    with Folder(tmp_path).claimed():
        pass


def test_a_disk_without_room_is_refused_in_one_line(tmp_path: Path) -> None:
    with Folder(tmp_path).claimed(free_bytes=LEAST_FREE_BYTES):
        pass
    with (
        pytest.raises(FolderRefused, match=r"is full: 12 MB are free.*FRONTDESK_VAR to another disk"),
        Folder(tmp_path).claimed(free_bytes=12_000_000),
    ):
        pass


def test_a_file_where_the_folder_should_be_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("not a folder")
    with pytest.raises(FolderRefused, match="FRONTDESK_VAR"), Folder(tmp_path / "var").claimed():
        pass


@pytest.mark.parametrize(
    ("number", "said"), [(errno.ENOSPC, "is full"), (errno.EACCES, "may not be written"), (errno.EIO, "cannot be used")]
)
def test_what_the_system_refuses_is_told_with_its_remedy(number: int, said: str) -> None:
    line = refusal(Path("/somewhere"), OSError(number, os.strerror(number)))
    assert said in line
    assert "FRONTDESK_VAR" in line
    assert "\n" not in line
