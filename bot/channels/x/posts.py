"""What X tells of posts and direct messages, read into messages; tolerant of both dialects and of what is missing.

OpenAPI 2.167 renamed tweet to post all over; keys are looked up under both names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.channels.x.snowflake import moment_of
from bot.channels.x.text import clean_direct, clean_post, readable
from handoff.words import Customer, Message, Place

log = structlog.get_logger()

_ID = re.compile(r"[0-9]{1,19}")
_ONE_TO_ONE = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
_LEADING_HANDLES = re.compile(r"\s*(?:[@＠][A-Za-z0-9_]{1,15}\s*)+")
LONGEST_QUOTE_CHARS = 1000

Raw = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Account:
    """Our account."""

    id: str
    handle: str


def messages_of(body: Raw, account: Account) -> tuple[Message, ...]:
    """The customers' messages in an answer that lists posts or direct messages; what cannot be read is logged."""
    people, quoted = _people(body), _included_posts(body)
    found = (_read(raw, account, people, quoted) for raw in records(body))
    return tuple(message for message in found if message is not None)


def records(body: Raw) -> list[Raw]:
    """The posts or events of an answer; X leaves `data` out where there are none."""
    data = body.get("data")
    listed = data if isinstance(data, list) else [data]
    return [raw for raw in listed if isinstance(raw, Mapping)]


def is_list(body: Raw) -> bool:
    """Whether an answer is a list at all, be it empty: only then may one conclude from what is missing."""
    return isinstance(body.get("data"), list) or (isinstance(body.get("meta"), Mapping) and "data" not in body)


def ids_of(body: Raw) -> list[str]:
    """Every platform id in an answer, of ours and of what is ignored too."""
    return [found for raw in records(body) if (found := text_id(raw.get("id")))]


