"""Phrases: the small language in which sensitive words are written, and the text they are looked for in.

`policies/sensitive.yml` explains the language to its readers; this file turns it into regular expressions.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, pairwise

import regex

# two words of a phrase may be apart by anything but a letter, a digit or the end of a sentence
_BETWEEN = r"[^\p{L}\p{N}.!?;\n]{1,8}+"
_GAP_WORDS = 4
_HIDDEN = regex.compile(r"(?:https?://|www\.)\S+|(?<![\p{L}\p{N}])@\w+|\.{2,}")
_WORD = regex.compile(r"[\p{L}\p{N}]+\*?")
_DRAWN_OUT = 3  # "worsttt" is read as "worst"
# "don t" and "i m", as some phones and old systems write them
_SPLIT = regex.compile(
    r"(?<=\b(?:do|ca|wo|does|did|is|was|are|were|have|has|had|could|would|should)n)[ ?](?=t\b)"
    r"|(?<=\b(?:i|you|we|they|he|she|it|that)) (?=(?:m|re|ve|ll|s)\b)",
    regex.IGNORECASE,
)


class PhraseError(ValueError):
    """A phrase is not written in the language; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class PlainText:
    """A text as phrases see it, with the place in the original of each of its characters."""

    text: str
    places: tuple[int, ...]

    def original(self, begins: int, ends: int) -> tuple[int, int]:
        """Where a stretch of the plain text stands in the original."""
        return self.places[begins], self.places[ends - 1] + 1


def plain(text: str) -> PlainText:
    """The text without case, accents, apostrophes, invisible characters, links, @names and drawn-out letters."""
    shown = _HIDDEN.sub(lambda match: " " * len(match.group()), text.replace("…", " "))
    shown = _SPLIT.sub("\0", shown)  # as good as no character at all
    read = [(part, place) for place, char in enumerate(shown) for part in _read(char)]
    kept = [one for _, run in groupby(read, key=lambda one: one[0]) for one in _undrawn(list(run))]
    return PlainText(text="".join(part for part, _ in kept), places=tuple(place for _, place in kept))


def _undrawn(run: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """One letter of a drawn-out run, and any other run as it is."""
    return run[:1] if len(run) >= _DRAWN_OUT and run[0][0].isalpha() else run


def _read(char: str) -> str:
    """What is left of a character; "" for what only hides words."""
    if char.isascii():
        return "" if char in "'`\0" else char.lower()
    if char in "’‘ʼ´＇":
        return ""
    return "".join(
        part
        for part in unicodedata.normalize("NFKD", char).casefold()
        if unicodedata.category(part) not in ("Mn", "Cf")
    )


def pattern(phrase: str) -> str:
    """The regular expression of one phrase; raises PhraseError."""
    words = phrase.split()
    whole = bool(words) and words[0] == "="
    words = words[1:] if whole else words
    if not words or words[0] == "..." or words[-1] == "...":
        raise PhraseError(f"“{phrase}” must begin and end with a word.")
    if all(word.endswith("?") or word == "..." for word in words):
        raise PhraseError(f"“{phrase}” has no word that must be there.")
    if words[0].endswith("?") or any(one == two == "..." for one, two in pairwise(words)):
        raise PhraseError(f"“{phrase}” must not begin with a word that may be missing, nor have two gaps in a row.")
    expression = _alternatives(words[0], phrase)
    for word in words[1:]:
        expression += _next(word, phrase)
    edges = (r"\A[^\p{L}\p{N}]*+", r"[^\p{L}\p{N}]*+\Z") if whole else (r"(?<![\p{L}\p{N}])", r"(?![\p{L}\p{N}])")
    return edges[0] + expression + edges[1]


def _next(word: str, phrase: str) -> str:
    """One further word, with what may stand before it."""
    if word == "...":
        return rf"(?:{_BETWEEN}[\p{{L}}\p{{N}}]++){{0,{_GAP_WORDS}}}?"
    if word.endswith("?"):
        return rf"(?:{_BETWEEN}{_alternatives(word[:-1], phrase)})?"
    return _BETWEEN + _alternatives(word, phrase)


def _alternatives(word: str, phrase: str) -> str:
    """Any of the words between slashes, whole words only."""
    found = [plain(choice).text for choice in word.split("/")]
    wrong = [choice for choice in found if not _WORD.fullmatch(choice)]
    if wrong:
        raise PhraseError(f"“{phrase}” has “{wrong[0]}” where a word is expected.")
    parts = (regex.escape(c.removesuffix("*")) + (r"[\p{L}\p{N}]*+" if c.endswith("*") else "") for c in found)
    return rf"(?:{'|'.join(parts)})(?![\p{{L}}\p{{N}}])"


def compiled(phrases: Iterable[str]) -> regex.Pattern[str]:
    """One expression for many phrases; the group p<n> that matched tells which; raises PhraseError."""
    parts = [f"(?P<p{number}>{pattern(phrase)})" for number, phrase in enumerate(phrases)]
    return regex.compile("|".join(parts) or r"(?!)")


def negation(negators: Iterable[str]) -> regex.Pattern[str]:
    """What must end right before a phrase to negate it: a negator and up to two more words of the clause.

    "Why don't you let me ..." asks for it, so a negator after "why" does not count.
    """
    alternatives = "|".join(pattern(negator) for negator in negators) or "(?!)"
    filler = r"(?:[^\p{L}\p{N}.!?;,:\n]{1,8}+[\p{L}\p{N}]++){0,2}?"
    return regex.compile(rf"(?<!why )(?:{alternatives}){filler}[^\p{{L}}\p{{N}}.!?;,:\n]{{1,8}}+\Z")
