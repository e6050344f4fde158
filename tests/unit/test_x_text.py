"""Texts of X: read without what is not the customer's, measured as X measures, held against X's own cases."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from twitter_text import extract_urls, parse_tweet
from twitter_text.config import config

from bot.channels.x.text import (
    PUBLIC_LIMIT,
    clean_direct,
    clean_post,
    comparable,
    fits_public,
    readable,
    shorten,
    urls_in,
    weighted_length,
)

SHARED = Path(os.environ.get("FRONTDESK_SHARED") or Path(__file__).parents[3] / "shared") / "x"


def conformance(file: str, section: str) -> list[Any]:
    """X's own cases, or one that says why there are none."""
    path = SHARED / file
    if not path.exists():
        skip = pytest.mark.skip(reason="shared/x not present (X's conformance cases are not part of this project)")
        return [pytest.param({}, marks=skip)]
    cases = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"][section]
    return [pytest.param(case, id=f"{section}-{number}") for number, case in enumerate(cases)]


def cleaned(text: str, *, hidden_prefix: int = 0, urls: list[dict[str, Any]] | None = None, pictures: int = 0) -> str:
    return clean_post(text, hidden_prefix=hidden_prefix, urls=urls or [], pictures=pictures).text


def test_the_mention_that_leads_a_post_is_not_part_of_the_question() -> None:
    assert cleaned("@KestrelAir where is my bag?") == "where is my bag?"
    assert cleaned("@KestrelAir, @friend: where is my bag?") == "where is my bag?"
    assert cleaned("hey @KestrelAir where is my bag?") == "hey @KestrelAir where is my bag?"


def test_the_hidden_mentions_of_a_reply_are_cut_before_it_is_unescaped() -> None:
    assert cleaned("@KestrelAir @tom fish &amp; chips &lt;3", hidden_prefix=17) == "fish & chips <3"


def test_a_range_that_does_not_fit_the_text_cuts_no_words() -> None:
    assert cleaned("where is my bag?", hidden_prefix=9) == "where is my bag?"
    assert cleaned("@KestrelAir where?", hidden_prefix=500) == "where?"


def test_short_links_are_read_in_full() -> None:
    urls = [{"url": "https://t.co/abc", "expanded_url": "https://shop.example/?a=1&b=2"}]
    found = clean_post("@KestrelAir this one https://t.co/abc please", hidden_prefix=0, urls=urls, pictures=0)
    assert found.text == "this one https://shop.example/?a=1&b=2 please"
    assert found.links == ("https://shop.example/?a=1&b=2",)


def test_a_link_alone_is_no_text_but_a_link() -> None:
    urls = [{"url": "https://t.co/abc", "expanded_url": "https://shop.example/1"}]
    found = clean_direct("https://t.co/abc", urls=urls, pictures=0)
    assert (found.text, found.links) == ("", ("https://shop.example/1",))


@pytest.mark.parametrize("entity", [{"media_key": "3_1"}, {"expanded_url": "https://x.com/mia/status/1/photo/1"}])
def test_a_picture_alone_is_no_text_but_a_picture(entity: dict[str, str]) -> None:
    urls = [{"url": "https://t.co/pic", **entity}]
    found = clean_post("@KestrelAir https://t.co/pic", hidden_prefix=0, urls=urls, pictures=0)
    assert (found.text, found.links, found.pictures) == ("", (), 1)


def test_the_link_that_x_adds_for_pictures_is_cut_even_without_an_entity() -> None:
    assert cleaned("@KestrelAir look https://t.co/pic", pictures=2) == "look"


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("", ""),
        (" \t\n ", ""),
        ("a\x00b\x07c", "abc"),
        ("pay \u202eeruces\u202c now \u2066x\u2069", "pay eruces now x"),
        ("cafe\u0301", "café"),
        ("one  \t two\r\n\r\n\r\n\r\nthree\u2028four", "one two\n\nthree\nfour"),
        ("👩\u200d👩\u200d👧 hi", "👩\u200d👩\u200d👧 hi"),
        ("broken \ud800 half", "broken half"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
    ],
)
def test_a_text_is_made_fit_for_reading(raw: str, read: str) -> None:
    assert readable(raw) == read


