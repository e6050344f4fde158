"""What one user sees through the API: posts and users with the fields and expansions asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.problems import not_authorized, not_found
from bot.sandbox.query import TWEET_EXPANSIONS, TWEET_FIELDS, USER_FIELDS, Query, listed, token
from bot.sandbox.records import Post, User, Window
from bot.sandbox.views import post_json, user_json
from bot.sandbox.world import World

# an expansion brings the field that it follows
FIELD_OF_EXPANSION = {
    "author_id": "author_id",
    "in_reply_to_user_id": "in_reply_to_user_id",
    "referenced_tweets.id": "referenced_tweets",
    "referenced_tweets.id.author_id": "referenced_tweets",
    "entities.mentions.username": "entities",
    "attachments.media_keys": "attachments",
}

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Shows the world to one user of the API."""

    world: World
    viewer: User
    query: Query
    errors: list[Json] = field(default_factory=list)

    def users(self, users: Iterable[User]) -> list[Json]:
        """Users with the fields asked for."""
        fields = listed(self.query, "user.fields", USER_FIELDS)
        return [self._user(user, fields) for user in users]

    def _user(self, user: User, fields: frozenset[str]) -> Json:
        world, viewer = self.world, self.viewer
        extra = {
            "receives_your_dm": lambda: user.id != viewer.id and world.direct.allowed(viewer, user),
            "connection_status": lambda: ["blocking"] if world.people.blocks(viewer.id, user.id) else [],
            "public_metrics": lambda: world.numbers_of(user),
        }
        return user_json(user, fields, extra)

    def posts(self, posts: Sequence[Post]) -> tuple[list[Json], Json]:
        """Posts with the fields asked for, and the `includes` that the expansions asked for."""
        expansions = listed(self.query, "expansions", TWEET_EXPANSIONS)
        fields = listed(self.query, "tweet.fields", TWEET_FIELDS)
        fields |= {FIELD_OF_EXPANSION[name] for name in expansions & FIELD_OF_EXPANSION.keys()}
        listed(self.query, "user.fields", USER_FIELDS)
        return [self._post(post, fields) for post in posts], self._includes(posts, fields, expansions)

    def _post(self, post: Post, fields: frozenset[str]) -> Json:
        return post_json(
            post, fields, quoted_id=post.quoted_id, reply_count=lambda: self.world.timeline.reply_count(post)
        )

    def _includes(self, posts: Sequence[Post], fields: frozenset[str], expansions: frozenset[str]) -> Json:
        referenced: dict[int, Post] = {}
        if expansions & {"referenced_tweets.id", "referenced_tweets.id.author_id"}:
            referenced = self._referenced(posts)
        user_ids: dict[int, None] = {}
        if "author_id" in expansions:
            user_ids |= dict.fromkeys(post.author_id for post in posts)
        if "in_reply_to_user_id" in expansions:
            user_ids |= dict.fromkeys(post.in_reply_to_user_id for post in posts if post.in_reply_to_user_id)
        if "entities.mentions.username" in expansions:
            user_ids |= dict.fromkeys(int(m["id"]) for post in posts for m in post.entities.get("mentions", ()))
        if "referenced_tweets.id.author_id" in expansions:
            user_ids |= dict.fromkeys(post.author_id for post in referenced.values())
        found = (self.world.people.by_id(id) for id in user_ids)
        includes: Json = {
            "users": self.users(user for user in found if user),
            "tweets": [self._post(post, fields) for post in referenced.values()],
        }
        if "attachments.media_keys" in expansions:
            includes["media"] = [{"media_key": p.media_key, "type": "photo"} for p in posts if p.media_key]
        return {name: shown for name, shown in includes.items() if shown}

    def _referenced(self, posts: Sequence[Post]) -> dict[int, Post]:
        found: dict[int, Post] = {}
        for id in dict.fromkeys(id for p in posts for id in (p.in_reply_to_id, p.quoted_id) if id):
            post = self.world.timeline.readable(id, self.viewer.id)
            if post:
                found[id] = post
            else:
                self.errors.append(self.missing_post(id, "referenced_tweets.id"))
        return found

    def missing_post(self, id: int, parameter: str) -> Json:
        """The error that stands for a post which is gone, or hidden from this user."""
        post = self.world.timeline.by_id(id)
        if post and not post.deleted and self.world.people.existing(post.author_id).protected:
            return not_authorized("tweet", str(id), parameter)
        return not_found("tweet", str(id), parameter)

    def answer(self, data: Any, includes: Json | None = None, meta: Json | None = None) -> Json:
        """The body of a 200; what is empty is left out, as X does."""
        parts = {"data": data, "includes": includes, "errors": self.errors, "meta": meta}
        return {name: part for name, part in parts.items() if part}


def page_meta(found: list[Any], window: Window) -> tuple[list[Any], Json]:
    """Cut a list to its page (newest first), and say where the neighbours begin."""
    more = len(found) > window.limit
    page = found[: window.limit]
    if window.backwards:
        page.reverse()
    meta: Json = {"result_count": len(page)}
    if not page:
        return page, meta
    if more or window.backwards:
        meta["next_token"] = token("n", page[-1].id)
    if (more and window.backwards) or (window.continued and not window.backwards):
        meta["previous_token"] = token("p", page[0].id)
    return page, meta
