"""Logs: lines with ids, never with what a customer wrote. Each test logs in a process of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest

WORDS = "my secret order is KA-123456"


def _lines(script: str, *, level: str = "info", form: str = "json") -> list[str]:
    whole = (
        f"from bot.logs import set_up_logs\nset_up_logs('test', level={level!r}, form={form!r})\nW={WORDS!r}\n{script}"
    )
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "", "logs go to standard error, so that --json stays clean"
    return done.stderr.splitlines()


def _events(script: str, *, level: str = "info") -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(script, level=level)]


def test_a_line_is_json_with_process_level_time_and_ids() -> None:
    script = "import structlog\nstructlog.get_logger().info('turn', conversation='x:7', messages=['dm:1'])"
    [event] = _events(script)
    assert event["event"] == "turn"
    assert event["process"] == "test"
    assert event["level"] == "info"
    assert event["conversation"] == "x:7"
    assert event["messages"] == ["dm:1"]
    assert event["timestamp"].endswith("Z")


def test_what_is_below_the_level_is_not_written() -> None:
    script = "import structlog\nlog=structlog.get_logger()\nlog.debug('no')\nlog.info('no')\nlog.warning('yes')"
    assert [event["event"] for event in _events(script, level="warning")] == ["yes"]


def test_texts_under_telling_names_are_masked() -> None:
    script = "import structlog\nstructlog.get_logger().info('x', text=W, user_text=W, slots={'a': W})"
    [event] = _events(script)
    assert WORDS not in json.dumps(event)
    assert event["text"] == f"<{len(WORDS)} characters>"


def test_a_messages_id_stays_readable() -> None:
    script = "import structlog\nstructlog.get_logger().info('x', message='post:1900000000000000001')"
    assert _events(script)[0]["message"] == "post:1900000000000000001"


def test_rasas_lines_lose_their_arguments_and_tracebacks() -> None:
    script = """
import logging
log = logging.getLogger("rasa.core.processor")
log.info("hidden: the level is too low")
log.warning("Could not handle %s", W)
log.warning(f"Failed on '{W}'")
try:
    raise ValueError(W)
except ValueError:
    log.exception("Action failed")
"""
    events = _events(script, level="debug")
    assert WORDS not in json.dumps(events)
    assert [event["event"] for event in events] == [
        "rasa.core.processor: Could not handle %s",
        "rasa.core.processor: Failed on ",
        "rasa.core.processor: Action failed",
    ]
    assert events[2]["error"] == "ValueError"


def test_rasas_own_structured_lines_are_masked_too() -> None:
    script = """
import structlog, types, sys
module = types.ModuleType("rasa.engine.made_up")
exec("import structlog\\ndef say(words):\\n    structlog.get_logger().debug('hidden')\\n"
     "    structlog.get_logger().warning('parsing.failed', user_text=words)", module.__dict__)
module.say(W)
"""
    events = _events(script, level="debug")
    assert [event["event"] for event in events] == ["parsing.failed"]
    assert WORDS not in json.dumps(events)


FAILURE = """
import structlog
from pydantic import BaseModel
class Told(BaseModel):
    number: int
def read(words):
    try:
        Told(number=words)
    except ValueError as error:
        raise RuntimeError(f"unreadable: {words}") from error
try:
    read(W)
except RuntimeError:
    structlog.get_logger().exception("turn_failed")
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_failure_tells_where_it_happened_and_not_what_was_written(form: str) -> None:
    told = "\n".join(_lines(FAILURE, form=form))
    assert "turn_failed" in told
    assert "RuntimeError" in told
    assert "ValidationError" in told
    assert "in read" in told
    assert WORDS not in told


def test_a_store_that_fails_may_say_why() -> None:
    script = """
import structlog
from redis.exceptions import ResponseError
try:
    raise ResponseError("NOPERM this user has no permissions")
except ResponseError:
    structlog.get_logger().exception("x")
"""
    assert "NOPERM this user" in _events(script)[0]["exception"]


def test_on_a_terminal_lines_are_readable() -> None:
    script = "import structlog\nstructlog.get_logger().info('turn', conversation='x:7')"
    [line] = _lines(script, form="text")
    assert "turn" in line
    assert "x:7" in line
    assert not line.startswith("{")
