"""What the sandbox makes of a typed text."""

import pytest

from bot.sandbox.text import clean, compose, is_too_long, short_link, weighted_length

PEOPLE = {"kestrelair": (1, "KestrelAir"), "mia": (2, "mia"), "tom": (3, "tom")}


def composed(typed, prefix=(), media_key=None):
    return compose(typed, prefix=list(prefix), resolve=lambda handle: PEOPLE.get(handle.lower()), media_key=media_key)


@pytest.mark.parametrize(
    ("typed", "mentioned"),
    [
        ("@KestrelAir hello", ["KestrelAir"]),
        ("hello,@kestrelair!", ["KestrelAir"]),
        ("(@KestrelAir) and .@tom", ["KestrelAir", "tom"]),
        ("write to me@KestrelAir.example", []),
        ("see https://example.com/@KestrelAir", []),
        ("@KestrelAirways is somebody else", []),
        ("@nobody", []),
        ("@@tom", []),
        ("＠tom in full width", ["tom"]),
    ],
)
def test_only_real_mentions_of_real_people_count(typed, mentioned):
    assert [m["username"] for m in composed(typed).entities.get("mentions", [])] == mentioned


@pytest.mark.parametrize(
    "typed",
    ["@KestrelAir a<b & @tom", "😀 @tom 😀 @KestrelAir", "@tom\n\n@KestrelAir", "R&D&D @tom #a&b kestrel.example @mia"],
)
def test_every_entity_points_at_its_own_words(typed):
    result = composed(typed)
    for mention in result.entities["mentions"]:
        words = result.text[mention["start"] : mention["end"]]
        assert words.lower() == f"@{mention['username']}".lower()
    for link in result.entities.get("urls", []):
        assert result.text[link["start"] : link["end"]] == link["url"]


def test_the_hidden_prefix_lies_before_the_shown_text():
    result = composed("thanks & bye", prefix=[(1, "KestrelAir"), (3, "tom")])
    assert result.text == "@KestrelAir @tom thanks &amp; bye"
    start, end = result.display
    assert result.text[start:end] == "thanks &amp; bye"
    assert result.mentioned == (1, 3)


def test_a_photo_adds_a_link_after_the_shown_text():
    result = composed("@KestrelAir look", media_key="3_77")
    assert result.text[slice(*result.display)] == "@KestrelAir look"
    assert result.text.endswith(short_link("3_77"))


def test_a_bare_domain_is_a_link_like_any_other():
    (link,) = composed("go to www.kestrel.example.com/a-rather-long-path-indeed now").entities["urls"]
    assert link["expanded_url"] == "http://www.kestrel.example.com/a-rather-long-path-indeed"
    assert link["display_url"].endswith("…")
    assert len(link["display_url"]) == 27


def test_a_short_text_has_no_note_and_a_long_one_is_whole_in_it():
    assert composed("@KestrelAir " + "a" * 268).note is None
    result = composed("@KestrelAir " + "a" * 9000)
    assert result.text.endswith("…")
    assert result.note is not None
    assert len(result.note["text"]) == 9012


@pytest.mark.parametrize(
    ("typed", "weight"), [("", 0), ("a" * 280, 280), ("航" * 140, 280), ("😀", 2), ("example.com", 23)]
)
def test_characters_have_their_weight(typed, weight):
    assert weighted_length(typed) == weight
    assert not is_too_long(typed)


def test_text_that_cannot_be_stored_is_made_storable():
    assert clean("a\ud800b") == "a?b"
    assert clean("e\u0301") == "é"
    assert clean("nul \x00 and \u202ebidi") == "nul \x00 and \u202ebidi"
