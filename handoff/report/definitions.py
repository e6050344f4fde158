"""What every number of the report means, in one sentence each; the page, the terminal and docs/report.md show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A number's name for people, and its meaning."""

    label: str
    sentence: str


def _means(label: str, sentence: str) -> Definition:
    return Definition(label=label, sentence=sentence)


DEFINITIONS = {
    "messages": _means(
        "Messages",
        "Everything that customers wrote to us in the period, posts and direct messages, each counted once.",
    ),
    "public": _means("Public", "Messages that were posts mentioning the account."),
    "private": _means("Private", "Messages that were direct messages."),
    "answered": _means("Answered", "Messages that the bot answered itself; a clarifying question is an answer too."),
    "opened": _means("Opened a case", "Messages with which a conversation was handed over to people."),
    "joined": _means("Joined a case", "Messages that came while people already had the conversation."),
    "silent": _means("Silent", "Messages that got no reply on purpose, by a rule that was recorded."),
    "waiting": _means("Waiting", "Messages that have no outcome yet; with the four others they make up all messages."),
    "silent_rules": _means("Silent by rule", "Silent messages, by the rule for which they got no reply."),
    "over_time": _means(
        "Messages over time", "Messages by the hour, or by the day, in which they came, and by how they ended."
    ),
    "conversations": _means(
        "Conversations", "Customers who wrote in the period, each counted once however often they wrote."
    ),
    "contained": _means(
        "Contained",
        "Conversations in which the bot answered, no person was needed until a day after the period, and which were "
        "not abandoned.",
    ),
    "abandoned": _means(
        "Abandoned",
        "Conversations without a case in which the bot had no answer when the customer wrote again, or in which the "
        "customer left after a clarifying question; they do not count as contained.",
    ),
    "handed_over": _means(
        "Handed over",
        "Conversations in which a case was opened, or was open already, in the period or until a day after it.",
    ),
    "only_heard": _means("Only heard", "Conversations with nothing but silent or waiting messages."),
    "containment": _means(
        "Containment", "Contained conversations, as a share of the contained, the abandoned and the handed over."
    ),
    "cases": _means(
        "Cases opened", "Hand-overs to people in the period, those for replies that could not be sent included."
    ),
    "reasons": _means("Why people were needed", "Cases opened in the period, by the reason that was recorded."),
    "open_cases": _means(
        "Open cases", "Cases that were not ended when the period was, or are not ended now while it lasts."
    ),
    "breached_cases": _means(
        "Open and breached", "Open cases whose promised reply time had passed without a person's reply."
    ),
    "bot_first_reply": _means(
        "First reply of the bot",
        "For each message that the bot answered, the time from its arrival here until the first words of that answer "
        "were sent.",
    ),
    "people_first_reply": _means(
        "First reply of people",
        "For each case opened in the period, the time from its opening until a person's first words in it were sent.",
    ),
    "promises_told": _means("Promises made", "Cases opened in the period with a reply time told to the customer."),
    "promises_kept": _means("Promises kept", "Promises made for which a person replied in time."),
    "promises_broken": _means("Promises broken", "Promises made whose time passed before a person replied."),
    "promises_ended": _means("Promises ended", "Promises made whose case was closed in time without a person's reply."),
    "promises_running": _means("Promises running", "Promises made whose time has not come yet."),
    "intents": _means(
        "Topics by intent", "Messages by what the bot understood of them, where it was asked to understand."
    ),
    "articles": _means("Topics by article", "Messages by the knowledge articles from which they were answered."),
    "unanswered": _means(
        "Unanswered questions",
        "Messages that got a clarifying question or a person because the bot had no answer, grouped by what was "
        "understood of them.",
    ),
    "bot_said": _means(
        "Said by the bot",
        "Automated posts and direct messages sent in the period: answers, notices and announcements.",
    ),
    "people_said": _means("Said by people", "Posts and direct messages that agents sent in the period."),
    "never_said": _means(
        "Never said", "Replies that were given up in the period: refused by a rule, overtaken, expired or failed."
    ),
    "cost": _means(
        "Cost of the platform",
        "Messages received and replies sent in the period, times the platform's listed prices: an estimate, no bill.",
    ),
}
ITEMS = {
    "mention_read": "Mentions read",
    "direct_read": "Direct messages read",
    "reply_created": "Public replies sent",
    "direct_created": "Direct messages sent",
    "post_created": "Announcements",
    "post_with_link_created": "Announcements with a link",
}
ENDING_LABELS = {
    "answered": "Answered",
    "case_opened": "Opened a case",
    "joined": "Joined a case",
    "silent": "Silent",
    "waiting": "Waiting",
}


def definitions_table() -> str:
    """The definitions as they stand in docs/report.md."""
    rows = [f"| `{name}` | {meant.label} | {meant.sentence} |" for name, meant in DEFINITIONS.items()]
    return "\n".join(["| number | on the page | what it is |", "|---|---|---|", *rows])
