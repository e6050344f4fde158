"""The public posts: writing, threading, mentions, and reading them a page at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from sqlite3 import Row

from bot.sandbox.people import People
from bot.sandbox.records import Post, User, Window
from bot.sandbox.store import Store
from bot.sandbox.text import Composed, clean, compose, without_leading

COLUMNS = ", ".join(f"posts.{name}" for name in Post.__slots__)
READABLE = "posts.deleted = 0 and posts.superseded = 0"
MAX_PREFIX = 50


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A post as its author asks for it."""

    text: str
    in_reply_to: Post | None = None
    quote: Post | None = None
    media: bool = False
    deep_link: str | None = None
    reply_settings: str = "everyone"
    lang: str | None = None
    without_users: frozenset[int] = frozenset()  # left out of the hidden mention prefix
    absorb_leading: bool = False  # leading mentions become part of the hidden prefix
    via_api: bool = False
    delay_ms: int = 0  # how long other people's timelines lag behind


class Timeline:
    """All posts of the network."""

    def __init__(self, *, store: Store, people: People) -> None:
        self._store = store
        self._people = people

    def write(self, author: User, draft: Draft, *, instead_of: Post | None = None) -> Post:
        """Store a post (or a new version of one) and whom it mentions."""
        id = self._store.next_id()
        media_key = f"3_{id}" if draft.media else None
        composed = self.compose(author, draft, media_key=media_key)
        target, now_ms = draft.in_reply_to, self._store.now_ms()
        post = Post(
            id=id,
            author_id=author.id,
            conversation_id=target.conversation_id if target else id,
            in_reply_to_id=target.id if target else None,
            in_reply_to_user_id=target.author_id if target else _addressed(composed),
            quoted_id=draft.quote.id if draft.quote else None,
            typed=composed.typed,
            text=composed.text,
            display=composed.display,
            entities=composed.entities,
            note=composed.note,
            lang=draft.lang or _language(composed.typed),
            reply_settings=draft.reply_settings,
            deep_link=draft.deep_link,
            media_key=media_key,
            history=(*instead_of.history, id) if instead_of else (id,),
            created_ms=now_ms,
            visible_ms=now_ms + draft.delay_ms,
            deleted=False,
            via_api=draft.via_api,
        )
        if instead_of and not target:
            post = replace(post, conversation_id=instead_of.conversation_id)
        with self._store.writing():
            if instead_of:
                self._supersede(instead_of, post.history)
            self._insert(post, composed.mentioned)
        return post

    def compose(self, author: User, draft: Draft, *, media_key: str | None = None) -> Composed:
        """What the text of a draft becomes."""
        prefix = self._prefix(author, draft)
        typed = clean(draft.text)
        if draft.absorb_leading:
            typed = without_leading(typed, [handle for _, handle in prefix])
        return compose(typed, prefix=prefix, resolve=self._people.named, media_key=media_key)

    def _prefix(self, author: User, draft: Draft) -> list[tuple[int, str]]:
        """The hidden mentions of a reply: who is answered, and whom that post mentions."""
        if draft.in_reply_to is None:
            return []
        target = draft.in_reply_to
        ids = [target.author_id, *(int(m["id"]) for m in _all_entities(target))]
        left_out = {author.id, *draft.without_users}
        found = [self._people.by_id(id) for id in dict.fromkeys(ids) if id not in left_out]
        return [(user.id, user.handle) for user in found if user][:MAX_PREFIX]

    def _insert(self, post: Post, mentioned: Sequence[int]) -> None:
        row = {name: getattr(post, name) for name in Post.__slots__}
        for name in ("display", "entities", "history"):
            row[name] = json.dumps(row[name])
        row["note"] = json.dumps(post.note) if post.note else None
        self._store.insert("posts", **row, digest=_digest(post.text))
        for user_id in mentioned:
            if user_id != post.author_id:
                self._store.insert("mentions", user_id=user_id, post_id=post.id)

    def _supersede(self, old: Post, history: tuple[int, ...]) -> None:
        marks = ", ".join("?" * len(old.history))
        sql = f"update posts set superseded = 1, history = ? where id in ({marks})"
        self._store.rows(sql, json.dumps(history), *old.history)

    def by_id(self, id: int) -> Post | None:
        """One post, deleted or not."""
        row = self._store.row(f"select {COLUMNS} from posts where id = ?", id)
        return _post(row) if row else None

    def readable(self, id: int, viewer_id: int) -> Post | None:
        """One post, if it is there and this viewer may see it."""
        post = self.by_id(id)
        if post is None or post.deleted or self._people.hides_from(post.author_id, viewer_id):
            return None
        return post

    def delete(self, post: Post) -> None:
        """Take a post away, in all its versions."""
        marks = ", ".join("?" * len(post.history))
        self._store.rows(f"update posts set deleted = 1 where id in ({marks})", *post.history)

    def said_recently(self, author: User, text: str, *, since_ms: int) -> bool:
        """Whether this author has a post with exactly this shown text that is not older than `since_ms`."""
        sql = f"select 1 from posts where author_id = ? and digest = ? and created_ms >= ? and text = ? and {READABLE}"
        return self._store.row(sql, author.id, _digest(text), since_ms, text) is not None

    def mentions_of(self, user: User, window: Window) -> list[Post]:
        """Posts of others that mention this user, newest first, one more than the limit if there are more."""
        source = "mentions cross join posts on posts.id = mentions.post_id join users on users.id = posts.author_id"
        condition = (
            f"mentions.user_id = ? and {READABLE} and posts.visible_ms <= ? and users.protected = 0"
            " and users.suspended = 0 and not exists (select 1 from blocks"
            " where blocker_id = posts.author_id and blocked_id = mentions.user_id)"
        )
        return self._page(source, "mentions.post_id", condition, window, user.id, self._store.now_ms())

    def posts_of(self, user: User, window: Window, *, replies: bool = True) -> list[Post]:
        """A user's own posts, newest first, one more than the limit if there are more."""
        condition = f"author_id = ? and {READABLE}" + ("" if replies else " and in_reply_to_id is null")
        return self._page("posts", "posts.id", condition, window, user.id)

    def everything(self, window: Window) -> list[Post]:
        """The whole network's posts, newest first, one more than the limit if there are more."""
        return self._page("posts", "posts.id", READABLE, window)

    def _page(self, source: str, key: str, condition: str, window: Window, *values: object) -> list[Post]:
        order = "asc" if window.backwards else "desc"
        sql = (
            f"select {COLUMNS} from {source} where {condition} and {key} > ? and {key} < ?"
            f" order by {key} {order} limit ?"
        )
        found = self._store.rows(sql, *values, window.after_id, window.before_id, window.limit + 1)
        return [_post(row) for row in found]

    def thread(self, conversation_id: int) -> list[Post]:
        """All posts of a conversation, oldest first, deleted ones included."""
        sql = f"select {COLUMNS} from posts where conversation_id = ? and superseded = 0 order by id"
        return [_post(row) for row in self._store.rows(sql, conversation_id)]

    def reply_count(self, post: Post) -> int:
        """How many posts answer this one."""
        row = self._store.row(f"select count(*) from posts where in_reply_to_id = ? and {READABLE}", post.id)
        return int(row[0]) if row else 0

    def post_count(self, author: User) -> int:
        """How many posts an author has."""
        row = self._store.row(f"select count(*) from posts where author_id = ? and {READABLE}", author.id)
        return int(row[0]) if row else 0

    def export(self, *, after_id: int = 0, author: User | None = None, via_api: bool = False) -> list[Post]:
        """Every post in the order of writing, deleted and superseded ones included."""
        sql = f"select {COLUMNS} from posts where id > ? and (? is null or author_id = ?) and via_api >= ? order by id"
        author_id = author.id if author else None
        return [_post(row) for row in self._store.rows(sql, after_id, author_id, author_id, via_api)]


