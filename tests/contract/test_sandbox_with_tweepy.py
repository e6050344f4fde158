"""The sandbox as tweepy sees it: the real client, over HTTP, with every answer held against X's specification."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
import tweepy
from jsonschema import Draft4Validator, ValidationError
from requests.adapters import HTTPAdapter

from bot.sandbox.app import serve
from bot.sandbox.world import Account

US = Account().user_id
SHARED = Path(os.environ.get("FRONTDESK_SHARED") or Path(__file__).parents[3] / "shared")
SPECIFICATION = SHARED / "x" / "openapi-2.166.json"


class LocalAdapter(HTTPAdapter):
    """Leads signed requests for api.twitter.com to a local server."""

    def __init__(self, base: str) -> None:
        self.base = urlsplit(base)
        super().__init__()

    def send(self, request: Any, timeout: Any = None, **options: Any) -> requests.Response:
        url = urlsplit(request.url)
        request.headers["X-Forwarded-Host"] = url.netloc
        request.headers["X-Forwarded-Proto"] = url.scheme
        request.url = urlunsplit((self.base.scheme, self.base.netloc, url.path, url.query, ""))
        return super().send(request, timeout=timeout or (3, 10), **options)


class Specification:
    """X's own description of its answers."""

    def __init__(self, path: Path) -> None:
        self._spec = json.loads(path.read_text())
        self.checked = 0

    def check(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.ok:
            self.check_body(response.request.method, urlsplit(response.url).path, response.status_code, response.json())

    def check_body(self, method: str, path: str, status: int, body: Any) -> None:
        schema = self._schema(method, path, status)
        Draft4Validator({**schema, "components": self._spec["components"]}).validate(body)
        self.checked += 1

    def _schema(self, method: str, path: str, status: int) -> dict[str, Any]:
        # the most literal path wins: /2/users/me before /2/users/{id}
        for template in sorted(self._spec["paths"], key=lambda path: path.count("{")):
            if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path):
                responses = self._spec["paths"][template][method.lower()]["responses"]
                schema: dict[str, Any] = responses[str(status)]["content"]["application/json"]["schema"]
                return schema
        raise LookupError(path)


@pytest.fixture(scope="session")
def specification() -> Specification | None:
    return Specification(SPECIFICATION) if SPECIFICATION.exists() else None


@dataclass
class Sandbox:
    """A running sandbox, its control plane and a signed client."""

    url: str
    specification: Specification | None

    def client(self, account: Account | None = None) -> tweepy.Client:
        keys = account or Account()
        client = tweepy.Client(
            consumer_key=keys.consumer_key,
            consumer_secret=keys.consumer_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_secret,
            return_type=dict,
        )
        client.session.mount("https://api.twitter.com", LocalAdapter(self.url))
        if self.specification:
            client.session.hooks["response"].append(self.specification.check)
        return client

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        response = requests.request(method, f"{self.url}/_sim/{path}", json=body, timeout=10)
        assert response.ok, response.text
        return response.json()

    def post(self, author: str, text: str, **more: Any) -> str:
        return str(self.sim("POST", "posts", {"author": author, "text": text, **more})["id"])

    def dm(self, author: str, text: str, **more: Any) -> str:
        return str(self.sim("POST", "dms", {"author": author, "text": text, **more})["id"])

    def id_of(self, handle: str) -> str:
        return next(u["id"] for u in self.sim("GET", "users")["users"] if u["handle"] == handle)


