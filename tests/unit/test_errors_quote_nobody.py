"""An error about a value names the field, never what a customer wrote."""

import structlog
from pydantic import BaseModel
from structlog.testing import LogCapture

from handoff.scripts import Ruling
from handoff.words import Message
from tests.support.ledger import a_message

WORDS = "my secret order is KA-123456"


def logged(value: type[BaseModel], stored: str) -> str:
    """What a log holds of a value that cannot be read, with the traceback as Python writes it."""
    kept = LogCapture()
    processors = [structlog.processors.format_exc_info, kept]
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=processors)
    try:
        value.model_validate_json(stored)
    except ValueError:
        log.exception("unreadable")
    return str(kept.entries)


def test_a_message_that_cannot_be_read_is_not_quoted() -> None:
    stored = a_message(text=WORDS).model_dump_json().replace('"place":"public"', '"place":"nowhere"')
    told = logged(Message, stored.replace('"pictures":0', f'"pictures":"{WORDS}"'))
    assert "ValidationError" in told
    assert "pictures" in told
    assert WORDS not in told


def test_a_broken_text_is_not_quoted() -> None:
    told = logged(Message, f'{{"text": "{WORDS}')
    assert "ValidationError" in told
    assert WORDS not in told


def test_a_ruling_that_cannot_be_read_is_not_quoted() -> None:
    told = logged(Ruling, f'{{"result": "send", "record": {{"json": ["{WORDS}"]}}}}')
    assert "ValidationError" in told
    assert WORDS not in told
