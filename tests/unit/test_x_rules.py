"""What may be sent on X, and what a refusal of X means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.channel import Halted, Refused, TryLater, Unknown
from bot.channels.x.problems import Answer, failure_of
from bot.channels.x.rules import EXPLANATIONS, XRules
from handoff.words import Entry, Place
from tests.support.ledger import a_message, an_entry

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def public(text: str) -> Entry:
    return an_entry("x:1001").model_copy(update={"text": text})


def private(text: str) -> Entry:
    return an_entry("x:1001", place=Place.PRIVATE).model_copy(update={"text": text})


def test_an_answer_to_a_post_that_mentions_us_may_go_out() -> None:
    assert XRules().refusal(public("It is in Leeds."), a_message()) is None


@pytest.mark.parametrize(
    ("rule", "entry", "target"),
    [
        ("not_summoned", public("It is in Leeds."), a_message(summons_us=False)),
        ("no_reply_target", public("It is in Leeds."), None),
        ("no_reply_target", public("Hello.").model_copy(update={"reply_to": None}), a_message()),
        ("too_long", public("日" * 141), a_message()),
        ("url_in_public", public("See kestrel.com"), a_message()),
        ("url_in_public", public("See https://kestrelair.example/x"), a_message()),
        ("empty_text", public(" \n"), a_message()),
        ("empty_text", private("\t"), None),
    ],
)
def test_a_broken_rule_is_named(rule: str, entry: Entry, target: Any) -> None:
    refused = XRules().refusal(entry, target)
    assert refused == Refused(rule=rule, detail=EXPLANATIONS[rule])


def test_private_words_may_be_long_and_hold_links() -> None:
    assert XRules().refusal(private("https://kestrelair.example " + "x" * 9000), None) is None


def test_a_post_of_the_full_weighted_length_is_allowed() -> None:
    assert XRules().refusal(public("日" * 140), a_message()) is None


def failed(status: int, body: Any = None, headers: dict[str, str] | None = None, *, is_write: bool = True) -> Any:
    return failure_of(Answer(status=status, headers=headers or {}, body=body or {}), NOW, is_write=is_write)


def forbidden(detail: str) -> dict[str, Any]:
    return {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}


@pytest.mark.parametrize(
    ("status", "body", "rule"),
    [
        (403, forbidden("You are not allowed to create a Tweet with duplicate content."), "duplicate"),
        (403, forbidden("Reply to this conversation is not allowed because you have not been mentioned or otherwise"
                        " engaged by the author of the post you are replying to."), "not_summoned"),
        (403, forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."), "target_gone"),
        (400, forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."), "target_gone"),
        (403, forbidden("You do not have permission to DM one or more participants."), "dm_closed"),
        (400, forbidden("Your Tweet text is too long. For more information see the documentation."), "too_long"),
        (403, forbidden("This operation is not permitted."), "not_permitted"),
        (403, {"errors": [{"code": 349, "message": "You cannot send messages to this user."}]}, "dm_closed"),
        (400, {"errors": [{"message": "The `max_results` query parameter"}], "title": "Invalid Request"},
         "invalid_request"),
        (404, {}, "not_found"),
    ],
)  # fmt: skip
def test_a_refusal_has_a_rule(status: int, body: Any, rule: str) -> None:
    found = failed(status, body)
    assert isinstance(found, Refused)
    assert found.rule == rule


@pytest.mark.parametrize("host", ["api.twitter.com", "api.x.com"])
@pytest.mark.parametrize(
    ("status", "tail"),
    [
        (402, "credits"),
        (403, "oauth1-permissions"),
        (403, "unsupported-authentication"),
        (403, "client-forbidden"),
        (429, "usage-capped"),
    ],
)
def test_what_concerns_the_whole_account_stops_everything(status: int, tail: str, host: str) -> None:
    assert isinstance(failed(status, {"type": f"https://{host}/2/problems/{tail}", "detail": "no"}), Halted)


def test_refused_keys_stop_everything() -> None:
    assert isinstance(failed(401, {"title": "Unauthorized"}), Halted)


def test_a_server_error_leaves_a_post_unknown_and_a_read_to_be_repeated() -> None:
    assert isinstance(failed(503), Unknown)
    assert isinstance(failed(503, is_write=False), TryLater)


def test_a_limit_is_waited_out_until_its_reset() -> None:
    reset = NOW + timedelta(minutes=7)
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(reset.timestamp()))}
    assert failed(429, headers=headers) == TryLater(detail="HTTP 429", at=reset)


def test_the_limit_of_the_day_counts_when_it_is_the_one_used_up() -> None:
    soon, tomorrow = NOW + timedelta(minutes=3), NOW + timedelta(hours=20)
    headers = {
        "x-rate-limit-remaining": "12",
        "x-rate-limit-reset": str(int(soon.timestamp())),
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": str(int(tomorrow.timestamp())),
    }
    assert failed(429, headers=headers).at == tomorrow


def test_a_limit_without_a_word_on_its_end_is_waited_out_for_a_minute() -> None:
    assert failed(429).at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("reset", [NOW - timedelta(days=3), NOW + timedelta(days=400)])
def test_a_platform_whose_clock_differs_does_not_stop_us_for_ever(reset: datetime) -> None:
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(reset.timestamp()))}
    assert NOW < failed(429, headers=headers).at <= NOW + timedelta(minutes=15)


@pytest.mark.parametrize("body", [{"errors": "no"}, {"errors": [None, 3]}, {"detail": None, "type": 7}])
def test_a_strange_body_is_a_refusal_all_the_same(body: Any) -> None:
    assert isinstance(failed(403, body), Refused)
