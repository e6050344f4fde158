"""Reads the query of a request to /2, and refuses what X refuses."""

import re
import zlib
from collections.abc import Collection, Mapping
from datetime import datetime

from bot.sandbox.problems import invalid
from bot.sandbox.records import MAX_ID, Window, snowflake_at

ID = re.compile(r"[0-9]{1,19}")
TOKEN = re.compile(r"([np])([0-9a-f]{16})([0-9a-f]{8})")


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


TWEET_FIELDS = words("""
    article attachments author_id card_uri community_id context_annotations conversation_id created_at
    display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang
    matched_media_notes media_metadata non_public_metrics note_request_suggestions note_tweet organic_metrics
    paid_partnership possibly_sensitive promoted_metrics public_metrics referenced_tweets reply_settings scopes
    source suggested_source_links suggested_source_links_with_counts text withheld""")
USER_FIELDS = words("""
    affiliation confirmed_email connection_status created_at description entities id is_identity_verified location
    most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url protected public_metrics
    receives_your_dm subscription subscription_type url username verified verified_followers_count verified_type
    withheld""")
DM_FIELDS = words("""
    attachments created_at dm_conversation_id entities event_type id participant_ids referenced_tweets sender_id
    text""")
TWEET_EXPANSIONS = words("""
    article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet
    attachments.poll_ids author_id edit_history_tweet_ids entities.mentions.username geo.place_id
    in_reply_to_user_id entities.note.mentions.username referenced_tweets.id
    referenced_tweets.id.attachments.media_keys referenced_tweets.id.author_id""")
DM_EXPANSIONS = words("attachments.media_keys participant_ids referenced_tweets.id sender_id")
EXCLUDABLE = frozenset({"replies", "retweets"})
EVENT_TYPES = frozenset({"MessageCreate", "ParticipantsJoin", "ParticipantsLeave"})

Query = Mapping[str, str]


def listed(query: Query, name: str, allowed: Collection[str]) -> frozenset[str]:
    """The values of a comma-separated parameter."""
    given = frozenset(filter(None, query.get(name, "").split(",")))
    if unknown := sorted(given - set(allowed)):
        shown = ",".join(sorted(allowed))
        raise invalid(
            f"The `{name}` query parameter value [{unknown[0]}] is not one of [{shown}]", **{name: unknown[0]}
        )
    return given


def id_of(value: str, name: str) -> int:
    """An id out of a path or a query."""
    if not ID.fullmatch(value):
        raise invalid(f"The `{name}` parameter value [{value}] is not valid", **{name: value})
    return min(int(value), MAX_ID)


def ids(query: Query, name: str = "ids") -> list[str]:
    """A list of 1 to 100 ids."""
    values = [value for value in query.get(name, "").split(",") if value]
    if not 1 <= len(values) <= 100:
        raise invalid(
            f"The number of values in the `{name}` query parameter list [{len(values)}] is not between 1 and 100"
        )
    for value in values:
        id_of(value, name)
    return values


def window(query: Query, *, least: int, default: int) -> Window:
    """The part of a list that is asked for."""
    after = [id_of(query["since_id"], "since_id")] if "since_id" in query else []
    before = [id_of(query["until_id"], "until_id")] if "until_id" in query else []
    if "start_time" in query:
        after.append(_id_at(query["start_time"], "start_time") - 1)
    if "end_time" in query:
        before.append(_id_at(query["end_time"], "end_time"))
    backwards = False
    if token := query.get("pagination_token"):
        direction, id = read_token(token)
        backwards = direction == "p"
        (after if backwards else before).append(id)
    return Window(
        limit=_max_results(query, least=least, default=default),
        after_id=max(after, default=0),
        before_id=min(before, default=MAX_ID),
        backwards=backwards,
        continued=bool(token),
    )


def _max_results(query: Query, *, least: int, default: int) -> int:
    value = query.get("max_results", str(default))
    if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= 100:
        message = f"The `max_results` query parameter value [{value}] is not between {least} and 100"
        raise invalid(message, max_results=value)
    return int(value)


def _id_at(value: str, name: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise invalid(f"The `{name}` query parameter value [{value}] is not a valid RFC3339 time", **{name: value})
    return snowflake_at(int(moment.timestamp() * 1000))


def token(direction: str, id: int) -> str:
    """A pagination token: `n` leads to entries older than the id, `p` to newer ones; 25 characters."""
    body = f"{direction}{id:016x}"
    return f"{body}{zlib.crc32(body.encode()):08x}"


def read_token(value: str) -> tuple[str, int]:
    """Direction and id of a token that `token` made."""
    match = TOKEN.fullmatch(value)
    if match is None or f"{zlib.crc32(value[:17].encode()):08x}" != match[3]:
        message = f"The `pagination_token` query parameter value [{value}] is not valid"
        raise invalid(message, pagination_token=value)
    return match[1], min(int(match[2], 16), MAX_ID)
