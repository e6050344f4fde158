"""The cities Kestrel Air flies to, found by any of the spellings customers use."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

CITIES = Path(__file__).parent / "data" / "cities.yml"
CURRENCIES = ("GBP", "EUR")


class CitiesError(Exception):
    """The list of cities cannot be used; the message names the file, the entry and the remedy."""


@dataclass(frozen=True, kw_only=True)
class City:
    """One city, with its IATA code, its airports and the ways people write it."""

    code: str
    name: str
    country: str
    currency: str
    airports: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    misspellings: tuple[str, ...] = ()

    def codes(self) -> tuple[str, ...]:
        """The city's own code and those of its airports, each once."""
        return tuple(dict.fromkeys((self.code, *self.airports)))

    def names(self) -> tuple[str, ...]:
        """Every name, right or commonly wrong."""
        return (self.name, *self.aliases, *self.misspellings)


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """One way to write a city in running text."""

    text: str
    code: str
    exact_case: bool  # "MAD" is Madrid, "mad" is not


class Cities:
    """All cities; a name is looked up without regard to case, accents and punctuation."""

    def __init__(self, cities: Sequence[City]) -> None:
        self._cities = tuple(cities)
        self._by_code = {city.code: city for city in cities}
        self._by_spelling: dict[str, City] = {}
        for city in cities:
            for text in (*city.names(), *city.codes()):
                other = self._by_spelling.setdefault(folded(text), city)
                if other is not city:
                    raise CitiesError(f"“{text}” stands for both {other.name} and {city.name}; keep it once.")

    def __iter__(self) -> Iterator[City]:
        return iter(self._cities)

    def __len__(self) -> int:
        return len(self._cities)

    def named(self, text: str) -> City | None:
        """The city that this text, taken as a whole, is a name or code of."""
        return self._by_spelling.get(folded(text))

    def by_code(self, code: str) -> City | None:
        """The city with this IATA city code."""
        return self._by_code.get(code)

    def spellings(self) -> tuple[Spelling, ...]:
        """Every spelling to look for in running text, plain (unaccented) forms included."""
        found: dict[tuple[str, bool], Spelling] = {}
        for city in self._cities:
            for name in city.names():
                for text in dict.fromkeys((name, unaccented(name))):
                    found[text, False] = Spelling(text=text, code=city.code, exact_case=False)
            for code in city.codes():
                found[code, True] = Spelling(text=code, code=city.code, exact_case=True)
        return tuple(found.values())


def unaccented(text: str) -> str:
    """The text with accents removed: Málaga becomes Malaga."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def folded(text: str) -> str:
    """The text in the form spellings are compared in: no case, accents or punctuation, single spaces."""
    return re.sub(r"[\W_]+", " ", unaccented(text).casefold()).strip()


def load_cities(path: Path = CITIES) -> Cities:
    """Read the cities; raises CitiesError naming the entry that is wrong."""
    try:
        data = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError) as error:
        raise CitiesError(f"{path.name} cannot be read: {error}. Correct it or restore the shipped file.") from error
    entries = data.get("cities") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not entries:
        raise CitiesError(f"{path.name}: a list named “cities” is expected.")
    try:
        return Cities([_city(entry) for entry in entries])
    except CitiesError as error:
        raise CitiesError(f"{path.name}: {error}") from error


def _city(entry: Any) -> City:
    """A city from its entry; raises CitiesError."""
    if not isinstance(entry, dict):
        raise CitiesError(f"“{entry}” is not a city; write {{code: …, name: …, country: …, currency: …}}.")
    unknown = set(entry) - {"code", "name", "country", "currency", "airports", "aliases", "misspellings"}
    if unknown:
        raise CitiesError(f"{entry.get('name', entry)}: unknown key “{sorted(unknown)[0]}”.")
    for key in ("code", "name", "country", "currency"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise CitiesError(f"{entry.get('name', entry)}: “{key}” is missing (put quotes round NO).")
    if entry["currency"] not in CURRENCIES:
        raise CitiesError(f"{entry['name']}: currency “{entry['currency']}” must be one of {', '.join(CURRENCIES)}.")
    airports, aliases, misspellings = (_texts(entry, key) for key in ("airports", "aliases", "misspellings"))
    if not all(re.fullmatch("[A-Z]{3}", code) for code in (entry["code"], *airports)):
        raise CitiesError(f"{entry['name']}: IATA codes are three capital letters.")
    return City(
        code=entry["code"],
        name=entry["name"],
        country=entry["country"],
        currency=entry["currency"],
        airports=airports,
        aliases=aliases,
        misspellings=misspellings,
    )


def _texts(entry: dict[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts, empty where the key is missing."""
    texts = entry.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise CitiesError(f"{entry['name']}: “{key}” must be a list of texts.")
    return tuple(texts)
