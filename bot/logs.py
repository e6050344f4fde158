"""Logs: structured lines with ids, never with what a customer wrote; set up before anything else is imported."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any, Literal

import structlog
from redis.exceptions import RedisError
from structlog.typing import EventDict, Processor, WrappedLogger

_TEXT_KEYS = frozenset(
    {
        *("text", "body", "query", "reply", "message", "user_message", "json_message", "user_text", "response_text"),
        *("entity", "entities", "slots", "slot_values", "slot_candidates", "prefilled_slots", "token_text"),
        *("parse_data", "parse_data_text", "parse_data_entities", "events", "rasa_event", "rasa_events"),
        *("tracker", "tracker_latest_message", "tracker_states", "prediction_events", "states", "current_states"),
    }
)
"""Keys under which a line of ours or of Rasa might carry a customer's words."""

_ID = re.compile(r"(post|dm):[0-9]{1,19}|None")
"""What a message's id looks like; ids are what logs are for."""

_FOREIGN = ("rasa", "rasa_sdk", "sentence_transformers", "transformers", "tensorflow", "absl", "matplotlib", "tweepy")
"""Libraries that log what they were given; only their warnings are of interest, and never their arguments."""


def set_up_logs(process: str, *, level: str = "info", form: Literal["json", "text"] = "json") -> None:
    """Sends every log line of this process to standard error, as JSON or readable text.

    To be called before Rasa is imported: its loggers are cached on first use and would print customers' texts.
    """
    number = getattr(logging, level.upper())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_texts,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_masked_foreign, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(form),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in _FOREIGN:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(max(number, logging.WARNING))
    logging.captureWarnings(True)
    # Deprecations inside libraries say nothing to an operator.
    logging.getLogger("py.warnings").setLevel(logging.WARNING if level == "debug" else logging.ERROR)


def log_form(chosen: str) -> Literal["json", "text"]:
    """What `FRONTDESK_LOG_FORMAT` stands for: `auto` is text on a terminal and JSON elsewhere."""
    if chosen == "auto":
        return "text" if sys.stderr.isatty() else "json"
    return "text" if chosen == "text" else "json"


def _rendering(form: Literal["json", "text"]) -> list[Processor]:
    shown = structlog.processors.ExceptionRenderer(_where_it_failed)
    if form == "text":
        # the renderer's own tracebacks would print every local variable
        return [
            shown,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    return [shown, structlog.processors.JSONRenderer(default=str)]


def _where_it_failed(exc_info: structlog.typing.ExcInfo) -> str:
    """The traceback of an error and of what caused it, without their words: those may quote a customer."""
    return "\n".join(_told(one) for one in reversed(list(_with_causes(exc_info[1]))))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    words = str(error) if isinstance(error, OSError | RedisError) else f"<{len(str(error))} characters>"
    return f"Traceback (most recent call last):\n{frames}{type(error).__qualname__}: {words}"


def _without_texts(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replaces whatever may hold a customer's words by its length."""
    for key in _TEXT_KEYS & event.keys():
        value = str(event[key])
        if not _ID.fullmatch(value):
            event[key] = f"<{len(value)} characters>"
    return event


def _masked_foreign(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leaves of a library's line only its constant part: the arguments and the traceback may quote a customer."""
    record: Any = event.get("_record")
    if record is not None and record.name.split(".")[0] in _FOREIGN:
        event["event"] = f"{record.name}: {record.msg if record.args else _first_words(str(record.msg))}"
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        record.exc_info = record.exc_text = None
        event.pop("exc_info", None)
        if kind:
            event["error"] = kind
    elif record is not None:
        event.setdefault("logger", record.name)
    return event


def _first_words(text: str) -> str:
    """The beginning of a line that was formatted before it was logged: enough to know it by."""
    return text.split("'")[0].split('"')[0][:80]
