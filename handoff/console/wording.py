"""The console's plain words for reasons, states, rules and times."""

from __future__ import annotations

from typing import Any

from handoff.words import EntryState, Place, Reason

REASONS = {
    Reason.ASKED_FOR_PERSON: "Asked for a person",
    Reason.COMPLAINT: "Complaint",
    Reason.ANGER: "Angry",
    Reason.LEGAL: "Legal matter",
    Reason.FRAUD: "Possible fraud",
    Reason.SAFETY: "Safety",
    Reason.SELF_HARM: "May harm themselves",
    Reason.DISCRIMINATION: "Discrimination",
    Reason.PRESS: "Press",
    Reason.MEDICAL: "Medical matter",
    Reason.ACCESSIBILITY: "Needs assistance",
    Reason.BEREAVEMENT: "Bereavement",
    Reason.PERSONAL_DATA: "About their personal data",
    Reason.ABUSE: "Abusive words",
    Reason.TANGLED: "Several questions at once",
    Reason.ACCOUNT_CLOSURE: "Wants to close their account",
    Reason.LOST_PROPERTY: "Lost property",
    Reason.NO_ANSWER: "The bot had no answer",
    Reason.REPEATED_FAILURE: "The bot failed twice",
    Reason.UNVERIFIED: "Could not be verified",
    Reason.UNREADABLE: "Picture or link only",
    Reason.BOT_ERROR: "The bot failed inside",
    Reason.TOO_OLD: "Waited too long for the bot",
    Reason.SENSITIVE: "Could not be judged in time",
    Reason.LANGUAGE: "Another language",
    Reason.NOT_DELIVERED: "A reply could not be sent",
    Reason.SOURCE_DOWN: "Fares or orders could not be read",
    Reason.CANNOT_REPLY: "X does not let us answer publicly",
}
STATES = {
    EntryState.HELD: ("held back for now", "wait"),
    EntryState.QUEUED: ("on its way", "wait"),
    EntryState.SENDING: ("being sent", "wait"),
    EntryState.SENT: ("sent", "good"),
    EntryState.RETRY_AT: ("not sent yet, will be tried again", "wait"),
    EntryState.BLOCKED: ("not sent: refused", "bad"),
    EntryState.CANCELLED: ("not sent: overtaken", "quiet"),
    EntryState.UNKNOWN: ("nobody knows yet whether it went out; being looked up", "wait"),
    EntryState.DEAD: ("not sent: given up", "bad"),
}
PLACES = {Place.PUBLIC: "Public", Place.PRIVATE: "Private"}
VERIFICATION = {
    "not_asked": "Not asked yet",
    "asked": "Asked, not answered yet",
    "verified": "Verified",
    "failed": "Failed",
}
DETAILS = {
    "stale_epoch": "a person had taken over",
    "expired": "it came too late",
    "opted_out": "the customer had written STOP",
}


def reason_words(reason: Reason) -> str:
    """A reason as agents read it."""
    return REASONS[reason]


def urgency(priority: int) -> str:
    """`urgent`, `soon` or `normal`, for the colour and the word beside it."""
    return "urgent" if priority >= 80 else "soon" if priority >= 60 else "normal"


def state_words(state: EntryState, detail: str | None) -> tuple[str, str]:
    """What became of our words, and its tone: good, wait, bad or quiet."""
    words, tone = STATES[state]
    return (f"{words} ({DETAILS.get(detail, detail)})" if detail else words), tone


def event_words(facts: dict[str, Any], names: dict[str, str]) -> str:
    """One line for something that happened, such as `Ana Ruiz took the case`."""

    def named(key: str) -> str:
        name = str(facts.get(key, ""))
        return names.get(name, name or "Somebody")

    what = str(facts.get("what", ""))
    if what == "case_opened":
        reason = facts.get("reason")
        return f"The bot called a person: {REASONS[Reason(reason)].lower()}" if reason else "The bot called a person"
    if what == "case_raised":
        return f"More urgent now: {REASONS[Reason(facts['reason'])].lower()}"
    sentences = {
        "case_taken": f"{named('by')} took the case",
        "case_released": f"{named('by')} put the case back into the queue",
        "case_transferred": f"{named('by')} handed the case to {named('to')}",
        "case_resolved": f"{named('by')} resolved the case; the bot answers again",
        "case_given_back": f"{named('by')} gave the conversation back to the bot",
        "promise_broken": "The promised reply time has passed",
        "entry_blocked": f"A reply was refused ({facts.get('detail') or 'no detail'})",
        "entry_dead": f"A reply was given up ({facts.get('detail') or 'no detail'})",
    }
    return sentences.get(what, what.replace("_", " ").capitalize())


def duration(milliseconds: int) -> str:
    """A length of time as people say it: `3 s`, `12 min`, `2 h 5 min`, `4 days`."""
    seconds = max(0, milliseconds // 1000)
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} days"
