"""STOP and START: whether the customer wants automated messages, recognised by exact words only."""

from __future__ import annotations

import unicodedata
from typing import Literal

STOP_WORDS = frozenset(
    {"stop", "stop it", "stop messages", "stop messaging me", "stop replying", "unsubscribe", "opt out", "optout"}
)
START_WORDS = frozenset({"start", "unstop", "opt in", "optin", "subscribe", "resume"})


def opting(text: str) -> Literal["stop", "start"] | None:
    """`stop` or `start` when the whole message says so; a sentence that merely holds the word does not.

    X's automation rules: an opt-out must be honoured at once ("If a user says stop, stop").
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(char if char.isalnum() else " " for char in plain)
    said = " ".join(letters.split()).removesuffix(" please").removeprefix("please ")
    if said in STOP_WORDS:
        return "stop"
    return "start" if said in START_WORDS else None
