"""Settings from files: the one that FRONTDESK_SETTINGS names, and those that hold a single secret each."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

LONGEST_SECRET_BYTES = 16_384
_PREFIX = "FRONTDESK_"
"""Of most names, so two of them are not alike for having it."""


class FileRefused(Exception):
    """A file cannot be used; the text names it and the remedy, and quotes nothing of what it holds."""


def read_settings_file(path: Path, known: Collection[str]) -> dict[str, str]:
    """Name -> value as an environment would have it; raises FileRefused, also for a name that is no setting."""
    data = _parsed(path)
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise FileRefused(f"{path} must hold names of settings with their values, as FRONTDESK_HOST: 0.0.0.0.")
    for name in data:
        if name not in known:
            raise FileRefused(f"{path}: {_unknown(str(name), known)}")
    return {name: _text(path, name, value) for name, value in data.items()}


def read_secret(name: str, path: Path) -> str:
    """What the file of a secret holds, without the line break at its end; raises FileRefused."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_SECRET_BYTES + 1)
    except OSError as error:
        raise FileRefused(
            f"{name}: {path} cannot be read ({error.strerror}). Correct the path or its rights."
        ) from None
    try:
        text = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise FileRefused(f"{name}: {path} is no text. Put the secret alone into it.") from None
    if not text.strip():
        raise FileRefused(f"{name}: {path} is empty. Put the secret into it, or unset {name}.")
    if len(data) > LONGEST_SECRET_BYTES or "\n" in text or "\0" in text:
        raise FileRefused(f"{name}: {path} holds more than one line. Put the secret alone into it.")
    return text


def nearest(name: str, known: Collection[str]) -> str | None:
    """The setting that a misspelt name most likely means."""
    by_core = {one.removeprefix(_PREFIX): one for one in sorted(known)}
    found = get_close_matches(name.upper().removeprefix(_PREFIX), by_core, n=1, cutoff=0.7)
    return by_core[found[0]] if found else None


def _unknown(name: str, known: Collection[str]) -> str:
    meant = nearest(name, known)
    remedy = f"Did you mean {meant}?" if meant else "The README lists them all; remove it."
    return f"“{name[:80]}” is no setting. {remedy}"


def _parsed(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileRefused(f"{path} cannot be read ({error.strerror}). Correct FRONTDESK_SETTINGS.") from None
    except UnicodeDecodeError:
        raise FileRefused(f"{path} is no UTF-8 text. Correct FRONTDESK_SETTINGS.") from None
    match path.suffix.lower():
        case ".toml":
            return _toml(path, text)
        case ".yml" | ".yaml":
            return _yaml(path, text)
        case _:
            raise FileRefused(f"{path} must end in .toml, .yml or .yaml, so that it is known how to read it.")


def _toml(path: Path, text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Its text names line and column; what the line holds may be a secret and is not in it.
        raise FileRefused(f"{path} is no TOML: {str(error)[:120]}. Correct that line.") from None


def _yaml(path: Path, text: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)  # refuses a name that stands twice
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise FileRefused(f"{path} is no YAML{place}. Correct that line; a name may stand only once.") from None


def _text(path: Path, name: str, value: Any) -> str:
    """Numbers and yes/no as a person would write them into the environment; nothing at all is not set."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    raise FileRefused(f"{path}: {name} must be a text or a number, not a list or a table.")
