"""Texts on X: cleaned for reading when they come in, measured and shortened when they go out."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twitter_text import extract_urls_with_indices, parse_tweet
from twitter_text.config import config

from handoff.words import LONGEST_TEXT_CHARS

PUBLIC_LIMIT = 280
"""Weighted characters of a post by an account without a paid plan. The library errs on the safe side: emoji younger
than its table of 2019 count high."""
_WEIGHTS = config["version3"]
_MENTION_RUN = re.compile(r"\s*(?:[@＠][A-Za-z0-9_]{1,15}(?![A-Za-z0-9_])[\s,:]*)+")
_TRAILING_SHORT_LINKS = re.compile(r"(?:\s*https?://t\.co/[A-Za-z0-9]+)+\s*$")
_SPACES = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n{3,}")
_SENTENCE_END = re.compile(r"[.!?…。！？](?=[\s\"'”’)]|$)|\n")
_LINE_ENDS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n"})
_INVISIBLE = frozenset("\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff") | {
    chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Direction marks and zero-width characters that can only mislead; joiners stay, emoji are made with them."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A text fit for reading, and what was attached to it."""

    text: str
    links: tuple[str, ...]
    pictures: int


def clean_post(text: str, *, hidden_prefix: int, urls: Iterable[Mapping[str, Any]], pictures: int) -> Cleaned:
    """A post without the mentions that lead it, its t.co links expanded, its pictures counted.

    `hidden_prefix`: where the shown text begins (X puts the mentions of a thread before it), in the text as it came,
    which is HTML-escaped.
    """
    shown = text[hidden_prefix:] if _MENTION_RUN.fullmatch(text[:hidden_prefix]) else text
    expanded, links, found = _expanded(shown, urls)
    if pictures:  # X adds a link for them, not always as an entity
        expanded = _TRAILING_SHORT_LINKS.sub("", _SPACES.sub(" ", expanded))
    plain = without_leading_mentions(html.unescape(expanded))
    return Cleaned(text=_unless_links_alone(plain, links), links=links, pictures=max(pictures, found))


def clean_direct(text: str, *, urls: Iterable[Mapping[str, Any]], pictures: int) -> Cleaned:
    """A direct message, its t.co links expanded and its pictures counted."""
    expanded, links, found = _expanded(text, urls)
    return Cleaned(text=_unless_links_alone(html.unescape(expanded), links), links=links, pictures=max(pictures, found))


def readable(text: str) -> str:
    """NFC, no control, direction or invisible characters, single spaces, at most 10,000 characters."""
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").translate(_LINE_ENDS))
    kept = "".join(c for c in lines if c in "\n\t" or not (c in _INVISIBLE or unicodedata.category(c) in ("Cc", "Cs")))
    stripped = "\n".join(line.strip() for line in _SPACES.sub(" ", kept).split("\n"))
    return _MANY_LINES.sub("\n\n", stripped).strip()[:LONGEST_TEXT_CHARS].rstrip()


def without_leading_mentions(text: str) -> str:
    """The text behind the mentions that lead it."""
    run = _MENTION_RUN.match(text)
    return text[run.end() :] if run else text


def weighted_length(text: str) -> int:
    """How long X finds a text: most scripts count 1 a character, others and emoji 2, a link 23."""
    return int(parse_tweet(text, _WEIGHTS).weightedLength) if text else 0


def fits_public(text: str) -> bool:
    """Whether a text fits into a post."""
    return weighted_length(text) <= PUBLIC_LIMIT


def urls_in(text: str) -> list[str]:
    """What X takes for links in a text, bare domains included."""
    return [found["url"] for found in extract_urls_with_indices(text)]


def shorten(text: str, limit: int = PUBLIC_LIMIT) -> str:
    """The text up to the last sentence that fits into `limit` weighted characters, else up to the last word, with …."""
    if weighted_length(text) <= limit:
        return text
    room = _longest_beginning(text, limit - 2)  # … weighs up to 2
    ends = [found.end() for found in _SENTENCE_END.finditer(room)]
    if ends and ends[-1] >= len(room) // 2:
        return room[: ends[-1]].rstrip()
    word_end = max(room.rfind(" "), room.rfind("\n"))
    kept = room[:word_end] if word_end > 0 else room
    return kept.rstrip(" \n,;:-–(") + "…"


def comparable(text: str, urls: Iterable[Mapping[str, Any]] = ()) -> str:
    """A text without what X changes when it publishes it: escapes, mentions in front, wrapped links, spacing."""
    plain = text
    for url in urls:
        plain = plain.replace(str(url.get("url") or "\0"), " \ufffc ")
    plain = without_leading_mentions(readable(html.unescape(plain)))
    for found in reversed(extract_urls_with_indices(plain)):
        start, end = found["indices"]
        plain = f"{plain[:start]} \ufffc {plain[end:]}"
    return " ".join(plain.split())


def _longest_beginning(text: str, limit: int) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if weighted_length(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    while low and unicodedata.combining(text[low] if low < len(text) else "a"):
        low -= 1  # an accent stays with its letter
    return text[:low]


def _expanded(text: str, urls: Iterable[Mapping[str, Any]]) -> tuple[str, tuple[str, ...], int]:
    links: list[str] = []
    pictures: set[str] = set()
    for url in urls:
        short, full = str(url.get("url") or ""), str(url.get("expanded_url") or url.get("url") or "")
        if not short:
            continue
        if _is_picture(url, full):
            pictures.add(full)
            text = text.replace(short, " ")
        else:
            if full not in links:
                links.append(full)
            text = text.replace(short, html.escape(full, quote=False))
    return text, tuple(links), len(pictures)


def _is_picture(url: Mapping[str, Any], full: str) -> bool:
    if url.get("media_key"):
        return True
    return bool(re.search(r"//(?:www\.|mobile\.)?(?:twitter|x)\.com/[^/]+/status/\d+/(?:photo|video)/\d", full)) or (
        "//ton.twitter.com/" in full
    )


def _unless_links_alone(text: str, links: tuple[str, ...]) -> str:
    """Empty where nothing but links was written."""
    cleaned = readable(text)
    rest = cleaned
    for link in sorted(links, key=len, reverse=True):
        rest = rest.replace(link, " ")
    return cleaned if rest.strip() else ""
