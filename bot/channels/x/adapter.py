"""X as a channel: the port of channel.py over the transport."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.channels.channel import (
    Absent,
    FetchResult,
    Halted,
    LookResult,
    Page,
    Refused,
    Search,
    SendResult,
    Sent,
    TryLater,
    Unknown,
)
from bot.channels.x.posts import (
    Account,
    Raw,
    answered_id,
    highest,
    ids_of,
    is_list,
    messages_of,
    page_token,
    records,
    text_id,
    urls_of,
    written_at,
)
from bot.channels.x.problems import Answer, Failure
from bot.channels.x.snowflake import id_at, moment_of
from bot.channels.x.text import comparable
from bot.channels.x.transport import Transport, data_of
from handoff.words import Entry, Place

MENTIONS = "mentions"
DIRECT = "direct"
MOST_PAGES_OF_A_LOOK = 5


class XChannel:
    """Reads mentions and direct messages, posts replies, sends direct messages."""

    name = "x"
    feeds: Mapping[str, Place] = MappingProxyType({MENTIONS: Place.PUBLIC, DIRECT: Place.PRIVATE})

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._account: Account | None = None

    @property
    def call_limit_s(self) -> float:
        return self._transport.call_limit_s

    async def account(self) -> Account | Failure:
        """Our account, asked for once."""
        if self._account is None:
            answer = await self._transport.me()
            if not isinstance(answer, Answer):
                return answer
            me = data_of(answer)
            self._account = Account(id=self._transport.keys.account_id, handle=str(me.get("username", "")))
        return self._account

    def cursor_at(self, moment: datetime) -> str:
        return id_at(moment)

    def cursor_before(self, cursor: str, seconds: float) -> str:
        return id_at(moment_of(cursor) - timedelta(seconds=seconds))

    async def fetch(self, feed: str, since: str, older: str | None = None) -> FetchResult:
        """A page of mentions or direct messages after the id `since`."""
        account = await self.account()
        if not isinstance(account, Account):
            return _of_reading(account)
        if feed == MENTIONS:
            answer = await self._transport.mentions(since_id=since, page=older)
        else:
            answer = await self._transport.direct_events(page=older)
        if not isinstance(answer, Answer):
            return _of_reading(answer)
        if not is_list(answer.body):
            return TryLater(detail="an answer that is no list")
        ids = ids_of(answer.body)
        new = [found for found in ids if int(found) > int(since)]
        reached = feed == DIRECT and len(new) < len(ids)  # this list knows no since_id
        messages = [m for m in messages_of(answer.body, account) if feed != DIRECT or int(m.platform_id) > int(since)]
        return Page(
            messages=tuple(messages),
            newest_id=highest(new),
            older=None if reached or not ids else page_token(answer.body),
        )

    async def send(self, entry: Entry) -> SendResult:
        """Posts a reply, or sends a direct message."""
        if entry.place is Place.PRIVATE:
            answer = await self._transport.create_direct(entry.customer_id, entry.text)
        else:
            answer = await self._transport.create_post(
                entry.text, reply_to=entry.reply_to, deep_link=self._deep_link if entry.offers_private else None
            )
        if not isinstance(answer, Answer):
            return answer
        data = data_of(answer)
        external_id = text_id(data.get("dm_event_id") if entry.place is Place.PRIVATE else data.get("id"))
        return Sent(external_id=external_id) if external_id else Unknown(detail=f"HTTP {answer.status} without an id")

    async def find_sent(self, search: Search) -> LookResult:
        """Reads our own posts, or the messages with this customer, back to `search.since`."""
        since_id, page = id_at(search.since), None
        for _ in range(MOST_PAGES_OF_A_LOOK):
            answer = await self._own_words(search.entry, since_id, page)
            if not isinstance(answer, Answer):
                return _of_reading(answer)
            if not is_list(answer.body):
                return Unknown(detail="an answer that is no list")
            found = self._among(records(answer.body), search)
            if found is not None:
                return Sent(external_id=found)
            ids = ids_of(answer.body)
            page = page_token(answer.body)
            if page is None or not ids or min(map(int, ids)) <= int(since_id):
                return Absent()
        return Unknown(detail="more of our own words than can be read back")

    async def _own_words(self, entry: Entry, since_id: str, page: str | None) -> Answer | Failure:
        if entry.place is Place.PRIVATE:
            return await self._transport.direct_events(page=page, customer_id=entry.customer_id)
        return await self._transport.own_posts(since_id=since_id, page=page)

    def _among(self, found: Sequence[Raw], search: Search) -> str | None:
        words = comparable(search.entry.text)
        for raw in found:
            platform_id = text_id(raw.get("id"))
            if platform_id is None or platform_id in search.known or written_at(raw, platform_id) < search.since:
                continue
            if self._is_ours(raw, search.entry) and comparable(_whole_text(raw), urls_of(raw)) == words:
                return platform_id
        return None

    def _is_ours(self, raw: Raw, entry: Entry) -> bool:
        if entry.place is Place.PRIVATE:
            return text_id(raw.get("sender_id")) == self._transport.keys.account_id
        return answered_id(raw) == entry.reply_to

    @property
    def _deep_link(self) -> str:
        return f"https://twitter.com/messages/compose?recipient_id={self._transport.keys.account_id}"


def _whole_text(raw: Raw) -> str:
    note = raw.get("note_tweet") or raw.get("note_post")
    if isinstance(note, dict) and note.get("text"):
        return str(note["text"])
    return str(raw.get("text") or "")


def _of_reading(failure: Failure) -> TryLater | Halted:
    """A refusal to read, or an answer that got lost, is a reason to read again later."""
    if isinstance(failure, Refused | Unknown):
        return TryLater(detail=failure.detail)
    return failure
