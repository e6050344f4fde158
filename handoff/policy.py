"""Policy files: what a team lead changes, as commented YAML, read with errors that name the remedy."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

POLICIES = Path(__file__).parent / "policies"


class PolicyError(Exception):
    """A policy file cannot be used; the message names the file, the place and the remedy."""


def read_policy(path: Path) -> dict[str, Any]:
    """The file's keys and values; raises PolicyError, also for a key that stands twice."""
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" line {mark.line + 1}" if mark else ""
        problem = str(error.problem or error.context).splitlines()[0]
        raise PolicyError(
            f"{path.name}{place}: {problem}. Check the indentation, quotes and brackets there."
        ) from error
    except (OSError, UnicodeDecodeError, YAMLError, ValueError) as error:
        raise PolicyError(f"{path.name} cannot be read: {error}. Correct it or restore the shipped file.") from error
    if not isinstance(data, dict):
        raise PolicyError(f"{path.name}: it must hold keys with values, as the shipped file does.")
    return data


def refuse_unknown_keys(given: dict[str, Any], known: set[str], place: str) -> None:
    """Raise PolicyError for a key that nobody reads, most likely misspelt."""
    unknown = sorted(str(key) for key in given if key not in known)
    if unknown:
        raise PolicyError(f"{place}: unknown key “{unknown[0]}”; known are {', '.join(sorted(known))}.")
