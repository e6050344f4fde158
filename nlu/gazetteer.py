"""The cities in a text, and whether the customer means from there or to there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import spacy
from ruamel.yaml import YAML
from spacy.matcher import PhraseMatcher
from spacy.tokens import Span
from spacy.util import filter_spans

ORIGIN, DESTINATION, NOT_MEANT = "origin", "destination", "not_meant"

_FROM = re.compile(
    r"\b(?:from|ex|leaving|departing|out of|starting(?: in| at)?|based in|live in|living in"
    r"|(?:i['’]?m|i am|we['’]?re|we are) in)\s+$",
    re.IGNORECASE,
)
_TO = re.compile(r"(?:\b(?:to|into|towards|visit|visiting|going)\s+|(?:->|→|»|>)\s*)$", re.IGNORECASE)
_NOT = re.compile(r"\b(?:not|instead of|rather than)\s+(?:from\s+|to\s+)?$", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:to|[-–—/>]|->|→|and|,)?\s*", re.IGNORECASE)

# a capitalised word, or a word at the end of a clause, where a place is expected
_WORD = r"[^\W\d_][\w'’-]{1,24}"
_UNKNOWN = re.compile(
    rf"\b(?P<role>from|to)\s+(?P<name>{_WORD}(?:\s{_WORD}){{0,2}}?)"
    r"(?=\s*(?:$|[?.!,;:#]|[-–]\s|\b(?:in|on|at|for|from|to|and|or|please|pls|plz|next|this|tomorrow|today|one|return|round"
    r"|price|prices|how|with|by|cheap|the|around|via|is|cost|costs|as|if)\b))",
    re.IGNORECASE,
)
_NO_PLACE = """
a an the my your our his her their its this that these those me you us him them it there here home work anywhere
somewhere
everywhere nowhere where fly travel go get book buy pay be do have know see ask say tell change check cancel find take
bring make use talk speak someone somebody everyone person human day date tomorrow today tonight next month week weekend
summer winter spring autumn christmas xmas easter january february march april may june july august september october
november december monday tuesday wednesday thursday friday saturday sunday one two three now then abroad europe both
either another other some any no yes not what which who when how much add upgrade cost spend hear customer economy
business premium gate airport seat plane
"""
_NO_PLACES = frozenset(_NO_PLACE.split())


@dataclass(frozen=True, kw_only=True)
class FoundPlace:
    """A place in a text: a city by its name, or the customer's own word where we do not know it."""

    city: str | None
    written: str
    start: int
    end: int
    role: str | None


class Gazetteer:
    """Finds cities by every spelling that the data file knows."""

    def __init__(self, cities: Sequence[Mapping[str, Any]], *, ambiguous: Sequence[str] = ()) -> None:
        self._language = spacy.blank("en")
        self._names = PhraseMatcher(self._language.vocab, attr="LOWER")
        self._codes = PhraseMatcher(self._language.vocab, attr="ORTH")
        self._ambiguous = frozenset(word.lower() for word in ambiguous)
        for city in cities:
            names = [city["name"], *city.get("aliases", []), *city.get("misspellings", [])]
            spellings = {*names, *(_unaccented(name) for name in names)}
            self._names.add(city["name"], [self._language.make_doc(name) for name in spellings])
            self._codes.add(
                city["name"],
                [self._language.make_doc(code) for code in {city["code"], *city.get("airports", [])}],
            )

    def find(self, text: str) -> list[FoundPlace]:
        """The places of a text in its order, roles filled in; unknown ones only where a place is expected."""
        named = [self._with_role(place, text) for place in self._known(text)]
        meant = [place for place in named if place.role != NOT_MEANT and self._is_meant(place, text)]
        known = _paired(meant, text)
        taken = {place.role for place in known}
        return [*known, *(place for place in _unknown(text, known) if place.role not in taken)]

    def _known(self, text: str) -> Iterator[FoundPlace]:
        document = self._language.make_doc(text)
        spans = [
            Span(document, start, end, label=label)
            for matcher in (self._names, self._codes)
            for label, start, end in matcher(document)
        ]
        for span in sorted(filter_spans(spans), key=lambda one: one.start):
            yield FoundPlace(city=span.label_, written=span.text, start=span.start_char, end=span.end_char, role=None)

    def _with_role(self, place: FoundPlace, text: str) -> FoundPlace:
        before = text[: place.start]
        for role, pattern in ((NOT_MEANT, _NOT), (ORIGIN, _FROM), (DESTINATION, _TO)):
            if pattern.search(before):
                return replace(place, role=role)
        return place

    def _is_meant(self, place: FoundPlace, text: str) -> bool:
        """Whether a city's name that is also a common word ("nice") stands for the city here."""
        if place.written.lower() not in self._ambiguous or place.role:
            return True
        alone = not text[: place.start].strip(" \n") and not text[place.end :].strip(" \n?.!")
        return (place.written[0].isupper() and bool(text[: place.start].strip())) or (
            alone and place.written[0].isupper()
        )


def read_gazetteer(path: Path, *, ambiguous: Sequence[str] = ()) -> Gazetteer:
    """The gazetteer of a cities file; raises what reading and a missing key raise."""
    data = YAML(typ="safe", pure=True).load(path)
    return Gazetteer(data["cities"], ambiguous=ambiguous)


def _unaccented(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def _paired(places: list[FoundPlace], text: str) -> list[FoundPlace]:
    """Roles for "London to Paris", "LON-PAR", "london paris" and "Paris from London"."""
    done = list(places)
    for index in range(len(done) - 1):
        one, other = done[index], done[index + 1]
        if one.role is None and _BETWEEN.fullmatch(text[one.end : other.start]) and other.role != ORIGIN:
            done[index], done[index + 1] = replace(one, role=ORIGIN), replace(other, role=DESTINATION)
        elif one.role is None and other.role in (ORIGIN, DESTINATION):
            done[index] = replace(one, role=DESTINATION if other.role == ORIGIN else ORIGIN)
        elif other.role is None and one.role in (ORIGIN, DESTINATION):
            done[index + 1] = replace(other, role=DESTINATION if one.role == ORIGIN else ORIGIN)
    return done


def _unknown(text: str, known: Sequence[FoundPlace]) -> Iterator[FoundPlace]:
    for match in _UNKNOWN.finditer(text):
        start, end = match.span("name")
        words = match["name"].lower().split()
        overlaps = any(start < place.end and place.start < end for place in known)
        if overlaps or _NO_PLACES.intersection(words):
            continue
        role = ORIGIN if match["role"].lower() == "from" else DESTINATION
        yield FoundPlace(city=None, written=match["name"], start=start, end=end, role=role)
