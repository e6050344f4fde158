"""One case as its page shows it: transcript, packet, who has it, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import ValidationError

from handoff.console.answering import Ways, excerpt, ways_to_answer
from handoff.console.parts import Colleague, Composer
from handoff.console.wording import event_words, state_words
from handoff.desk import Case
from handoff.ledger import Conversation, Line
from handoff.packet import Packet
from handoff.words import EntryState, Place, Value

TELLING_EVENTS = frozenset({"entry_blocked", "entry_dead"})


class Row(Value):
    """One line of the transcript."""

    seq: int
    at_ms: int
    who: Literal["customer", "bot", "desk", "agent", "note", "event"]
    name: str
    author: str = ""
    """The sign-in name, of what agents said or noted."""
    place: Place | None = None
    text: str
    state: str | None = None
    tone: str | None = None
    """Of our own words: good, wait, bad or quiet."""
    pictures: int = 0
    links: tuple[str, ...] = ()
    url: str | None = None
    articles: tuple[str, ...] = ()


class CaseView(Value):
    """Everything the page of a case shows."""

    case: Case
    conversation: Conversation
    packet: Packet | None
    """None when what is stored is not a packet this version reads."""
    rows: tuple[Row, ...]
    ways: Ways
    mine: bool
    in_queue: bool
    owner_name: str
    names: dict[str, str]
    """Sign-in name -> display name."""
    seq: int
    """The last transcript line shown."""
    heard: dict[str, str]
    """Message id -> its beginning, for what the bot understood of it."""


def case_view(
    *,
    case: Case,
    conversation: Conversation,
    lines: Sequence[Line],
    agent: str,
    colleagues: Sequence[Colleague],
    composer: Composer,
) -> CaseView:
    """Puts the view together from what was read."""
    names = {colleague.name: colleague.display_name for colleague in colleagues}
    owner = conversation.owner
    held = case.is_open and conversation.case == case.id
    return CaseView(
        case=case,
        conversation=conversation,
        packet=_packet(case.packet),
        rows=tuple(row_of(line, names, conversation.customer.handle) for line in lines),
        ways=ways_to_answer(lines, composer),
        mine=held and owner.agent == agent,
        in_queue=held and owner.kind == "queue",
        owner_name=names.get(owner.agent or "", owner.agent or {"bot": "the bot", "queue": "nobody yet"}[owner.kind]),
        names=names,
        # Never what the conversation holds by now, only what is shown: a line that came between must refuse a reply.
        seq=lines[-1].seq if lines else 0,
        heard={line.message.id: excerpt(line.message) for line in lines if line.message},
    )


def row_of(line: Line, names: dict[str, str], handle: str) -> Row:
    """One transcript line as people read it."""
    if line.message is not None:
        return _message_row(line, handle)
    if line.entry is not None:
        return _entry_row(line, names)
    common = {"seq": line.seq, "at_ms": line.at_ms}
    if line.facts.get("what") == "note":
        by = str(line.facts.get("by", ""))
        return Row.model_validate(
            {**common, "who": "note", "name": names.get(by, by), "author": by, "text": str(line.facts["text"])}
        )
    return Row.model_validate({**common, "who": "event", "name": "", "text": event_words(line.facts, names)})


def changes_since(lines: Sequence[Line], seen_seq: int, agent: str) -> list[Line]:
    """What the customer, a colleague or a refusal of X has told since that line; an agent's own doing is no news."""
    return [line for line in lines if line.seq > seen_seq and _is_news(line, agent)]


def _is_news(line: Line, agent: str) -> bool:
    if line.message is not None:
        return True
    if line.entry is not None:
        return line.entry.author != f"agent:{agent}"
    what = line.facts.get("what")
    return what in TELLING_EVENTS or (what == "note" and line.facts.get("by") != agent)


def _message_row(line: Line, handle: str) -> Row:
    assert line.message is not None
    message = line.message
    return Row(
        seq=line.seq,
        at_ms=line.at_ms,
        who="customer",
        name=f"@{handle}",
        place=message.place,
        text=message.text,
        pictures=message.pictures,
        links=message.links,
        url=message.url if (message.url or "").startswith("https://") else None,
    )


def _entry_row(line: Line, names: dict[str, str]) -> Row:
    assert line.entry is not None
    kind, _, name = line.entry.author.partition(":")
    state, tone = state_words(line.state or EntryState.QUEUED, line.detail)
    shown = {"bot": "Bot", "desk": "Notice"}.get(kind) or names.get(name, name)
    return Row.model_validate(
        {
            "seq": line.seq,
            "at_ms": line.at_ms,
            "who": kind,
            "name": shown,
            "author": name,
            "place": line.entry.place,
            "text": line.entry.text,
            "state": state,
            "tone": tone,
            "articles": line.entry.articles,
        }
    )


def _packet(stored: str) -> Packet | None:
    try:
        return Packet.model_validate_json(stored)
    except ValidationError:
        return None
