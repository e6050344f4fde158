"""A recording is read strictly and addressed to us."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.replay_file import FileRefused, Row, addressed, posts_of, read_recording


def file_with(folder: Path, *lines: object) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def row(number: int, text: str = "Hello", author: str = "ann") -> dict[str, str]:
    return {"id": str(number), "author": author, "text": text, "created_at": "2015-02-24"}


@pytest.mark.parametrize(
    ("typed", "posted"),
    [
        ("@OtherAir where is my bag?", "@KestrelAir where is my bag?"),
        ("@OtherAir @someone hello", "@KestrelAir hello"),
        (".@OtherAir hello", ".@KestrelAir hello"),
        ("hello @OtherAir", "@KestrelAir hello @OtherAir"),
        ("hello @kestrelair", "hello @kestrelair"),
        ("hello @KestrelAirlines", "@KestrelAir hello @KestrelAirlines"),
        ("@OtherAir", "@KestrelAir"),
        ("", "@KestrelAir"),
    ],
)
def test_every_post_mentions_us_whomever_it_was_written_to(typed: str, posted: str) -> None:
    assert addressed(typed, "@KestrelAir") == posted


def test_texts_are_posted_as_they_were_typed() -> None:
    [post] = posts_of(
        [Row(id="1", author="ann", text="@OtherAir you &amp; me &lt;3")], account="@KestrelAir", authors=9
    )
    assert post.text == "@KestrelAir you & me <3"
    assert post.key == "1"


def test_authors_are_folded_onto_a_few_and_keep_their_handle() -> None:
    rows = [Row(id=str(n), author=f"author{n % 5}", text="Hi") for n in range(20)]
    handles = [post.author for post in posts_of(rows, account="@KestrelAir", authors=2)]
    assert set(handles) == {"guest00001", "guest00002"}
    assert handles[:5] == handles[5:10]


def test_authors_keep_apart_without_folding() -> None:
    rows = [Row(id=str(n), author=f"author{n}", text="Hi") for n in range(20)]
    assert len({post.author for post in posts_of(rows, account="@KestrelAir", authors=None)}) == 20


def test_a_file_is_read_in_its_order_up_to_the_rows_asked_for(tmp_path: Path) -> None:
    path = file_with(tmp_path, row(3), "", row(1), row(3), row(2))
    assert [one.id for one in read_recording(path).rows] == ["3", "1", "3", "2"]
    assert [one.id for one in read_recording(path, most=2).rows] == ["3", "1"]


def test_bad_lines_are_named_by_their_numbers(tmp_path: Path) -> None:
    path = file_with(tmp_path, row(1), "{not json", '["a"]', {"id": "2", "text": "x"}, {**row(4), "text": None})
    with pytest.raises(FileRefused) as refused:
        read_recording(path)
    for told in (
        "line 2 is not JSON;",
        "line 3 is not a JSON object",
        'line 4 has no "author"',
        'line 5 has no "text"',
    ):
        assert told in str(refused.value)
    assert "--skip-bad" in str(refused.value)


def test_bad_lines_can_be_left_out(tmp_path: Path) -> None:
    recording = read_recording(file_with(tmp_path, row(1), "{not json", row(2)), skip_bad=True)
    assert [one.id for one in recording.rows] == ["1", "2"]
    assert recording.bad_lines == (2,)


def test_bytes_that_are_no_text_are_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(json.dumps(row(1)).encode() + b'\n{"id": "2", "author": "a", "text": "\xff\xfe"}\n')
    with pytest.raises(FileRefused, match="line 2 is not JSON"):
        read_recording(path)


def test_half_a_character_is_a_bad_line(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match='line 1 has half a character in "text"'):
        read_recording(file_with(tmp_path, row(1, text="\ud83d")))


@pytest.mark.parametrize("lines", [[], ["", "  "]])
def test_a_file_without_rows_is_refused_with_an_example(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(FileRefused, match="has no rows"):
        read_recording(file_with(tmp_path, *lines))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"nowhere\.jsonl cannot be read: No such file"):
        read_recording(tmp_path / "nowhere.jsonl")


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read"):
        read_recording(tmp_path)