@dataclass
class RunningSandbox:
    """A sandbox in a thread of its own; started and stopped by `with`."""

    state_path: Path
    specification: Specification | None

    def __enter__(self) -> Sandbox:
        listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(listening)))
        self._thread.start()
        assert listening.wait(10)
        return Sandbox(self._url, self.specification)

    async def _serve(self, listening: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()

        def ready(url: str) -> None:
            self._url = url
            listening.set()

        await serve(host="127.0.0.1", port=0, state_path=self.state_path, stop=self._stop, ready=ready)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@pytest.fixture
def sandbox(tmp_path: Path, specification: Specification | None) -> Iterator[Sandbox]:
    with RunningSandbox(tmp_path / "sandbox.db", specification) as running:
        yield running


def mentions(client: tweepy.Client, **query: Any) -> Any:
    return client.get_users_mentions(US, user_auth=True, **query)


def texts(answer: Any) -> list[str]:
    return [post["text"] for post in answer.get("data", [])]


def problem(refusal: "pytest.ExceptionInfo[tweepy.HTTPException]") -> Any:
    return refusal.value.response.json()


# --- who asks


def test_the_account_learns_who_it_is(sandbox: Sandbox) -> None:
    me = sandbox.client().get_me(user_fields=["affiliation", "protected", "public_metrics"])["data"]
    assert (me["id"], me["username"]) == (str(US), "KestrelAir")
    assert me["affiliation"]["description"] == "Automated"


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_secret": "guessed"},
        {"consumer_secret": "guessed"},
        {"consumer_key": "another-app"},
        {"access_token": f"{US}-another-token"},
    ],
)
def test_wrong_keys_are_unauthorized(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    with pytest.raises(tweepy.Unauthorized) as refusal:
        sandbox.client(replace(Account(), **wrong)).get_me()
    assert problem(refusal) == {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}


def test_a_request_that_is_sent_twice_as_it_is_is_refused_the_second_time(sandbox: Sandbox) -> None:
    sent = sandbox.client().request("GET", "/2/users/me", user_auth=True).request
    again = requests.get(sent.url, headers=dict(sent.headers), timeout=5)
    assert again.status_code == 401


def test_a_changed_query_breaks_the_signature(sandbox: Sandbox) -> None:
    prepared = requests.Request("GET", "https://api.twitter.com/2/users", params={"ids": "1"}, auth=_signer()).prepare()
    prepared.url = f"{sandbox.url}/2/users?ids=2"
    prepared.headers.update({"X-Forwarded-Host": "api.twitter.com", "X-Forwarded-Proto": "https"})
    with requests.Session() as session:
        assert session.send(prepared, timeout=5).status_code == 401


def _signer() -> Any:
    from requests_oauthlib import OAuth1

    keys = Account()
    return OAuth1(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_secret)


def test_a_customer_may_have_keys_too(sandbox: Sandbox) -> None:
    keys = sandbox.sim("POST", "users/mia_travels/token")
    mia = Account(access_token=keys["access_token"], access_secret=keys["access_token_secret"])
    client = sandbox.client(mia)
    assert client.get_me()["data"]["username"] == "mia_travels"
    client.create_tweet(text="@KestrelAir from my own program")
    assert texts(mentions(sandbox.client())) == ["@KestrelAir from my own program"]


def test_an_application_token_is_told_from_a_user(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.url}/2/users/me", headers={"Authorization": "Bearer abc"}, timeout=5)
    assert answer.status_code == 403
    assert answer.json()["title"] == "Unsupported Authentication"


# --- mentions


def test_no_mentions_is_a_page_without_data(sandbox: Sandbox) -> None:
    assert mentions(sandbox.client()) == {"meta": {"result_count": 0}}


def test_mentions_are_paged_newest_first(sandbox: Sandbox) -> None:
    for number in range(12):
        sandbox.post("mia_travels", f"@KestrelAir question {number}")
    client = sandbox.client()
    first = mentions(client, max_results=5)
    assert [text[-2:].strip() for text in texts(first)] == ["11", "10", "9", "8", "7"]
    assert first["meta"]["newest_id"] == first["data"][0]["id"]
    pages = [first]
    while token := pages[-1]["meta"].get("next_token"):
        pages.append(mentions(client, max_results=5, pagination_token=token))
    assert [page["meta"]["result_count"] for page in pages] == [5, 5, 2]
    back = mentions(client, max_results=5, pagination_token=pages[1]["meta"]["previous_token"])
    assert texts(back) == texts(first)


def test_only_mentions_after_the_known_one_are_given(sandbox: Sandbox) -> None:
    known = sandbox.post("mia_travels", "@KestrelAir one")
    newer = sandbox.post("tom_okafor", "@kestrelair two")
    answer = mentions(sandbox.client(), since_id=known)
    assert [post["id"] for post in answer["data"]] == [newer]
    assert texts(mentions(sandbox.client(), until_id=newer)) == ["@KestrelAir one"]


def test_only_the_fields_asked_for_are_given(sandbox: Sandbox) -> None:
    sandbox.post("mia_travels", "@KestrelAir hello")
    plain = mentions(sandbox.client())["data"][0]
    assert plain.keys() == {"id", "text", "edit_history_tweet_ids"}
    rich = mentions(
        sandbox.client(),
        tweet_fields=["conversation_id", "created_at", "lang", "reply_settings", "public_metrics", "edit_controls"],
        expansions=["author_id"],
    )
    post, author = rich["data"][0], rich["includes"]["users"][0]
    assert post["author_id"] == author["id"]
    assert author["username"] == "mia_travels"
    assert post["conversation_id"] == post["id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", post["created_at"])


def test_an_unknown_field_or_size_is_an_invalid_request(sandbox: Sandbox) -> None:
    with pytest.raises(tweepy.BadRequest) as refusal:
        mentions(sandbox.client(), max_results=3)
    assert problem(refusal)["errors"] == [
        {
            "parameters": {"max_results": ["3"]},
            "message": "The `max_results` query parameter value [3] is not between 5 and 100",
        }
    ]
    with pytest.raises(tweepy.BadRequest):
        mentions(sandbox.client(), tweet_fields=["colour"])
    with pytest.raises(tweepy.BadRequest):
        mentions(sandbox.client(), pagination_token="n0000000000000001deadbeef")


def test_text_is_escaped_and_links_are_shortened(sandbox: Sandbox) -> None:
    sandbox.post("mia_travels", "@KestrelAir <b>R&D</b> see kestrel.example/fares?a=1 or https://example.com")
    post = mentions(sandbox.client(), tweet_fields=["entities", "display_text_range"])["data"][0]
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in post["text"]
    link = post["entities"]["urls"][-1]
    assert link["expanded_url"] == "https://example.com"
    assert post["text"][link["start"] : link["end"]] == link["url"]
    assert post["display_text_range"] == [0, len(post["text"])]


def test_a_photo_alone_is_a_mention_when_it_is_an_answer_to_us(sandbox: Sandbox) -> None:
    ours = sandbox.client().create_tweet(text="Show us your window seat")["data"]["id"]
    sandbox.post("mia_travels", "", in_reply_to=ours, media=True)
    answer = mentions(
        sandbox.client(),
        tweet_fields=["display_text_range", "attachments", "entities"],
        expansions=["attachments.media_keys"],
    )
    post = answer["data"][0]
    start, end = post["display_text_range"]
    assert post["text"][start:end] == ""
    assert post["attachments"]["media_keys"] == [answer["includes"]["media"][0]["media_key"]]


def test_a_long_post_is_cut_and_whole_in_its_note(sandbox: Sandbox) -> None:
    sandbox.post("mia_travels", "@KestrelAir " + "so long " * 500 + "@tom_okafor")
    post = mentions(sandbox.client(), tweet_fields=["note_tweet", "entities"])["data"][0]
    assert len(post["text"]) <= 280
    assert post["note_tweet"]["text"].endswith("so long @tom_okafor")
    assert [m["username"] for m in post["note_tweet"]["entities"]["mentions"]] == ["KestrelAir", "tom_okafor"]


def test_posts_of_protected_suspended_and_deleted_people_are_not_seen(sandbox: Sandbox) -> None:
    for handle in ("mia_travels", "tom_okafor", "lin_wei"):
        sandbox.post(handle, f"@KestrelAir from {handle}")
    gone = sandbox.post("lin_wei", "@KestrelAir regretted")
    sandbox.sim("PATCH", "users/mia_travels", {"protected": True})
    sandbox.sim("PATCH", "users/tom_okafor", {"suspended": True})
    sandbox.sim("DELETE", f"posts/{gone}")
    assert texts(mentions(sandbox.client())) == ["@KestrelAir from lin_wei"]


def test_an_edited_post_comes_back_under_a_new_id_with_its_history(sandbox: Sandbox) -> None:
    first = sandbox.post("mia_travels", "@KestrelAir fare to Pariss")
    second = sandbox.sim("POST", f"posts/{first}/edit", {"text": "@KestrelAir fare to Paris"})["id"]
    only = mentions(sandbox.client())["data"]
    assert [(post["id"], post["edit_history_tweet_ids"]) for post in only] == [(second, [first, second])]


def test_a_late_post_has_an_older_id_than_what_was_seen_before(sandbox: Sandbox) -> None:
    late = sandbox.post("mia_travels", "@KestrelAir late", delay_s=0.4)
    seen = sandbox.post("tom_okafor", "@KestrelAir in time")
    client = sandbox.client()
    assert [post["id"] for post in mentions(client)["data"]] == [seen]
    assert wait_for(lambda: len(mentions(client)["data"]) == 2)
    assert int(late) < int(seen)


def wait_for(condition: Callable[[], bool], attempts: int = 400) -> bool:
    pause = threading.Event()
    return any(condition() or pause.wait(0.02) for _ in range(attempts))


def test_the_same_key_makes_no_second_post_but_a_second_delivery(sandbox: Sandbox) -> None:
    client = sandbox.client()
    id = sandbox.post("mia_travels", "@KestrelAir once", key="row-1")
    newest = sandbox.post("tom_okafor", "@KestrelAir later")
    assert sandbox.post("mia_travels", "@KestrelAir once", key="row-1") == id
    again = mentions(client, since_id=newest)
    assert [post["id"] for post in again["data"]] == [id]
    assert mentions(client, since_id=newest) == {"meta": {"result_count": 0}}
    assert len(sandbox.sim("GET", "export")["posts"]) == 2


def test_thousands_of_posts_at_once_are_all_there(sandbox: Sandbox) -> None:
    rows = [{"author": f"c{n % 50:05}", "text": f"@KestrelAir row {n}", "key": f"k{n}"} for n in range(1500)]
    body = {"posts": [*rows, rows[3], {"author": "c00001", "text": " "}], "create_authors": True}
    results = sandbox.sim("POST", "bulk", body)["results"]
    assert results[-2] == {"id": results[3]["id"], "new": False}
    assert "error" in results[-1]
    pages = tweepy.Paginator(sandbox.client().get_users_mentions, US, user_auth=True, max_results=100)
    found = [post["id"] for page in pages for post in page["data"]]
    assert set(found) == {row["id"] for row in results[:-2]}


# --- posting


def test_a_summoned_reply_is_threaded(sandbox: Sandbox) -> None:
    asked = sandbox.post("mia_travels", "@KestrelAir lowest fare to Paris? also asking @tom_okafor")
    answer = sandbox.client().create_tweet(text="From EUR 89.", in_reply_to_tweet_id=asked)["data"]
    assert answer["text"] == "@mia_travels @tom_okafor From EUR 89."
    fields = ["conversation_id", "referenced_tweets", "in_reply_to_user_id", "display_text_range", "entities"]
    post = sandbox.client().get_tweet(answer["id"], user_auth=True, tweet_fields=fields)["data"]
    assert post["conversation_id"] == asked
    assert post["referenced_tweets"] == [{"type": "replied_to", "id": asked}]
    assert post["in_reply_to_user_id"] == sandbox.id_of("mia_travels")
    start, end = post["display_text_range"]
    assert post["text"][start:end] == "From EUR 89."


def test_a_mention_that_the_reply_repeats_becomes_its_hidden_prefix(sandbox: Sandbox) -> None:
    asked = sandbox.post("mia_travels", "@KestrelAir hello")
    answer = sandbox.client().create_tweet(text="@mia_travels Hello!", in_reply_to_tweet_id=asked)["data"]
    assert answer["text"] == "@mia_travels Hello!"


def test_a_reply_that_only_carries_the_hidden_mention_is_no_summons(sandbox: Sandbox) -> None:
    client = sandbox.client()
    asked = sandbox.post("mia_travels", "@KestrelAir hello")
    ours = client.create_tweet(text="Hello, how can we help?", in_reply_to_tweet_id=asked)["data"]["id"]
    plain = sandbox.post("mia_travels", "a fare please", in_reply_to=ours)
    assert texts(mentions(client, since_id=asked)) == ["@KestrelAir a fare please"]
    with pytest.raises(tweepy.Forbidden) as refusal:
        client.create_tweet(text="Where to?", in_reply_to_tweet_id=plain)
    assert problem(refusal)["detail"].startswith("Reply to this conversation is not allowed because you have not been")
    explicit = sandbox.post("mia_travels", "@KestrelAir a fare please", in_reply_to=ours)
    client.create_tweet(text="Where to?", in_reply_to_tweet_id=explicit)


def test_a_quote_of_our_post_is_a_summons(sandbox: Sandbox) -> None:
    client = sandbox.client()
    ours = client.create_tweet(text="New: daily to Lisbon")["data"]["id"]
    quote = sandbox.post("lin_wei", "is this real?", quote=ours)
    client.create_tweet(text="It is.", in_reply_to_tweet_id=quote)
    referenced = client.get_tweet(
        quote, user_auth=True, tweet_fields=["referenced_tweets"], expansions=["referenced_tweets.id"]
    )
    assert referenced["data"]["referenced_tweets"] == [{"type": "quoted", "id": ours}]
    assert referenced["includes"]["tweets"][0]["id"] == ours


def test_the_same_words_twice_are_refused_unless_the_addressee_differs(sandbox: Sandbox) -> None:
    client = sandbox.client()
    to_mia = [sandbox.post("mia_travels", f"@KestrelAir {n}") for n in range(2)]
    to_tom = sandbox.post("tom_okafor", "@KestrelAir hello")
    client.create_tweet(text="We are on it.", in_reply_to_tweet_id=to_mia[0])
    client.create_tweet(text="We are on it.", in_reply_to_tweet_id=to_tom)
    with pytest.raises(tweepy.Forbidden) as refusal:
        client.create_tweet(text="We are on it.", in_reply_to_tweet_id=to_mia[1])
    assert problem(refusal) == {
        "detail": "You are not allowed to create a Tweet with duplicate content.",
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
    }


def test_length_is_weighed_not_counted(sandbox: Sandbox) -> None:
    client = sandbox.client()
    client.create_tweet(text="航" * 140)
    client.create_tweet(text="a" * 256 + " https://example.com/" + "x" * 200)
    for long in ("航" * 141, "a" * 281):
        with pytest.raises(tweepy.BadRequest, match="too long"):
            client.create_tweet(text=long)


def test_the_hidden_prefix_does_not_count_against_the_length(sandbox: Sandbox) -> None:
    asked = sandbox.post("mia_travels", "@KestrelAir hello")
    sandbox.client().create_tweet(text="b" * 280, in_reply_to_tweet_id=asked)


def test_nobody_answers_a_post_that_is_gone_or_hidden(sandbox: Sandbox) -> None:
    gone = sandbox.post("mia_travels", "@KestrelAir regretted")
    hidden = sandbox.post("tom_okafor", "@KestrelAir private")
    blocked = sandbox.post("lin_wei", "@KestrelAir go away")
    sandbox.sim("DELETE", f"posts/{gone}")
    sandbox.sim("PATCH", "users/tom_okafor", {"protected": True})
    sandbox.sim("POST", "blocks", {"blocker": "lin_wei", "blocked": "KestrelAir"})
    for target in (gone, hidden, blocked):
        with pytest.raises(tweepy.Forbidden, match="deleted or not visible"):
            sandbox.client().create_tweet(text="Hello", in_reply_to_tweet_id=target)


def test_a_link_to_private_messages_travels_with_a_post(sandbox: Sandbox) -> None:
    asked = sandbox.post("mia_travels", "@KestrelAir where is order 12?")
    link = f"https://twitter.com/messages/compose?recipient_id={US}"
    sandbox.client().create_tweet(
        text="Please write to us privately.", in_reply_to_tweet_id=asked, direct_message_deep_link=link
    )
    (sent,) = sandbox.sim("GET", "sent")["sent"]
    assert (sent["kind"], sent["deep_link"], sent["in_reply_to"]) == ("post", link, asked)
    with pytest.raises(tweepy.BadRequest):
        sandbox.client().create_tweet(text="x", direct_message_deep_link="javascript:alert(1)")


def test_a_key_that_x_does_not_know_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(tweepy.BadRequest):
        sandbox.client().request("POST", "/2/tweets", json={"text": "x", "colour": "red"}, user_auth=True)


def test_own_posts_are_listed_and_deleted(sandbox: Sandbox) -> None:
    client = sandbox.client()
    asked = sandbox.post("mia_travels", "@KestrelAir hello")
    first = client.create_tweet(text="one")["data"]["id"]
    client.create_tweet(text="two", in_reply_to_tweet_id=asked)
    assert texts(client.get_users_tweets(US, user_auth=True)) == ["@mia_travels two", "one"]
    assert texts(client.get_users_tweets(US, user_auth=True, exclude=["replies"])) == ["one"]
    assert client.delete_tweet(first) == {"data": {"deleted": True}}
    assert texts(client.get_users_tweets(US, user_auth=True)) == ["@mia_travels two"]
    with pytest.raises(tweepy.Forbidden):
        client.delete_tweet(asked)


def test_a_post_that_is_gone_is_a_200_with_errors(sandbox: Sandbox) -> None:
    kept, gone = sandbox.post("mia_travels", "kept"), sandbox.post("mia_travels", "gone")
    sandbox.sim("DELETE", f"posts/{gone}")
    one = sandbox.client().get_tweet(gone, user_auth=True)
    assert "data" not in one
    assert one["errors"][0]["type"].endswith("resource-not-found")
    both = sandbox.client().get_tweets([kept, gone], user_auth=True)
    assert texts(both) == ["kept"]
    assert both["errors"][0]["value"] == gone


# --- users


def test_users_are_found_by_id_and_by_handle(sandbox: Sandbox) -> None:
    client = sandbox.client()
    sandbox.sim("POST", "users", {"handle": "quiet_q", "name": "Q", "dms": "closed"})
    user = client.get_user(username="QUIET_Q", user_auth=True, user_fields=["receives_your_dm", "protected"])["data"]
    assert user == {
        "id": sandbox.id_of("quiet_q"),
        "name": "Q",
        "username": "quiet_q",
        "protected": False,
        "receives_your_dm": False,
    }
    assert client.get_user(id=user["id"], user_auth=True)["data"]["username"] == "quiet_q"
    several = client.get_users(ids=[user["id"], "42"], user_auth=True)
    assert [u["username"] for u in several["data"]] == ["quiet_q"]
    assert several["errors"][0]["resource_id"] == "42"
    assert "errors" in client.get_users(usernames=["nobody_here"], user_auth=True)


# --- private messages


def test_private_messages_go_both_ways(sandbox: Sandbox) -> None:
    client, mia = sandbox.client(), sandbox.id_of("mia_travels")
    sandbox.dm("mia_travels", "my order is AB12")
    answer = client.create_direct_message(participant_id=mia, text="Thank you & hold on")["data"]
    conversation = "-".join(sorted([mia, str(US)], key=int))
    assert answer["dm_conversation_id"] == conversation
    client.create_direct_message(dm_conversation_id=conversation, text="Still there?")
    fields = ["sender_id", "dm_conversation_id", "created_at", "event_type"]
    lists = [
        client.get_direct_message_events(dm_event_fields=fields, expansions=["sender_id"]),
        client.get_direct_message_events(dm_event_fields=fields, participant_id=mia),
        client.get_direct_message_events(dm_event_fields=fields, dm_conversation_id=conversation),
    ]
    for listed in lists:
        assert texts(listed) == ["Still there?", "Thank you & hold on", "my order is AB12"]
        assert [event["sender_id"] for event in listed["data"]] == [str(US), str(US), mia]
    assert [item["text"] for item in sandbox.sim("GET", "sent")["sent"]] == ["Thank you & hold on", "Still there?"]


def test_private_messages_are_paged_with_long_tokens_to_an_empty_end(sandbox: Sandbox) -> None:
    for number in range(5):
        sandbox.dm("mia_travels", f"m{number}")
    client = sandbox.client()
    pages = [client.get_direct_message_events(max_results=2)]
    while token := pages[-1]["meta"].get("next_token"):
        assert len(token) >= 16
        pages.append(client.get_direct_message_events(max_results=2, pagination_token=token))
    assert [texts(page) for page in pages] == [["m4", "m3"], ["m2", "m1"], ["m0"], []]
    assert pages[-1] == {"meta": {"result_count": 0}}


def test_closed_messages_open_when_their_owner_writes_first(sandbox: Sandbox) -> None:
    sandbox.sim("PATCH", "users/tom_okafor", {"dms": "closed"})
    client, tom = sandbox.client(), sandbox.id_of("tom_okafor")
    with pytest.raises(tweepy.Forbidden, match="permission to DM"):
        client.create_direct_message(participant_id=tom, text="hello")
    sandbox.dm("tom_okafor", "hello you")
    client.create_direct_message(participant_id=tom, text="hello")
    sandbox.sim("POST", "blocks", {"blocker": "tom_okafor", "blocked": "KestrelAir"})
    with pytest.raises(tweepy.Forbidden, match="permission to DM"):
        client.create_direct_message(participant_id=tom, text="and again")


def test_the_list_of_all_messages_can_lag_behind(sandbox: Sandbox) -> None:
    client, mia = sandbox.client(), sandbox.id_of("mia_travels")
    sandbox.sim("POST", "dm_lag", {"seconds": 60})
    client.create_direct_message(participant_id=mia, text="hello")
    assert client.get_direct_message_events() == {"meta": {"result_count": 0}}
    assert texts(client.get_direct_message_events(participant_id=mia)) == ["hello"]


def test_the_same_key_delivers_a_private_message_twice(sandbox: Sandbox) -> None:
    id = sandbox.dm("mia_travels", "once", key="d1")
    assert sandbox.dm("mia_travels", "once", key="d1") == id
    client = sandbox.client()
    assert texts(client.get_direct_message_events()) == ["once", "once"]
    assert texts(client.get_direct_message_events()) == ["once"]


# --- limits and faults


def test_headers_tell_what_is_left(sandbox: Sandbox) -> None:
    sandbox.sim("POST", "limits", {"profile": "ppu"})
    client = sandbox.client()
    for left in (74, 73):
        headers = client.request("GET", "/2/users/me", user_auth=True).headers
        assert (headers["x-rate-limit-limit"], headers["x-rate-limit-remaining"]) == ("75", str(left))
    assert headers["x-access-level"] == "read-write-directmessages"
    assert re.fullmatch(r"[0-9a-f]{16}", headers["x-transaction-id"])


def test_a_used_up_limit_is_too_many_requests(sandbox: Sandbox) -> None:
    sandbox.sim("POST", "limits", {"profile": "ppu", "overrides": {"POST /2/tweets": 1}})
    client, mia = sandbox.client(), sandbox.id_of("mia_travels")
    client.create_tweet(text="one")
    with pytest.raises(tweepy.TooManyRequests) as refusal:
        client.create_tweet(text="two")
    assert refusal.value.reset_time is not None
    assert texts(client.get_users_tweets(US, user_auth=True)) == ["one"]
    sent = client.request(
        "POST", f"/2/dm_conversations/with/{mia}/messages", json={"text": "x"}, user_auth=True
    ).headers
    assert sent["x-user-limit-24hour-limit"] == "1440"


def test_a_dropped_answer_leaves_the_post_in_our_timeline(sandbox: Sandbox) -> None:
    client = sandbox.client()
    sandbox.sim("POST", "faults", {"kind": "drop_after", "path": "/2/tweets", "method": "POST", "times": 1})
    with pytest.raises(requests.ConnectionError):
        client.create_tweet(text="did it go out?")
    assert texts(client.get_users_tweets(US, user_auth=True)) == ["did it go out?"]
    with pytest.raises(tweepy.Forbidden, match="duplicate"):
        client.create_tweet(text="did it go out?")


def test_a_request_dropped_before_it_was_done_leaves_nothing(sandbox: Sandbox) -> None:
    client = sandbox.client()
    sandbox.sim("POST", "faults", {"kind": "drop_before", "path": "/2/tweets", "times": 1})
    with pytest.raises(requests.ConnectionError):
        client.create_tweet(text="did it go out?")
    assert sandbox.sim("GET", "sent") == {"sent": []}


def test_an_outage_lasts_until_it_is_cleared(sandbox: Sandbox) -> None:
    client = sandbox.client()
    sandbox.sim("POST", "faults", {"kind": "outage"})
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            client.get_me()
    assert requests.get(f"{sandbox.url}/healthz", timeout=5).ok
    sandbox.sim("DELETE", "faults")
    client.get_me()


@pytest.mark.parametrize("kind", ["error", "unavailable"])
def test_server_errors_come_as_often_as_asked_for(sandbox: Sandbox, kind: str) -> None:
    client = sandbox.client()
    sandbox.sim("POST", "faults", {"kind": kind, "status": 503, "path": "/2/users/{id}/mentions", "times": 2})
    client.get_me()
    for _ in range(2):
        with pytest.raises(tweepy.TwitterServerError) as failure:
            mentions(client)
        assert failure.value.response.status_code == 503
    mentions(client)


def test_a_slow_answer_runs_into_the_clients_time_limit(sandbox: Sandbox) -> None:
    client = sandbox.client()
    sandbox.sim("POST", "faults", {"kind": "latency_after", "method": "POST", "latency_ms": 30_000, "times": 1})
    slow = LocalAdapter(sandbox.url)
    with pytest.raises(requests.Timeout):
        slow.send(_prepared_post(), timeout=0.5)
    assert texts(client.get_users_tweets(US, user_auth=True)) == ["slow"]


def _prepared_post() -> requests.PreparedRequest:
    request = requests.Request("POST", "https://api.twitter.com/2/tweets", json={"text": "slow"}, auth=_signer())
    return request.prepare()


# --- lasting, and the wire


def test_a_killed_sandbox_comes_back_with_everything(tmp_path: Path, specification: Specification | None) -> None:
    state_path = tmp_path / "sandbox.db"
    program = (
        "import asyncio, pathlib, sys; from bot.sandbox.app import serve;"
        "asyncio.run(serve(host='127.0.0.1', port=0, state_path=pathlib.Path(sys.argv[1]),"
        " ready=lambda url: print(url, flush=True)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(state_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    with process.stdout:
        before = Sandbox(process.stdout.readline().strip(), specification)
        asked = before.post("mia_travels", "@KestrelAir hello", key="k")
        answered = before.client().create_tweet(text="Hello", in_reply_to_tweet_id=asked)["data"]["id"]
        before.dm("mia_travels", "psst")
        before.sim("POST", "faults", {"kind": "latency", "latency_ms": 1})
        process.send_signal(signal.SIGKILL)
        process.wait()
    with RunningSandbox(state_path, specification) as after:
        client = after.client()
        assert [post["id"] for post in mentions(client)["data"]] == [asked]
        assert [post["id"] for post in client.get_users_tweets(US, user_auth=True)["data"]] == [answered]
        assert texts(client.get_direct_message_events()) == ["psst"]
        assert after.post("mia_travels", "@KestrelAir hello", key="k") == asked
        assert len(after.sim("GET", "faults")["faults"]) == 1
        assert int(after.post("mia_travels", "new")) > int(answered)


def test_header_and_body_leave_in_one_write(sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as connection:
        for _ in range(20):
            connection.sendall(b"GET /2/users/me HTTP/1.1\r\nHost: x\r\n\r\n")
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 401")
            assert json.loads(body)["title"] == "Unauthorized"


def test_the_specification_is_consulted_and_catches_a_wrong_answer(
    sandbox: Sandbox, specification: Specification | None
) -> None:
    if specification is None:
        pytest.skip("shared/x not present (recordings and spec of the X API are not part of this project)")
    before = specification.checked
    sandbox.client().get_me()
    assert specification.checked == before + 1
    with pytest.raises(ValidationError):
        specification.check_body("GET", "/2/users/me", 200, {"data": {"id": "not a number", "name": "x"}})
