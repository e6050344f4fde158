"""The forms in which the same answer may be said again: X refuses a post that it has seen word for word."""

from __future__ import annotations

_OPENINGS = ("", "Once more: ", "Again, as before: ", "To repeat: ", "As I said: ")


def wordings(text: str) -> tuple[str, ...]:
    """A text as it is, then the same text as a repetition, a little different each time."""
    return tuple(opening + text for opening in _OPENINGS)
