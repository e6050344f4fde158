"""STOP and START: whether the customer wants automated messages, recognised by exact words only."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

STOP_WORDS = frozenset(
    {
        *("stop", "stopp", "stop it", "stop all", "stopall", "stop bot", "end messages", "leave me alone"),
        *("stop messages", "stop messaging", "stop messaging me", "stop sending me messages", "stop texting me"),
        *("stop writing to me", "stop replying", "stop replying to me", "stop contacting me"),
        *("stop tweeting me", "stop dming me", "no more messages", "do not contact me", "do not contact me again"),
        *("don t message me", "don t message me again", "don t reply to me"),
        *("unsubscribe", "unsubscribe me", "opt out", "opt me out", "optout"),
    }
)
START_WORDS = frozenset(
    {
        *("start", "unstop", "start again", "start messages", "start messaging", "start messaging me"),
        *("start messaging me again", "start sending messages", "start replying", "start bot"),
        *("subscribe", "subscribe me", "resubscribe", "opt in", "opt me in", "opt me back in", "optin"),
        *("you can message me", "you can message me again", "you can write to me again", "you can contact me again"),
        *("resume", "resume messages", "turn messages on", "turn messages back on"),
    }
)
"""Letters and digits alone, as `opting` compares them. Whatever the model takes for STOP or START is among them:
who opted out is not asked about by the model, so only these words can bring them back."""

_MENTION = re.compile(r"[@＠][A-Za-z0-9_]{1,15}")


def opting(text: str) -> Literal["stop", "start"] | None:
    """`stop` or `start` when the whole message says so; a sentence that merely holds the word does not.

    X's automation rules: an opt-out must be honoured at once ("If a user says stop, stop").
    """
    plain = unicodedata.normalize("NFKC", _MENTION.sub(" ", text)).casefold()
    letters = "".join(char if char.isalnum() else " " for char in plain)
    said = " ".join(letters.split()).removesuffix(" please").removeprefix("please ")
    if said in STOP_WORDS:
        return "stop"
    return "start" if said in START_WORDS else None
