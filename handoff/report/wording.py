"""The report's plain words for reasons, intents, rules, times and money."""

from __future__ import annotations

from decimal import Decimal

from handoff.console.wording import REASONS, duration

KNOWN_REASONS = {str(reason): words for reason, words in REASONS.items()}
NOTHING = "–"


def reason_words(reason: str) -> str:
    """A reason as agents read it; one that is no longer used, as it was recorded."""
    return KNOWN_REASONS.get(reason, plain(reason))


def intent_words(intent: str | None) -> str:
    """What was understood, as people read it."""
    return plain(intent) if intent else "Not understood"


def plain(name: str) -> str:
    """`picture_or_link_only` as `Picture or link only`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def time_words(milliseconds: int | None) -> str:
    """A length of time, tenths of a second below ten; a dash for none."""
    if milliseconds is None:
        return NOTHING
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 10_000 else duration(milliseconds)


def share_words(share: float | None) -> str:
    """A share in per cent; never 100 % unless it is all of them."""
    if share is None:
        return NOTHING
    return f"{100 if share == 1 else min(99, round(share * 100))} %"


def exact_words(amount: Decimal) -> str:
    """An amount in a table: three decimals, more where the price has more."""
    return f"{amount:.3f}" if amount == round(amount, 3) else f"{amount.normalize():f}"


def money_words(amount: Decimal, currency: str) -> str:
    """An amount as listed: `0.035 USD`, `12.50 USD`."""
    return f"{amount.normalize():f} {currency}" if 0 < amount < 1 else f"{amount:.2f} {currency}"
