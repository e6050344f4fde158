"""Everything that exists in the sandbox, and what can happen in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.sandbox.direct import DirectMessages
from bot.sandbox.faults import Faults
from bot.sandbox.limits import Limits
from bot.sandbox.live import Live
from bot.sandbox.people import People, RefusedError
from bot.sandbox.records import DirectMessage, Post, User
from bot.sandbox.store import Store
from bot.sandbox.timeline import Draft, Timeline
from bot.sandbox.views import message_on_page, post_on_page, user_on_page

MAX_POST_CHARS = 25_000  # what a paying user may write
MAX_DM_CHARS = 10_000
DUPLICATE_WINDOW_S = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Account:
    """The company's account and the keys with which its software signs in."""

    handle: str = "KestrelAir"
    name: str = "Kestrel Air"
    bio: str = "Fares, orders and help with your trip. A bot answers first; people of Kestrel Air run it and take over."
    user_id: int = 1900000000000000000
    consumer_key: str = "sandbox-consumer-key"
    consumer_secret: str = "sandbox-consumer-secret"
    access_token: str = "1900000000000000000-sandbox-access-token"  # X's tokens begin with the user's id
    access_secret: str = "sandbox-access-secret"


DEMO_CUSTOMERS = (
    ("mia_travels", "Mia Hartmann", "Weekend trips, carry-on only."),
    ("tom_okafor", "Tom Okafor", "Lagos · Leeds · anywhere with good coffee"),
    ("lin_wei", "Lin Wei", "Photographs of airports nobody asked for."),
)


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class World:
    """The network: its people, posts and messages, its rules and its faults."""

    def __init__(
        self,
        *,
        state_path: Path | str,
        account: Account | None = None,
        clock: Callable[[], datetime] = utc_now,
        limits: str = "off",
        seed: int = 0,
    ) -> None:
        self.store = Store(path=state_path, clock=clock)
        self.people = People(self.store)
        self.timeline = Timeline(store=self.store, people=self.people)
        self.direct = DirectMessages(store=self.store, people=self.people)
        self.faults = Faults(store=self.store, seed=seed)
        self.limits = Limits(now_s=lambda: self.store.now_ms() / 1000, profile=limits)
        self.live = Live()
        self.account_settings = account or Account()
        self.duplicate_window_s: float = self.store.setting("duplicate_window_s", DUPLICATE_WINDOW_S)
        self.summons_required: bool = self.store.setting("summons_required", True)
        self._settle()

    def _settle(self) -> None:
        """Make sure that the account, its keys and, in an empty world, a few customers exist."""
        wanted = self.account_settings
        with self.store.writing():
            if not self.people.by_id(wanted.user_id):
                self.people.create(wanted.handle, name=wanted.name, bio=wanted.bio, automated=True, id=wanted.user_id)
                for handle, name, bio in DEMO_CUSTOMERS:
                    if not self.people.by_handle(handle):
                        self.people.create(handle, name=name, bio=bio)
            self.people.issue_token(self.account, wanted.access_token, wanted.access_secret)

    @property
    def account(self) -> User:
        """The company's account as it is now."""
        return self.people.existing(self.account_settings.user_id)

    def join(self, handle: str, **profile: Any) -> User:
        """Add a customer."""
        user = self.people.create(handle, **profile)
        self.live.publish({"type": "user", "user": user_on_page(user)})
        return user

    def post(self, author: User, draft: Draft, *, key: str | None = None, quiet: bool = False) -> tuple[Post, bool]:
        """Write a post; the same key again redelivers the one written before (False: nothing new)."""
        if key and (known := self.store.keyed("post", key)):
            return self._redeliver_post(known), False
        _check_text(draft)
        with self.store.writing():
            post = self.timeline.write(author, draft)
            if key:
                self.store.remember_key("post", key, post.id)
        if not quiet:
            self.live.publish({"type": "post", "post": self.on_page(post)})
        return post, True

    def _redeliver_post(self, id: int) -> Post:
        post = self.timeline.by_id(id)
        if post is None:
            raise LookupError(f"no post {id}")
        self.store.redeliver("post", self.account.id, id)
        return post

    def write_dm(
        self, sender: User, recipient: User, text: str, *, via_api: bool = False, key: str | None = None
    ) -> tuple[DirectMessage, bool]:
        """Write a direct message; the same key again redelivers the one written before (False: nothing new)."""
        if key and (known := self.store.keyed("dm", key)):
            message = self.direct.by_id(known)
            if message is None:
                raise LookupError(f"no message {known}")
            self.store.redeliver("dm", message.recipient_id, known)
            return message, False
        if not text.strip() or len(text) > MAX_DM_CHARS:
            raise RefusedError(f"A message has 1 to {MAX_DM_CHARS} characters.")
        if sender.id == recipient.id or not self.direct.allowed(sender, recipient):
            raise RefusedError(f"@{recipient.handle} does not take messages from @{sender.handle}.")
        with self.store.writing():
            message = self.direct.write(sender, recipient, text, via_api=via_api)
            if key:
                self.store.remember_key("dm", key, message.id)
        self.live.publish({"type": "dm", "message": self.dm_on_page(message)})
        return message, True

    def edit(self, post: Post, text: str) -> Post:
        """Replace a post by a new version with an id of its own."""
        target = self.timeline.by_id(post.in_reply_to_id) if post.in_reply_to_id else None
        quote = self.timeline.by_id(post.quoted_id) if post.quoted_id else None
        draft = Draft(text=text, in_reply_to=target, quote=quote, media=bool(post.media_key), via_api=post.via_api)
        _check_text(draft)
        edited = self.timeline.write(self.people.existing(post.author_id), draft, instead_of=post)
        self.live.publish({"type": "post_deleted", "id": str(post.id)})
        self.live.publish({"type": "post", "post": self.on_page(edited)})
        return edited

    def delete(self, post: Post) -> None:
        """Take a post away."""
        self.timeline.delete(post)
        self.live.publish({"type": "post_deleted", "id": str(post.id)})

    def change(self, user: User, changes: Mapping[str, Any]) -> User:
        """Change a profile, or protect, suspend or close it."""
        changed = self.people.change(user, **changes)
        self.live.publish({"type": "user", "user": user_on_page(changed)})
        return changed

    def rule(self, *, duplicate_window_s: float | None = None, summons_required: bool | None = None) -> None:
        """Change the rules of the platform."""
        if duplicate_window_s is not None:
            self.duplicate_window_s = duplicate_window_s
            self.store.remember("duplicate_window_s", duplicate_window_s)
        if summons_required is not None:
            self.summons_required = summons_required
            self.store.remember("summons_required", summons_required)

    def reset(self) -> None:
        """Forget everybody and everything, and begin anew."""
        self.store.wipe()
        self.faults.clear()
        self.rule(duplicate_window_s=DUPLICATE_WINDOW_S, summons_required=True)
        self.limits.use(self.limits.profile, {})
        self._settle()
        self.live.publish({"type": "resync"})

    def on_page(self, post: Post) -> dict[str, Any]:
        """A post as the page shows it."""
        target = self.timeline.by_id(post.in_reply_to_id) if post.in_reply_to_id else None
        quoted = self.timeline.by_id(post.quoted_id) if post.quoted_id else None
        return post_on_page(
            post,
            author=self.people.existing(post.author_id),
            answered=self.people.by_id(target.author_id) if target else None,
            quoted=(quoted, self.people.existing(quoted.author_id)) if quoted else None,
            reply_count=self.timeline.reply_count(post),
        )

    def dm_on_page(self, message: DirectMessage) -> dict[str, Any]:
        """A direct message as the page shows it."""
        return message_on_page(
            message,
            sender=self.people.existing(message.sender_id),
            recipient=self.people.existing(message.recipient_id),
        )

    def numbers_of(self, user: User) -> dict[str, int]:
        """The counts that a profile shows; nobody follows anybody here."""
        return {
            "followers_count": 0,
            "following_count": 0,
            "tweet_count": self.timeline.post_count(user),
            "listed_count": 0,
            "like_count": 0,
            "media_count": 0,
        }

    def close(self) -> None:
        """Close the state file."""
        self.store.close()


def _check_text(draft: Draft) -> None:
    if not draft.text.strip() and not draft.media:
        raise RefusedError("A post needs a text or a photo.")
    if len(draft.text) > MAX_POST_CHARS:
        raise RefusedError(f"A post has at most {MAX_POST_CHARS} characters.")
