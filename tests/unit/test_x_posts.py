"""What X tells becomes messages: both dialects, whatever is missing, and nothing of our own."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.x.posts import Account, messages_of, records
from bot.channels.x.snowflake import id_at, moment_of
from handoff.words import Message, Place

US = Account(id="222222222", handle="KestrelAir")
SHARED = Path(os.environ.get("FRONTDESK_SHARED") or Path(__file__).parents[3] / "shared") / "x"
MIA = {"id": "111111111", "name": "Mia", "username": "mia_travels"}


def a_post(text: str = "@KestrelAir where is my bag?", **more: Any) -> dict[str, Any]:
    """A post of Mia's in X's shape; her mention of us is found in the text."""
    mentions = []
    if (start := text.find("@KestrelAir")) >= 0:
        mentions = [{"start": start, "end": start + 11, "username": "KestrelAir", "id": US.id}]
    return {
        "id": "1900000000000000101",
        "text": text,
        "author_id": MIA["id"],
        "conversation_id": "1900000000000000100",
        "created_at": "2026-07-07T13:17:01.000Z",
        "edit_history_tweet_ids": ["1900000000000000101"],
        "display_text_range": [0, len(text)],
        "entities": {"mentions": mentions},
        **more,
    }


def a_dm(text: str = "where is my order?", **more: Any) -> dict[str, Any]:
    return {
        "event_type": "MessageCreate",
        "id": "1585800613752881156",
        "text": text,
        "sender_id": MIA["id"],
        "dm_conversation_id": "111111111-222222222",
        "created_at": "2026-07-07T13:17:01.000Z",
        **more,
    }


def read(*raw: dict[str, Any], users: list[dict[str, Any]] | None = None, **includes: Any) -> list[Message]:
    body = {"data": list(raw), "includes": {"users": users if users is not None else [MIA], **includes}}
    return list(messages_of(body, US))


def test_a_mention_is_a_public_message() -> None:
    (message,) = read(a_post())
    assert message.id == "post:1900000000000000101"
    assert (message.text, message.place, message.summons_us) == ("where is my bag?", Place.PUBLIC, True)
    assert (message.customer.handle, message.thread) == ("mia_travels", "1900000000000000100")
    assert message.url == "https://x.com/mia_travels/status/1900000000000000101"
    assert message.sent_at == datetime(2026, 7, 7, 13, 17, 1, tzinfo=UTC)


def test_a_direct_message_is_a_private_message() -> None:
    (message,) = read(a_dm())
    assert (message.id, message.place) == ("dm:1585800613752881156", Place.PRIVATE)
    assert (message.text, message.thread) == ("where is my order?", "111111111-222222222")


def test_the_new_dialect_is_read_like_the_old() -> None:
    old = a_post(
        referenced_tweets=[{"type": "replied_to", "id": "1900000000000000099"}],
        note_tweet={"text": "@KestrelAir the long text", "entities": {"mentions": []}},
        edit_history_tweet_ids=["1900000000000000090", "1900000000000000101"],
    )
    renamed = {
        "edit_history_tweet_ids": "edit_history_post_ids",
        "referenced_tweets": "referenced_posts",
        "note_tweet": "note_post",
    }
    new = {renamed.get(key, key): value for key, value in old.items()}
    assert read(old) == read(new)
    assert read(new)[0].id == "post:1900000000000000090"
    assert read(new)[0].in_reply_to == "1900000000000000099"


def test_our_own_words_and_reposts_are_no_messages() -> None:
    repost = a_post("RT @KestrelAir hello", referenced_tweets=[{"type": "retweeted", "id": "1"}])
    joined = {"event_type": "ParticipantsJoin", "id": "5", "participant_ids": ["1"]}
    assert read(a_post(author_id=US.id), a_dm(sender_id=US.id), repost, joined) == []


def test_ids_may_be_numbers() -> None:
    raw = a_post(id=1900000000000000101, author_id=111111111, conversation_id=1900000000000000100)
    assert read(raw, users=[{**MIA, "id": 111111111}]) == read(a_post())


def test_a_writer_of_whom_x_tells_nothing_is_known_by_the_id() -> None:
    (message,) = read(a_post(), users=[])
    assert message.customer.handle == MIA["id"]
    assert message.url == "https://x.com/i/status/1900000000000000101"


def test_a_missing_time_is_read_from_the_id() -> None:
    raw = a_post(id=id_at(datetime(2026, 7, 7, tzinfo=UTC)), created_at=None)
    assert read(raw)[0].sent_at == datetime(2026, 7, 7, tzinfo=UTC)
    assert moment_of(id_at(datetime(2026, 7, 7, tzinfo=UTC))) == datetime(2026, 7, 7, tzinfo=UTC)


def test_a_record_with_nothing_but_ids_is_still_a_message() -> None:
    (message,) = read({"id": "1900000000000000101", "author_id": "111111111"}, users=[])
    assert (message.text, message.summons_us) == ("", False)


def test_an_unreadable_record_does_not_spoil_the_page() -> None:
    assert len(read({"id": "x"}, {}, {"id": "1" * 30, "author_id": "1"}, a_post())) == 1


def test_a_reply_whose_mention_x_added_does_not_summon_us() -> None:
    text = "@KestrelAir the one to Paris"
    replied = [{"type": "replied_to", "id": "1900000000000000099"}]
    (message,) = read(a_post(text, display_text_range=[12, len(text)], referenced_tweets=replied))
    assert (message.text, message.summons_us) == ("the one to Paris", False)


def test_a_reply_that_mentions_us_again_summons_us() -> None:
    text = "@KestrelAir @KestrelAir the one to Paris"
    mentions = [{"start": n, "end": n + 11, "username": "KestrelAir", "id": US.id} for n in (0, 12)]
    replied = [{"type": "replied_to", "id": "1900000000000000099"}]
    raw = a_post(text, display_text_range=[12, 40], referenced_tweets=replied, entities={"mentions": mentions})
    (message,) = read(raw)
    assert (message.text, message.summons_us) == ("the one to Paris", True)


def test_without_a_range_the_mentions_that_lead_a_reply_summon_nobody() -> None:
    replied = [{"type": "replied_to", "id": "1"}]
    raw = a_post("@KestrelAir yes", referenced_tweets=replied)
    del raw["display_text_range"]
    assert not read(raw)[0].summons_us
    assert read({**raw, "referenced_tweets": None})[0].summons_us


def test_without_entities_the_text_tells_who_is_mentioned() -> None:
    assert read(a_post("hi @kestrelair!", entities=None))[0].summons_us
    assert not read(a_post("hi @kestrelairways", entities=None))[0].summons_us


def test_a_mention_in_the_cut_part_of_a_long_post_summons_us() -> None:
    long = "word " * 60 + "@KestrelAir"
    note = {"text": long, "entities": {"mentions": [{"start": 300, "username": "KestrelAir", "id": US.id}]}}
    (message,) = read(a_post("word word…", note_tweet=note))
    assert message.summons_us
    assert message.text == long


def test_a_long_post_of_which_the_whole_text_is_missing_is_still_a_message() -> None:
    note = {"entities": {"mentions": [{"start": 0, "end": 11, "username": "KestrelAir", "id": US.id}]}}
    (message,) = read(a_post("@KestrelAir where is my bag?", note_tweet=note))
    assert message.text == "where is my bag?"


def test_quoting_a_post_of_ours_summons_us() -> None:
    quote = a_post("this is not true", referenced_tweets=[{"type": "quoted", "id": "77"}])
    ours = {"id": "77", "author_id": US.id, "text": "We fly &amp; smile."}
    (message,) = read(quote, tweets=[ours])
    assert (message.summons_us, message.quoted) == (True, "We fly & smile.")
    assert not read(quote, posts=[{**ours, "author_id": "3"}])[0].summons_us


def test_a_group_message_is_left_alone() -> None:
    assert read(a_dm(dm_conversation_id="1585800613752881150")) == []


def test_a_customer_who_takes_no_messages_from_us_is_known_as_such() -> None:
    assert read(a_post())[0].private_possible
    assert not read(a_post(), users=[{**MIA, "receives_your_dm": False}])[0].private_possible


@pytest.mark.parametrize(
    "text", ["", "   ", "👋", "x" * 10_000, "/restart", '/intent{"x":1}', "a\x00b\u202e", "\ud800"]
)
def test_any_text_is_a_message(text: str) -> None:
    for message in (*read(a_post(text)), *read(a_dm(text))):
        assert Message.model_validate_json(message.model_dump_json()) == message


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(a_post())), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted({**a_post(), **a_dm(), "note_tweet": 0, "attachments": 0})), JUNK))
def test_no_answer_of_x_breaks_the_reading(junk: dict[str, Any]) -> None:
    read({**a_post(), **junk}, junk, {**a_dm(), **junk})


@pytest.mark.skipif(
    not SHARED.exists(), reason="shared/x not present (recordings of the X API are not part of this project)"
)
def test_every_recorded_answer_of_x_can_be_read() -> None:
    recordings = json.loads((SHARED / "tweepy_recordings_v2.json").read_text())
    found = {"mentions": 0, "direct_messages": 0}
    for recording in recordings:
        body = recording["response"]["body"]
        if not isinstance(body, dict) or recording["hand_made"]:
            continue
        messages_of(body, US)
        for name in found:  # these were recorded without the field that names the writer
            if name in recording["recording"]:
                named = [{**raw, **_writer(raw)} for raw in records(body)]
                found[name] += len(messages_of({**body, "data": named}, US))
    assert all(found.values()), found


def _writer(raw: Any) -> dict[str, str]:
    return {"sender_id" if "event_type" in raw else "author_id": "111111111"}


@pytest.mark.skipif(
    not SHARED.exists(), reason="shared/x not present (recordings of the X API are not part of this project)"
)
def test_a_captured_mention_can_be_read() -> None:
    events = json.loads((SHARED / "captured_events.json").read_text())
    (event,) = [e["body"] for e in events if "mention" in json.dumps(e["body"].get("data", {}).get("event_type", ""))]
    payload, includes = event["data"]["payload"], event["data"].get("includes") or event.get("includes") or {}
    (message,) = messages_of({"data": [payload], "includes": includes}, Account(id="222222222", handle="mybot"))
    assert message.place is Place.PUBLIC
