"""The shapes in which users, posts and messages leave the sandbox: X's own, and the page's."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from bot.sandbox.records import DirectMessage, Post, User, iso

EDIT_WINDOW_MS = 60 * 60 * 1000


def user_json(user: User, fields: Collection[str], extra: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """A user as the API shows it; `extra` holds what depends on who asks."""
    shown: dict[str, Any] = {"id": str(user.id), "name": user.name, "username": user.handle}
    known: dict[str, Any] = {
        "created_at": iso(user.created_ms),
        "description": user.bio,
        "protected": user.protected,
        "verified": False,
        "verified_type": "none",
        "profile_image_url": "https://abs.twimg.com/sticky/default_profile_images/default_profile_normal.png",
        "url": "",
    }
    if user.automated:
        known["affiliation"] = {"description": "Automated"}
    shown |= {name: value for name, value in known.items() if name in fields}
    return shown | {name: value() for name, value in extra.items() if name in fields}


def post_json(
    post: Post, fields: Collection[str], *, quoted_id: int | None, reply_count: Callable[[], int]
) -> dict[str, Any]:
    """A post as the API shows it, with the fields asked for and those it always has."""
    shown: dict[str, Any] = {
        "id": str(post.id),
        "text": post.text,
        "edit_history_tweet_ids": [str(id) for id in post.history],
    }
    known = _plain_fields(post) | _sparse_fields(post, quoted_id)
    shown |= {name: value for name, value in known.items() if name in fields}
    if "public_metrics" in fields:
        counts = ("retweet_count", "like_count", "quote_count", "bookmark_count", "impression_count")
        shown["public_metrics"] = dict.fromkeys(counts, 0) | {"reply_count": reply_count()}
    return shown


def _plain_fields(post: Post) -> dict[str, Any]:
    return {
        "author_id": str(post.author_id),
        "conversation_id": str(post.conversation_id),
        "created_at": iso(post.created_ms),
        "display_text_range": list(post.display),
        "edit_controls": {
            "edits_remaining": max(5 - (len(post.history) - 1), 0),
            "is_edit_eligible": post.in_reply_to_id is None,
            "editable_until": iso(post.created_ms + EDIT_WINDOW_MS),
        },
        "lang": post.lang,
        "possibly_sensitive": False,
        "reply_settings": post.reply_settings,
    }


def _sparse_fields(post: Post, quoted_id: int | None) -> dict[str, Any]:
    """Fields that X leaves out where there is nothing to say."""
    fields: dict[str, Any] = {}
    if post.entities:
        fields["entities"] = post.entities
    if post.in_reply_to_user_id:
        fields["in_reply_to_user_id"] = str(post.in_reply_to_user_id)
    references = []
    if post.in_reply_to_id:
        references.append({"type": "replied_to", "id": str(post.in_reply_to_id)})
    if quoted_id:
        references.append({"type": "quoted", "id": str(quoted_id)})
    if references:
        fields["referenced_tweets"] = references
    if post.media_key:
        fields["attachments"] = {"media_keys": [post.media_key]}
    if post.note:
        fields["note_tweet"] = post.note
    return fields


def message_json(message: DirectMessage, fields: Collection[str]) -> dict[str, Any]:
    """A direct message as the API shows it."""
    known = {
        "id": str(message.id),
        "event_type": "MessageCreate",
        "text": message.text,
        "sender_id": str(message.sender_id),
        "dm_conversation_id": message.conversation_id,
        "created_at": iso(message.created_ms),
    }
    return {name: value for name, value in known.items() if name in fields}


def user_on_page(user: User) -> dict[str, Any]:
    """A user as the page and the control plane show it."""
    return {
        "id": str(user.id),
        "handle": user.handle,
        "name": user.name,
        "bio": user.bio,
        "protected": user.protected,
        "dms": "open" if user.dm_open else "closed",
        "suspended": user.suspended,
        "automated": user.automated,
        "created_at": iso(user.created_ms),
    }


def post_on_page(
    post: Post, *, author: User, answered: User | None, quoted: tuple[Post, User] | None, reply_count: int
) -> dict[str, Any]:
    """A post as the page and the control plane show it: the text as typed."""
    mentions = (post.note or {}).get("entities", post.entities).get("mentions", ())
    return {
        "id": str(post.id),
        "author": user_on_page(author),
        "text": post.typed,
        "in_reply_to": str(post.in_reply_to_id) if post.in_reply_to_id else None,
        "in_reply_to_handle": answered.handle if answered else None,
        "conversation_id": str(post.conversation_id),
        "mentions": [m["username"] for m in mentions],
        "quote": {"id": str(quoted[0].id), "text": quoted[0].typed, "author": user_on_page(quoted[1])}
        if quoted and not quoted[0].deleted
        else None,
        "media": bool(post.media_key),
        "deep_link": post.deep_link,
        "edited": len(post.history) > 1,
        "deleted": post.deleted,
        "via_api": post.via_api,
        "reply_count": reply_count,
        "created_at": iso(post.created_ms),
    }


def message_on_page(message: DirectMessage, *, sender: User, recipient: User) -> dict[str, Any]:
    """A direct message as the page and the control plane show it."""
    return {
        "id": str(message.id),
        "conversation_id": message.conversation_id,
        "author": sender.handle,
        "recipient": recipient.handle,
        "recipient_id": str(recipient.id),
        "text": message.text,
        "via_api": message.via_api,
        "created_at": iso(message.created_ms),
    }
