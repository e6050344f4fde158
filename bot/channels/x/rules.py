"""What must hold before something is sent on X; each rule has an id that logs, cases and the console show."""

from __future__ import annotations

from bot.channels.channel import Refused
from bot.channels.x.text import PUBLIC_LIMIT, urls_in, weighted_length
from handoff.words import ANNOUNCEMENT, LONGEST_TEXT_CHARS, Entry, Message, Place

EXPLANATIONS = {
    "empty_text": "There is nothing to say.",
    "too_long": "The text is longer than X allows.",
    "no_reply_target": "It is not known which post this answers.",
    "not_summoned": "X allows a public answer only to a post that mentions us. The customer must mention us again "
    "or send a direct message.",
    "url_in_public": "A link in a public post is not allowed here (and costs extra).",
    "dm_closed": "The customer does not receive direct messages from us.",
    "target_gone": "The post was deleted or is not visible to us.",
    "duplicate": "X refuses a post that we have already written word for word.",
}
"""Rule id -> what to tell an agent."""


class XRules:
    """X's own rules and ours, checked without asking X."""

    def refusal(self, entry: Entry, target: Message | None) -> Refused | None:
        """Why an entry may not be sent, or None; `target` is the message that it answers, if that is known."""
        rule = self.broken_rule(entry, target)
        return Refused(rule=rule, detail=EXPLANATIONS[rule]) if rule else None

    def broken_rule(self, entry: Entry, target: Message | None) -> str | None:
        """The id of the first rule that is broken."""
        if not entry.text.strip():
            return "empty_text"
        if entry.place is Place.PRIVATE:
            return "too_long" if len(entry.text) > LONGEST_TEXT_CHARS else None
        if entry.author != ANNOUNCEMENT:
            if entry.reply_to is None or target is None:
                return "no_reply_target"
            if not target.summons_us:
                return "not_summoned"
        if "://" in entry.text or urls_in(entry.text):
            return "url_in_public"
        return "too_long" if weighted_length(entry.text) > PUBLIC_LIMIT else None
