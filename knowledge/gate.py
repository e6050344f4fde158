"""The editor's choice of how sure the bot has to be, and the off-topic lines it is measured against."""

from typing import Any

import yaml

from knowledge.confidence import Gate
from knowledge.problem import Problem

MIN_OFF_TOPIC = 60
_KEYS = ("answer_precision", "clarify_precision", "lowest_answer", "lowest_clarify")


def parse_gate(file: str, text: str) -> tuple[Gate | None, list[Problem]]:
    """Read gate.yml; None when anything in it is wrong."""
    values, problems = _load(file, text)
    if problems:
        return None, problems
    if not isinstance(values, dict) or set(values) != set(_KEYS):
        remedy = f"Write exactly these: {', '.join(_KEYS)}."
        return None, [Problem(file=file, message="has other keys than a gate.", remedy=remedy)]
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
            message, remedy = f"{value!r} is no probability.", "Write a number between 0 and 1, like 0.9."
            problems.append(Problem(file=file, field=key, message=message, remedy=remedy))
    return (None, problems) if problems else (Gate(**values), [])


def parse_off_topic(file: str, text: str) -> tuple[tuple[str, ...] | None, list[Problem]]:
    """Read off_topic.yml, a list of lines; None when anything in it is wrong."""
    values, problems = _load(file, text)
    if problems:
        return None, problems
    if not isinstance(values, list) or not all(isinstance(line, str) and line.strip() for line in values):
        remedy = "Write a list of lines, each beginning with '- '; put numbers and yes/no into quotes."
        return None, [Problem(file=file, message="is no list of lines.", remedy=remedy)]
    lines = tuple(dict.fromkeys(line.strip() for line in values))
    if len(lines) < MIN_OFF_TOPIC:
        remedy = f"Write at least {MIN_OFF_TOPIC}, as different as you can."
        return None, [Problem(file=file, message=f"has {len(lines)} different lines.", remedy=remedy)]
    return lines, []


def _load(file: str, text: str) -> tuple[Any, list[Problem]]:
    try:
        return yaml.safe_load(text), []
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        remedy = "Correct that line; text with a colon or a hash needs quotation marks around it."
        what = getattr(error, "problem", None) or error
        line = mark.line + 1 if mark else None
        return None, [Problem(file=file, line=line, message=f"is not YAML: {what}.", remedy=remedy)]
