"""Sensitive words as a team lead writes them: reads policies/sensitive.yml."""

from pathlib import Path
from typing import Any

from handoff.phrases import PhraseError
from handoff.policy import POLICIES, PolicyError, read_policy, refuse_unknown_keys
from handoff.sensitivity import Category, Sensitivity

SENSITIVE = POLICIES / "sensitive.yml"
MAX_PUBLIC_CHARS = 260  # a post holds 280, and begins with the customer's name
KEYS = {"reason", "priority", "negation", "phrases", "exceptions", "public", "private", "questions", "answer_first"}


def load_sensitivity(path: Path = SENSITIVE) -> Sensitivity:
    """Read the rules; raises PolicyError with file, place and remedy."""
    data = read_policy(path)
    try:
        refuse_unknown_keys(data, {"negators", "categories"}, "at the top")
        entries = data.get("categories")
        if not isinstance(entries, dict) or not entries:
            raise PolicyError("categories: none is given, so nothing would ever reach a person. List them.")
        categories = [_category(str(name), entry) for name, entry in entries.items()]
        return _compiled(categories, _texts(data, "negators", "at the top"))
    except PolicyError as error:
        raise PolicyError(f"{path.name}: {error}") from error


def _compiled(categories: list[Category], negators: tuple[str, ...]) -> Sensitivity:
    """The rules, or the category whose phrase is wrong."""
    for category in categories:
        try:
            Sensitivity([category], negators=())
        except PhraseError as error:
            raise PolicyError(f"{category.name}: {error} Correct the phrase.") from error
    try:
        return Sensitivity(categories, negators=negators)
    except PhraseError as error:
        raise PolicyError(f"negators: {error} Correct it.") from error


def _category(name: str, entry: Any) -> Category:
    if not isinstance(entry, dict):
        raise PolicyError(f"{name}: give reason, priority, phrases, public and private.")
    refuse_unknown_keys(entry, KEYS, name)
    for key in ("reason", "public", "private"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise PolicyError(f"{name}: {key} is missing. Write it as text.")
    if len(entry["public"]) > MAX_PUBLIC_CHARS:
        raise PolicyError(f"{name}: public has {len(entry['public'])} characters; keep it under {MAX_PUBLIC_CHARS}.")
    if entry.get("negation", "counts") not in ("counts", "ignored"):
        raise PolicyError(f"{name}: negation must be “ignored”, or left out.")
    if type(entry.get("answer_first", False)) is not bool:
        raise PolicyError(f"{name}: answer_first must be true or false.")
    phrases = _texts(entry, "phrases", name)
    questions = _number(entry, "questions", name, 2, 20) if "questions" in entry else None
    if not phrases and questions is None:
        raise PolicyError(f"{name}: it has no phrases, so it would never match. List some, or remove it.")
    return Category(
        name=name,
        reason=entry["reason"],
        priority=_number(entry, "priority", name, 0, 100),
        notice_public=entry["public"].strip(),
        notice_private=entry["private"].strip(),
        phrases=phrases,
        exceptions=_texts(entry, "exceptions", name),
        negation_ignored=entry.get("negation") == "ignored",
        answer_first=entry.get("answer_first", False),
        questions=questions,
    )


def _texts(entry: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    texts = entry.get(key) or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"{place}: {key} must be a list of texts; put quotes round one that looks like a number.")
    return tuple(texts)


def _number(entry: dict[str, Any], key: str, place: str, least: int, most: int) -> int:
    value = entry.get(key)
    if type(value) is not int or not least <= value <= most:
        raise PolicyError(f"{place}: {key} “{value}” must be a whole number from {least} to {most}.")
    return value
