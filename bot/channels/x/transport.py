"""X through real tweepy: its synchronous client in threads, every call with a total time limit."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
import structlog
import tweepy

from bot.channels.channel import Refused, TryLater, Unknown
from bot.channels.x.problems import Answer, Failure, failure_of
from bot.channels.x.wire import X_HOST, Call, LimitedAdapter, current_call
from bot.clock import Clock

log = structlog.get_logger()

POST_FIELDS = [
    *("author_id", "conversation_id", "created_at", "display_text_range", "edit_history_tweet_ids", "entities"),
    *("in_reply_to_user_id", "lang", "note_tweet", "referenced_tweets", "attachments"),
]
POST_EXPANSIONS = ["author_id", "referenced_tweets.id", "referenced_tweets.id.author_id"]
USER_FIELDS = ["id", "name", "username", "protected", "receives_your_dm"]
DIRECT_FIELDS = [
    *("id", "text", "event_type", "created_at", "sender_id", "dm_conversation_id", "entities", "attachments"),
]
THREAD_GRACE_S = 1.0
"""How much longer than its deadline a thread may need to end before it is given up."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The account's OAuth 1.0a keys."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)

    @property
    def account_id(self) -> str:
        """The account's user id, with which every access token of X begins."""
        return self.access_token.partition("-")[0]


class Transport:
    """The calls of X that we need. Each gives an answer of 2xx or a classified failure, and never raises."""

    def __init__(
        self, keys: Keys, *, clock: Clock, base_url: str | None = None, call_limit_s: float = 10.0, threads: int = 12
    ) -> None:
        """`base_url`: where a stand-in of the API listens; None is X itself."""
        self.keys = keys
        self._clock = clock
        self._thread_limit_s = call_limit_s
        self.call_limit_s = call_limit_s + THREAD_GRACE_S
        self._client = tweepy.Client(
            consumer_key=keys.consumer_key,
            consumer_secret=keys.consumer_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_token_secret,
            return_type=requests.Response,
        )
        self._client.session.mount(X_HOST, LimitedAdapter(base_url=base_url, connections=threads))
        self._client.session.max_redirects = 0  # a POST that is redirected would become a GET
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="x-api")
        for name in ("tweepy", "requests_oauthlib", "oauthlib"):  # at DEBUG they log texts and signatures
            logging.getLogger(name).setLevel(logging.WARNING)

    async def me(self) -> Answer | Failure:
        """The account that the keys belong to."""
        return await self._call("me", lambda: self._client.get_me(user_auth=True))

    async def mentions(self, *, since_id: str, page: str | None = None) -> Answer | Failure:
        """Posts that mention us, newest first."""
        return await self._call(
            "mentions",
            lambda: self._client.get_users_mentions(
                self.keys.account_id,
                since_id=since_id,
                max_results=100,
                pagination_token=page,
                tweet_fields=POST_FIELDS,
                user_fields=USER_FIELDS,
                expansions=POST_EXPANSIONS,
                user_auth=True,
            ),
        )

    async def own_posts(self, *, since_id: str, page: str | None = None) -> Answer | Failure:
        """Our own posts, newest first."""
        return await self._call(
            "own_posts",
            lambda: self._client.get_users_tweets(
                self.keys.account_id,
                since_id=since_id,
                max_results=100,
                pagination_token=page,
                tweet_fields=POST_FIELDS,
                user_auth=True,
            ),
        )

    async def direct_events(self, *, page: str | None = None, customer_id: str | None = None) -> Answer | Failure:
        """Direct messages of both sides, newest first; of one customer if given."""
        return await self._call(
            "direct_events",
            lambda: self._client.get_direct_message_events(
                participant_id=customer_id,
                dm_event_fields=DIRECT_FIELDS,
                event_types="MessageCreate",
                expansions=["sender_id"],
                user_fields=USER_FIELDS,
                max_results=100,
                pagination_token=page,
                user_auth=True,
            ),
        )

    async def create_post(self, text: str, *, reply_to: str | None, deep_link: str | None) -> Answer | Failure:
        """Posts, as a reply or by itself."""
        return await self._call(
            "create_post",
            lambda: self._client.create_tweet(
                text=text, in_reply_to_tweet_id=reply_to, direct_message_deep_link=deep_link, user_auth=True
            ),
            is_write=True,
        )

    async def create_direct(self, customer_id: str, text: str) -> Answer | Failure:
        """Sends a direct message."""
        return await self._call(
            "create_direct",
            lambda: self._client.create_direct_message(participant_id=customer_id, text=text, user_auth=True),
            is_write=True,
        )

    def close(self) -> None:
        """Ends the threads once their calls are over."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.session.close()

    async def _call(
        self, name: str, request: Callable[[], requests.Response], *, is_write: bool = False
    ) -> Answer | Failure:
        result = await self._carried_out(request, is_write=is_write)
        if not isinstance(result, Answer):
            rule = result.rule if isinstance(result, Refused) else None
            log.warning("x_call_failed", call=name, result=type(result).__name__, rule=rule, detail=result.detail)
        return result

    async def _carried_out(self, request: Callable[[], requests.Response], *, is_write: bool) -> Answer | Failure:
        call = Call(self._thread_limit_s)
        context = contextvars.copy_context()
        context.run(current_call.set, call)
        running = asyncio.get_running_loop().run_in_executor(self._threads, context.run, request)
        try:
            async with asyncio.timeout(self.call_limit_s):
                await asyncio.shield(running)
        except TimeoutError:
            running.add_done_callback(_forget)
        except Exception as error:  # tweepy raises for a refusal, and stumbles over some error pages
            if call.response is None:
                return _lost(call, type(error).__name__, is_write=is_write)
        if call.response is None:
            return _lost(call, "no end in time", is_write=is_write)
        answer = _answer(call.response)
        if answer is None:
            return _lost(call, "no JSON", is_write=is_write)
        return failure_of(answer, self._clock.now(), is_write=is_write) or answer


def _forget(late: asyncio.Future[requests.Response]) -> None:
    if not late.cancelled():
        late.exception()  # taken note of, so that asyncio does not complain


def _lost(call: Call, detail: str, *, is_write: bool) -> Unknown | TryLater:
    """Without an answer a write is unknown once any of it may have left; a read may simply be repeated."""
    if call.abandon() and is_write:
        return Unknown(detail=f"response_lost: {detail}")
    return TryLater(detail=f"no_answer: {detail}")


def _answer(response: requests.Response) -> Answer | None:
    """None for a success without a JSON object: a part of an answer, or not X's at all."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    try:
        body = response.json()
    except ValueError:  # an error page in HTML or plain text
        body = None
    if not isinstance(body, Mapping):
        return None if response.ok else Answer(status=response.status_code, headers=headers, body={})
    return Answer(status=response.status_code, headers=headers, body=body)


def data_of(answer: Answer) -> Mapping[str, Any]:
    """The object under `data`; empty where there is none."""
    data = answer.body.get("data")
    return data if isinstance(data, Mapping) else {}
