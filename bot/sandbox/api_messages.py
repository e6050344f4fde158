"""The endpoints under /2 for direct messages."""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox import problems, query
from bot.sandbox.api import READER, answer, body_of, created
from bot.sandbox.people import RefusedError
from bot.sandbox.reading import Reader, page_meta
from bot.sandbox.records import DirectMessage, User, Window, conversation_of
from bot.sandbox.views import message_json
from bot.sandbox.world import MAX_DM_CHARS

routes = web.RouteTableDef()

DEFAULT_FIELDS = frozenset({"id", "event_type", "text"})
MESSAGE_KEYS = frozenset({"text", "attachments"})
ONE_TO_ONE = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")


@routes.get("/2/dm_events")
async def all_events(request: web.Request) -> web.Response:
    """What the user sent and received, newest first; on X this list lags behind."""
    reader = request[READER]
    world = reader.world
    window = query.window(request.query, least=1, default=100)
    until_ms = world.store.now_ms() - int(world.faults.dm_lag_s * 1000)
    return _events(reader, world.direct.of_user(reader.viewer, window, until_ms=until_ms), window)


@routes.get("/2/dm_conversations/with/{id}/dm_events")
async def events_with(request: web.Request) -> web.Response:
    """One conversation, by the other user."""
    reader = request[READER]
    other_id = query.id_of(request.match_info["id"], "participant_id")
    return _conversation(reader, conversation_of(reader.viewer.id, other_id))


@routes.get("/2/dm_conversations/{id}/dm_events")
async def events_of_conversation(request: web.Request) -> web.Response:
    """One conversation, by its id."""
    reader = request[READER]
    return _conversation(reader, conversation_of(reader.viewer.id, _partner_id(reader, request)))


def _conversation(reader: Reader, conversation_id: str) -> web.Response:
    window = query.window(reader.query, least=1, default=100)
    return _events(reader, reader.world.direct.of_conversation(conversation_id, window), window)


def _events(reader: Reader, found: list[DirectMessage], window: Window) -> web.Response:
    fields = query.listed(reader.query, "dm_event.fields", query.DM_FIELDS) | DEFAULT_FIELDS
    expansions = query.listed(reader.query, "expansions", query.DM_EXPANSIONS)
    types = query.listed(reader.query, "event_types", query.EVENT_TYPES)
    if types and "MessageCreate" not in types:
        found = []  # nobody joins or leaves a conversation of two
    if "sender_id" in expansions:
        fields |= {"sender_id"}
    more = len(found) > window.limit
    page, meta = page_meta(found, window)
    if page:  # X gives both tokens with every page that is not empty
        meta |= {"next_token": query.token("n", page[-1].id), "previous_token": query.token("p", page[0].id)}
    page = _with_redelivered(reader, page, last=not more)
    meta["result_count"] = len(page)
    includes = {}
    if "sender_id" in expansions and page:
        senders = (reader.world.people.by_id(id) for id in dict.fromkeys(m.sender_id for m in page))
        includes = {"users": reader.users(user for user in senders if user)}
    return answer(reader.answer([message_json(m, fields) for m in page], includes, meta))


def _with_redelivered(reader: Reader, page: list[DirectMessage], *, last: bool) -> list[DirectMessage]:
    """The page with events that are to appear a second time, in their places; never before unread ones."""
    store, direct = reader.world.store, reader.world.direct
    if not page:
        return page
    waiting = [direct.by_id(id) for id in store.redeliveries("dm", reader.viewer.id)]
    oldest = 0 if last else page[-1].id
    extras = [message for message in waiting if message and oldest <= message.id <= page[0].id]
    store.redelivered("dm", reader.viewer.id, [message.id for message in extras])
    return sorted([*page, *extras], key=lambda message: -message.id)


@routes.post("/2/dm_conversations/with/{id}/messages")
async def send_to_user(request: web.Request) -> web.Response:
    """Write to a user."""
    reader = request[READER]
    id = query.id_of(request.match_info["id"], "participant_id")
    return await _send(request, reader, reader.world.people.by_id(id))


@routes.post("/2/dm_conversations/{id}/messages")
async def send_to_conversation(request: web.Request) -> web.Response:
    """Write into a conversation that exists."""
    reader = request[READER]
    return await _send(request, reader, reader.world.people.by_id(_partner_id(reader, request)))


def _partner_id(reader: Reader, request: web.Request) -> int:
    value = request.match_info["id"]
    match = ONE_TO_ONE.fullmatch(value)
    if match is None:
        raise problems.invalid(f"The `dm_conversation_id` parameter value [{value}] is not valid")
    one, other = int(match[1]), int(match[2])
    if reader.viewer.id not in (one, other):
        raise problems.forbidden(problems.NOT_PERMITTED)
    return other if one == reader.viewer.id else one


async def _send(request: web.Request, reader: Reader, recipient: User | None) -> web.Response:
    text = _text_of(await body_of(request))
    world, sender = reader.world, reader.viewer
    if recipient is None or recipient.id == sender.id or not world.direct.allowed(sender, recipient):
        raise problems.forbidden(problems.DM_CLOSED)
    try:
        message, _ = world.write_dm(sender, recipient, text, via_api=True)
    except RefusedError as error:
        raise problems.bad_text(str(error)) from None
    data = {"dm_conversation_id": message.conversation_id, "dm_event_id": str(message.id)}
    # the quotes are in X's header too
    return created({"data": data}, f'https://api.twitter.com/2/dm_events/"{message.id}"')


def _text_of(body: Mapping[str, Any]) -> str:
    if unknown := sorted(body.keys() - MESSAGE_KEYS):
        raise problems.invalid(f"$.{unknown[0]}: is not defined in the schema")
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise problems.invalid("$.text: must be at least 1 characters long")
    if len(text) > MAX_DM_CHARS:
        raise problems.bad_text(f"The text of your Direct Message is over the max character limit of {MAX_DM_CHARS}.")
    return text
