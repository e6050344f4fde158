"""From what Rasa leaves behind after a turn to an Answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.answer import Answer, AssistantFailed, Question, Reply
from handoff.packet import Evidence, Suggestion, Tried, Verification
from handoff.words import Reason

TOLD_SLOTS = ("origin", "destination", "depart", "return_date", "trip", "cabin", "order_number", "verified_order")
"""What a customer told us; the e-mail is left out, it is in the transcript for those who may see it."""
KEPT_SLOTS = ("origin", "destination", "depart", "return_date", "trip", "cabin")
"""Worth knowing after a person had the conversation; whoever was verified before has to be verified anew."""

_SPOKEN = {"rule": "fixed_words"}
_NO_EVIDENCE = {"rule": "", "matched": None, "score": None, "threshold": None, "detail": None}


def answer_of(
    question: Question,
    parsed: Mapping[str, Any],
    messages: Sequence[Mapping[str, Any]],
    slots: Mapping[str, Any],
    session: str,
) -> Answer:
    """The turn as an Answer; raises AssistantFailed when it says nothing and calls nobody."""
    result: Mapping[str, Any] = next((one["custom"] for one in messages if "custom" in one), {})
    texts = [one["text"].strip() for one in messages if (one.get("text") or "").strip()]
    needs_person = Reason(result["needs_person"]) if result.get("needs_person") else None
    replies = () if needs_person else tuple(_reply(text, result) for text in texts)
    silent = result.get("silent")
    if not (replies or needs_person or silent):
        raise AssistantFailed("the turn said nothing and called nobody")
    if len(replies) > 1:
        raise AssistantFailed("the turn said more than one thing; X answers one post with one")
    attempts = result.get("attempts") or question.attempts
    return Answer(
        replies=replies,
        needs_person=needs_person,
        evidence=Evidence(**{**_NO_EVIDENCE, **(result.get("why") or _SPOKEN)}),
        silent_rule=silent,
        intent=parsed["intent"]["name"],
        certainty=min(1.0, max(0.0, float(parsed["intent"]["confidence"]))),
        entities=entities_of(parsed),
        slots={name: str(slots[name]) for name in TOLD_SLOTS if name in slots},
        tried=tuple(Tried(**one) for one in result.get("tried") or ()),
        tracker=session,
        kept={name: str(slots[name]) for name in KEPT_SLOTS if name in slots},
        failed=bool(result.get("failed")),
        attempts=attempts,
        failed_order_key=result.get("failed_order_key"),
        verification=Verification(
            state=slots.get("verification", "not_asked"),
            wrong_attempts=int((attempts or {}).get("wrong", 0)),
            order=slots.get("verified_order"),
        ),
        suggestions=tuple(Suggestion(place=question.place, **one) for one in result.get("suggestions") or ()),
    )


def entities_of(parsed: Mapping[str, Any]) -> dict[str, str]:
    """What was named, under its role where it has one; several of a kind are joined."""
    found: dict[str, list[str]] = {}
    for entity in parsed.get("entities") or ():
        name = entity.get("role") or entity["entity"]
        found.setdefault("return_date" if name == "return" else name, []).append(str(entity["value"]))
    return {name: ", ".join(dict.fromkeys(values)) for name, values in found.items()}


def _reply(text: str, result: Mapping[str, Any]) -> Reply:
    return Reply(
        text=text,
        articles=tuple(result.get("articles") or ()),
        offers_private=bool(result.get("offers_private")),
        link=result.get("link"),
    )
