"""The values that channel, responder, desk and console speak in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

LONGEST_TEXT_CHARS = 10_000
"""The longest text a message or an entry may carry: X's own limit for a direct message."""


class Value(BaseModel):
    """An immutable value that round-trips through JSON.

    Unknown fields are ignored: what a newer version stored must not stop an older one that runs beside it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)  # it may be a customer's text


class Place(StrEnum):
    """Where a message was written or a reply goes."""

    PUBLIC = "public"  # a post that everybody can read
    PRIVATE = "private"  # a direct message


class Reason(StrEnum):
    """Why a person is needed."""

    ASKED_FOR_PERSON = "asked_for_person"
    COMPLAINT = "complaint"
    ANGER = "anger"
    LEGAL = "legal"
    FRAUD = "fraud"
    SAFETY = "safety"
    SELF_HARM = "self_harm"
    DISCRIMINATION = "discrimination"
    PRESS = "press"
    MEDICAL = "medical"
    ACCESSIBILITY = "accessibility"
    BEREAVEMENT = "bereavement"
    PERSONAL_DATA = "personal_data"
    ABUSE = "abuse"
    TANGLED = "tangled"  # several questions in one message
    ACCOUNT_CLOSURE = "account_closure"
    LOST_PROPERTY = "lost_property"
    NO_ANSWER = "no_answer"  # nothing we know answers it
    REPEATED_FAILURE = "repeated_failure"  # the same question failed twice
    UNVERIFIED = "unverified"  # the customer could not be verified
    UNREADABLE = "unreadable"  # a picture or a link only
    BOT_ERROR = "bot_error"  # something inside failed
    TOO_OLD = "too_old"
    SENSITIVE = "sensitive"  # the text could not be judged in time
    LANGUAGE = "language"
    CANNOT_REPLY = "cannot_reply"  # X lets nobody answer this post by its API: it does not summon us
    NOT_DELIVERED = "not_delivered"  # a reply could not be sent
    SOURCE_DOWN = "source_down"  # fares or orders could not be read


class Outcome(StrEnum):
    """How a message ended; each message has exactly one."""

    ANSWERED = "answered"
    CASE_OPENED = "case_opened"
    JOINED = "joined"  # it joined the case that is already open
    SILENT = "silent"  # deliberately, by a rule that is recorded


class EntryState(StrEnum):
    """Where an outbox entry stands."""

    HELD = "held"  # waits for approval or for its undo window
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    RETRY_AT = "retry_at"
    BLOCKED = "blocked"  # a rule of the platform or of ours forbids it
    CANCELLED = "cancelled"  # overtaken: a person took over, it expired, the customer opted out
    UNKNOWN = "unknown"  # nobody knows whether it went out; it is being looked up
    DEAD = "dead"  # given up; a person is called


FINAL_STATES = frozenset({EntryState.SENT, EntryState.BLOCKED, EntryState.CANCELLED, EntryState.DEAD})


class Owner(Value):
    """Who answers a conversation now."""

    kind: Literal["bot", "queue", "agent"]
    agent: str | None = None

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Reads `bot`, `queue` or `agent:<sign-in name>`."""
        kind, _, agent = text.partition(":")
        return cls.model_validate({"kind": kind, "agent": agent or None})

    def __str__(self) -> str:
        return f"agent:{self.agent}" if self.kind == "agent" else self.kind

    @property
    def is_bot(self) -> bool:
        return self.kind == "bot"


BOT = Owner(kind="bot")
QUEUE = Owner(kind="queue")
ANNOUNCEMENT = "announcement"
"""The author of what the account says to everybody."""


class Customer(Value):
    """Whoever writes to the account."""

    id: str
    handle: str
    name: str = ""


class Message(Value):
    """One thing a customer wrote, cleaned for reading."""

    id: Annotated[str, StringConstraints(pattern=r"^(post|dm):[0-9]{1,19}$")]
    """Kind and platform id, such as `post:1900…` or `dm:1585…`; unique for ever."""
    channel: str = "x"
    customer: Customer
    place: Place
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT_CHARS)]
    """Without the mentions that lead it, unescaped; empty for a picture alone."""
    sent_at: AwareDatetime
    thread: str
    """The platform's id of the thread (public) or of the DM conversation (private)."""
    in_reply_to: str | None = None
    """The platform id of the post that this one answers."""
    summons_us: bool = True
    """Whether X lets us answer this post by its API: it mentions or quotes us explicitly."""
    pictures: int = 0
    links: tuple[str, ...] = ()
    url: str | None = None
    """Where a person can read it on the platform."""
    quoted: str | None = None
    private_possible: bool = True
    """Whether this customer can be sent a direct message by us."""

    @property
    def conversation(self) -> str:
        """The key of the conversation: one customer on one channel, public and private together."""
        return f"{self.channel}:{self.customer.id}"

    @property
    def platform_id(self) -> str:
        return self.id.partition(":")[2]


class Entry(Value):
    """Something to be said to a customer, once."""

    id: str
    conversation: str
    author: str
    """`bot` (cancelled once a person owns), `desk` (a notice of ours), `announcement` or `agent:<name>`."""
    place: Place
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT_CHARS)]
    reply_to: str | None = None
    """Public: the platform id of the post that is answered."""
    customer_id: str
    """Private: the platform's id of who receives it."""
    offers_private: bool = False
    """Public: show the platform's button that opens a direct message with us."""
    although_opted_out: bool = False
    """The one confirmation of STOP, and what a person writes."""
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    held_until: AwareDatetime | None = None
    articles: tuple[str, ...] = ()
    """The articles it came from, with versions: `KB-baggage@v3`."""

    @property
    def is_automated(self) -> bool:
        """Whether no person wrote it, so that a stop holds it."""
        return not self.author.startswith("agent:")


class Promise(Value):
    """A reply time told to a customer."""

    told_at: AwareDatetime
    due_at: AwareDatetime
    wording: str


class NewCase(Value):
    """What opens a case: why, how urgent, and the packet an agent will read."""

    reason: Reason
    priority: int = Field(default=50, ge=0, le=100)
    """100 goes to the head of the queue."""
    packet: str
    """The packet as JSON (see packet.py)."""
    promise: Promise | None = None


def in_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime; ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("A time without a time zone cannot be stored; pass an aware datetime.")
    return int(moment.timestamp() * 1000)