def test_a_text_has_at_most_ten_thousand_characters() -> None:
    assert len(readable("x" * 25_000)) == 10_000


@given(st.text(max_size=300), st.integers(0, 400))
def test_any_text_can_be_cleaned_and_stored(text: str, hidden_prefix: int) -> None:
    found = cleaned(text, hidden_prefix=hidden_prefix)
    assert found == readable(found)
    found.encode()


@pytest.mark.parametrize("text", ["@a " * 4000, "@" * 10_000, "a.b/" * 2500, "https://t.co/" * 800, "\u0301" * 10_000])
def test_a_hostile_text_is_cleaned_in_no_time(text: str) -> None:
    began = time.perf_counter()
    clean_post(text, hidden_prefix=5000, urls=[{"url": "https://t.co/", "expanded_url": "y"}], pictures=1)
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("abc", 3), ("日本", 4), ("👩‍👩‍👧", 2), ("see kestrelair.example.com/a/b/c", 27), ("ﬁ\n", 3)],
)
def test_a_text_weighs_what_x_says(text: str, length: int) -> None:
    assert weighted_length(text) == length


def test_a_bare_domain_is_a_link() -> None:
    assert urls_in("see kestrel.com or https://t.co/abc") == ["kestrel.com", "https://t.co/abc"]
    assert urls_in("Your bag weighs 23.5 kg. OK?") == []


def test_a_long_answer_ends_after_a_whole_sentence() -> None:
    text = "Your bag is in Leeds. " * 20
    short = shorten(text)
    assert fits_public(short)
    assert short.endswith("Leeds.")
    assert shorten("Short.") == "Short."


def test_an_answer_without_sentences_ends_after_a_word() -> None:
    assert shorten("one two three four", 12) == "one two…"
    assert shorten("x" * 400, 20) == "x" * 18 + "…"


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("ab .!?\né日👩\u200d\u0301"), max_size=400), st.integers(5, 280))
def test_a_shortened_text_always_fits(text: str, limit: int) -> None:
    assert weighted_length(shorten(text, limit)) <= limit


@pytest.mark.parametrize(
    ("ours", "theirs", "urls"),
    [
        ("Fish & chips  <3", "@mia Fish &amp; chips &lt;3", []),
        (
            "See kestrel.com/a now.",
            "See https://t.co/x now.",
            [{"url": "https://t.co/x", "expanded_url": "http://kestrel.com/a"}],
        ),
        ("cafe\u0301", "café", []),
    ],
)
def test_our_words_are_recognised_after_x_changed_them(ours: str, theirs: str, urls: list[dict[str, str]]) -> None:
    assert comparable(ours) == comparable(theirs, urls)


def test_different_words_stay_different() -> None:
    assert comparable("Gate 4.") != comparable("Gate 5.")


@pytest.mark.parametrize("case", conformance("twitter_text_validate.yml", "WeightedTweetsCounterTest"))
def test_x_counts_weights_in_the_older_way(case: dict[str, Any]) -> None:
    older = {**config["version2"], "emoji_parsing_enabled": False}
    assert parse_tweet(case["text"], older).weightedLength == case["expected"]["weightedLength"]


@pytest.mark.parametrize(
    "case",
    conformance("twitter_text_validate.yml", "WeightedTweetsWithDiscountedEmojiCounterTest")
    + conformance("twitter_text_validate.yml", "UnicodeDirectionalMarkerCounterTest"),
)
def test_x_counts_weights(case: dict[str, Any]) -> None:
    assert weighted_length(case["text"]) == case["expected"]["weightedLength"]
    assert (weighted_length(case["text"]) <= PUBLIC_LIMIT) or not case["expected"]["valid"]


@pytest.mark.parametrize("case", conformance("twitter_text_extract.yml", "urls"))
def test_x_finds_links(case: dict[str, Any]) -> None:
    assert urls_in(case["text"]) == case["expected"]
    assert extract_urls(case["text"]) == case["expected"]
