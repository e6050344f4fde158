"""What X demands of a post made through the API: form, length, reply permission, no duplicates."""

import re
from collections.abc import Mapping
from typing import Any

from bot.sandbox.problems import (
    DUPLICATE,
    NOT_SUMMONED,
    TARGET_GONE,
    TOO_LONG,
    bad_text,
    forbidden,
    invalid,
)
from bot.sandbox.query import id_of, words
from bot.sandbox.records import Post, User
from bot.sandbox.text import FORBIDDEN, clean, is_too_long
from bot.sandbox.timeline import Draft, mentions_explicitly
from bot.sandbox.world import World

POST_KEYS = words("""
    card_uri community_id direct_message_deep_link edit_options for_super_followers_only geo made_with_ai media
    nullcast paid_partnership poll quote_tweet_id reply reply_settings share_with_followers text""")
REPLY_KEYS = frozenset({"in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"})
REPLY_SETTINGS = frozenset({"following", "mentionedUsers", "subscribers", "verified"})
EXCLUSIVE = ("poll", "quote_tweet_id", "media", "card_uri", "direct_message_deep_link")
DEEP_LINK = re.compile(r"https://(?:twitter|x)\.com/messages/compose\?recipient_id=[0-9]{1,19}(?:&.*)?")


def draft_of(world: World, author: User, body: Mapping[str, Any]) -> Draft:
    """Read the body of POST /2/tweets; a malformed one is an invalid request."""
    _check_form(body)
    reply = body.get("reply") or {}
    target = _target(world, author, reply.get("in_reply_to_tweet_id"), "reply.in_reply_to_tweet_id")
    quote = _target(world, author, body.get("quote_tweet_id"), "quote_tweet_id")
    return Draft(
        text=body.get("text", ""),
        in_reply_to=target,
        quote=quote,
        media="media" in body,
        deep_link=body.get("direct_message_deep_link"),
        reply_settings=body.get("reply_settings", "everyone"),
        without_users=frozenset(int(id) for id in reply.get("exclude_reply_user_ids", ())),
        absorb_leading=True,
        via_api=True,
    )


def _check_form(body: Mapping[str, Any]) -> None:
    if unknown := sorted(body.keys() - POST_KEYS):
        raise invalid(
            f"$.{unknown[0]}: is not defined in the schema and the schema does not allow additional properties"
        )
    if not isinstance(body.get("text", ""), str):
        raise invalid("$.text: should be a string")
    reply = body.get("reply")
    if reply is not None:
        if not isinstance(reply, dict) or reply.keys() - REPLY_KEYS or "in_reply_to_tweet_id" not in reply:
            raise invalid("$.reply: is not a reply with an in_reply_to_tweet_id")
        left_out = reply.get("exclude_reply_user_ids", [])
        if not isinstance(left_out, list):
            raise invalid("$.reply.exclude_reply_user_ids: should be a list")
        for id in left_out:
            id_of(str(id), "exclude_reply_user_ids")
    if body.get("reply_settings", "verified") not in REPLY_SETTINGS:
        raise invalid(f"$.reply_settings: does not have a value in the enumeration {sorted(REPLY_SETTINGS)}")
    together = [name for name in EXCLUSIVE if name in body]
    if len(together) > 1:
        raise invalid(f"{' and '.join(together)} are mutually exclusive")
    link = body.get("direct_message_deep_link")
    if link is not None and not (isinstance(link, str) and DEEP_LINK.fullmatch(link)):
        raise invalid("$.direct_message_deep_link: is not a link to a Direct Message")


def _target(world: World, author: User, value: object, name: str) -> Post | None:
    if value is None:
        return None
    post = world.timeline.readable(id_of(str(value), name), author.id)
    if post is None:
        raise forbidden(TARGET_GONE)
    return post


def check_draft(world: World, author: User, draft: Draft) -> None:
    """Refuse a draft that the platform would refuse."""
    if not draft.text.strip() and not draft.media:
        raise bad_text("Your Tweet text is empty.")
    composed = world.timeline.compose(author, draft)
    if FORBIDDEN.search(draft.text):
        raise bad_text("Your Tweet text contains invalid characters.")
    if is_too_long(composed.typed or clean(draft.text)):
        raise bad_text(TOO_LONG)
    if draft.in_reply_to and not _may_reply(world, author, draft.in_reply_to):
        raise forbidden(NOT_SUMMONED)
    since_ms = world.store.now_ms() - int(world.duplicate_window_s * 1000)
    if world.timeline.said_recently(author, composed.text, since_ms=since_ms):
        raise forbidden(DUPLICATE)


def _may_reply(world: World, author: User, target: Post) -> bool:
    """The summoned-reply rule (X, 23 Feb 2026): the answered post mentions us explicitly, or quotes us."""
    if not world.summons_required or target.author_id == author.id:
        return True
    if mentions_explicitly(target, author.id):
        return True
    quoted = world.timeline.by_id(target.quoted_id) if target.quoted_id else None
    return quoted is not None and quoted.author_id == author.id