def _all_entities(post: Post) -> list[dict[str, str]]:
    source = post.note["entities"] if post.note else post.entities
    mentions: list[dict[str, str]] = source.get("mentions", [])
    return mentions


def mentions_explicitly(post: Post, user_id: int) -> bool:
    """Whether the author typed a mention of this user; the hidden prefix of a reply does not count."""
    return any(int(m["id"]) == user_id and int(m["start"]) >= post.display[0] for m in _all_entities(post))


def _addressed(composed: Composed) -> int | None:
    """A post that begins with a mention is addressed to that user, though it answers no post."""
    first = next(iter(composed.entities.get("mentions", ())), None)
    return int(first["id"]) if first and first["start"] == 0 else None


def _language(typed: str) -> str:
    return "en" if any(char.isascii() and char.isalpha() for char in typed) else "und"


def _digest(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:7])


def _post(row: Row) -> Post:
    values = {name: row[name] for name in Post.__slots__}
    values["display"] = tuple(json.loads(values["display"]))
    values["history"] = tuple(json.loads(values["history"]))
    values["entities"] = json.loads(values["entities"])
    values["note"] = json.loads(values["note"]) if values["note"] else None
    values["deleted"], values["via_api"] = bool(values["deleted"]), bool(values["via_api"])
    return Post(**values)