def text_id(value: object) -> str | None:
    """An id as text, whether it came as text or as a number; None if it is none."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else None


def urls_of(raw: Raw) -> list[Raw]:
    """The links in a text, as X describes them."""
    return _mappings(_map(raw.get("entities")).get("urls"))


def answered_id(raw: Raw) -> str | None:
    """The id of the post that this one answers."""
    return _reference(raw, "replied_to")


def written_at(raw: Raw, platform_id: str) -> datetime:
    """When it was written; its id tells where the field is missing."""
    try:
        moment = datetime.fromisoformat(str(raw.get("created_at")).replace("Z", "+00:00"))
    except ValueError:
        return moment_of(platform_id)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(raw: Raw, account: Account, people: Mapping[str, Raw], posts: Mapping[str, Raw]) -> Message | None:
    try:
        is_direct = "event_type" in raw or "sender_id" in raw
        return _direct(raw, account, people) if is_direct else _post(raw, account, people, posts)
    except ValueError as error:
        log.warning("x_record_unreadable", id=text_id(raw.get("id")), error=type(error).__name__)
        return None


def _post(raw: Raw, account: Account, people: Mapping[str, Raw], posts: Mapping[str, Raw]) -> Message | None:
    platform_id, author_id = text_id(raw.get("id")), text_id(raw.get("author_id"))
    if platform_id is None or author_id is None or author_id == account.id:
        return None
    if _reference(raw, "retweeted") or _reference(raw, "reposted"):
        return None
    first_id = text_id(next(iter(_list(_either(raw, "edit_history_tweet_ids", "edit_history_post_ids"))), None))
    customer = _customer(author_id, people)
    note = _map(_either(raw, "note_tweet", "note_post"))
    whole = note if note.get("text") else raw
    cleaned = clean_post(
        str(whole.get("text") or ""),
        hidden_prefix=_prefix_in(str(whole.get("text") or ""), raw),
        urls=[*urls_of(whole), *urls_of(raw)],
        pictures=len(_list(_map(raw.get("attachments")).get("media_keys"))),
    )
    quoted_id = _reference(raw, "quoted")
    quoted = posts.get(quoted_id or "", {})
    return Message(
        id=f"post:{first_id or platform_id}",
        customer=customer,
        place=Place.PUBLIC,
        text=cleaned.text,
        sent_at=written_at(raw, platform_id),
        thread=text_id(raw.get("conversation_id")) or platform_id,
        in_reply_to=answered_id(raw),
        summons_us=_mentions_explicitly(raw, note, account) or text_id(quoted.get("author_id")) == account.id,
        pictures=cleaned.pictures,
        links=cleaned.links,
        url=f"https://x.com/{customer.handle if author_id in people else 'i'}/status/{platform_id}",
        quoted=readable(html.unescape(str(quoted["text"])))[:LONGEST_QUOTE_CHARS] if quoted.get("text") else None,
        private_possible=_map(people.get(author_id)).get("receives_your_dm") is not False,
    )


def _direct(raw: Raw, account: Account, people: Mapping[str, Raw]) -> Message | None:
    platform_id, sender_id = text_id(raw.get("id")), text_id(raw.get("sender_id"))
    if raw.get("event_type", "MessageCreate") != "MessageCreate" or sender_id == account.id:
        return None
    if platform_id is None or sender_id is None:
        return None
    conversation_id = str(raw.get("dm_conversation_id") or _pair(account.id, sender_id))
    if not _ONE_TO_ONE.fullmatch(conversation_id):
        log.info("x_group_message_ignored", id=platform_id)  # an answer to one would be read by all
        return None
    cleaned = clean_direct(
        str(raw.get("text") or ""),
        urls=urls_of(raw),
        pictures=len(_list(_map(raw.get("attachments")).get("media_keys"))),
    )
    return Message(
        id=f"dm:{platform_id}",
        customer=_customer(sender_id, people),
        place=Place.PRIVATE,
        text=cleaned.text,
        sent_at=written_at(raw, platform_id),
        thread=conversation_id,
        pictures=cleaned.pictures,
        links=cleaned.links,
        url=f"https://x.com/messages/{conversation_id}",
    )


def _mentions_explicitly(raw: Raw, note: Raw, account: Account) -> bool:
    """Whether the writer mentions us, and not only X in the hidden prefix of a reply."""
    in_note = _mappings(_map(note.get("entities")).get("mentions"))
    shown_from = _hidden_prefix(raw)
    if any(
        _is_us(mention, account) and _start(mention) >= _prefix_in(str(note.get("text") or ""), raw)
        for mention in in_note
    ):
        return True
    text = str(raw.get("text") or "")
    if shown_from is None:
        run = _LEADING_HANDLES.match(text) if answered_id(raw) else None
        shown_from = run.end() if run else 0  # without the range, what leads a reply may be X's own doing
    mentions = _mappings(_map(raw.get("entities")).get("mentions"))
    if mentions:
        return any(_is_us(mention, account) and _start(mention) >= shown_from for mention in mentions)
    handle = re.escape(account.handle)
    return re.search(rf"(?<![A-Za-z0-9_])[@＠]{handle}(?![A-Za-z0-9_])", text[shown_from:], re.I) is not None


def _is_us(mention: Raw, account: Account) -> bool:
    by_id = text_id(mention.get("id"))
    if by_id is not None:
        return by_id == account.id
    return str(mention.get("username", "")).casefold() == account.handle.casefold()


def _start(mention: Raw) -> int:
    start = mention.get("start")
    return start if isinstance(start, int) else 0


def _hidden_prefix(raw: Raw) -> int | None:
    shown = raw.get("display_text_range")
    if isinstance(shown, list) and shown and isinstance(shown[0], int) and shown[0] >= 0:
        return shown[0]
    return None


def _prefix_in(text: str, raw: Raw) -> int:
    """Where the shown text begins; a long post's full text begins with the same hidden mentions as its cut one."""
    hidden = _hidden_prefix(raw) or 0
    return hidden if text[:hidden] == str(raw.get("text") or "")[:hidden] else 0


def _reference(raw: Raw, kind: str) -> str | None:
    for reference in _mappings(_either(raw, "referenced_tweets", "referenced_posts")):
        if reference.get("type") == kind:
            return text_id(reference.get("id"))
    return None


def _customer(user_id: str, people: Mapping[str, Raw]) -> Customer:
    """The writer; of a deleted or protected one X may tell nothing but the id."""
    known = people.get(user_id, {})
    return Customer(
        id=user_id, handle=readable(str(known.get("username") or user_id)), name=readable(str(known.get("name") or ""))
    )


def _people(body: Raw) -> dict[str, Raw]:
    users = _mappings(_map(body.get("includes")).get("users"))
    return {found: user for user in users if (found := text_id(user.get("id")))}


def _included_posts(body: Raw) -> dict[str, Raw]:
    included = _map(body.get("includes"))
    posts = [*_mappings(included.get("tweets")), *_mappings(included.get("posts"))]
    return {found: post for post in posts if (found := text_id(post.get("id")))}


def _pair(one: str, other: str) -> str:
    return "-".join(sorted((one, other), key=int))


def _either(raw: Raw, old: str, new: str) -> object:
    return raw.get(old) if raw.get(old) is not None else raw.get(new)


def _map(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mappings(value: object) -> list[Raw]:
    return [item for item in _list(value) if isinstance(item, Mapping)]


def page_token(body: Raw) -> str | None:
    """Where the next, older page begins."""
    token = _map(body.get("meta")).get("next_token")
    return str(token) if token else None


def highest(ids: Iterable[str]) -> str | None:
    """The newest of some ids."""
    return max(ids, key=int, default=None)
