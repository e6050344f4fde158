"""The people on the network: who exists, who blocks whom, and who may sign requests."""

import re
import secrets
from sqlite3 import Row
from typing import Any

from bot.sandbox.records import User
from bot.sandbox.store import Store

HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
MAX_NAME_CHARS = 50
MAX_BIO_CHARS = 160
CHANGEABLE = {"name", "bio", "protected", "dm_open", "suspended", "automated"}


class RefusedError(Exception):
    """What was asked of the network is not possible; the message says why."""


class People:
    """Users by id and by handle."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self,
        handle: str,
        *,
        name: str = "",
        bio: str = "",
        protected: bool = False,
        dm_open: bool = True,
        automated: bool = False,
        id: int | None = None,
    ) -> User:
        """Add a user; a handle that is malformed or taken is a RefusedError."""
        handle = handle.removeprefix("@")
        if not HANDLE.fullmatch(handle):
            raise RefusedError("A handle has 1 to 15 letters, digits or underscores.")
        if self.by_handle(handle):
            raise RefusedError(f"The handle @{handle} is taken.")
        user = User(
            id=id or self._store.next_id(),
            handle=handle,
            name=(name.strip() or handle)[:MAX_NAME_CHARS],
            bio=bio[:MAX_BIO_CHARS],
            protected=protected,
            dm_open=dm_open,
            suspended=False,
            automated=automated,
            created_ms=self._store.now_ms(),
        )
        with self._store.writing():
            self._store.insert("users", **{name: getattr(user, name) for name in User.__slots__})
        return user

    def by_id(self, id: int) -> User | None:
        """The user with this id."""
        row = self._store.row("select * from users where id = ?", id)
        return _user(row) if row else None

    def existing(self, id: int) -> User:
        """The user with this id, who is known to exist."""
        user = self.by_id(id)
        if user is None:
            raise LookupError(f"no user {id}")
        return user

    def by_handle(self, handle: str) -> User | None:
        """The user with this handle, in whatever case."""
        row = self._store.row("select * from users where handle = ?", handle.removeprefix("@"))
        return _user(row) if row else None

    def named(self, handle: str) -> tuple[int, str] | None:
        """Id and handle as registered, for a mention; nobody is mentioned when no such user exists."""
        row = self._store.row("select id, handle from users where handle = ?", handle)
        return (row["id"], row["handle"]) if row else None

    def all(self) -> list[User]:
        """Everybody, in the order of joining."""
        return [_user(row) for row in self._store.rows("select * from users order by created_ms, id")]

    def change(self, user: User, **changes: Any) -> User:
        """Change parts of a profile or its protected, suspended or DM state."""
        if unknown := changes.keys() - CHANGEABLE:
            raise RefusedError(f"Cannot be changed: {', '.join(sorted(unknown))}.")
        for column, value in changes.items():
            self._store.rows(f"update users set {column} = ? where id = ?", value, user.id)
        return self.existing(user.id)

    def block(self, blocker: User, blocked: User) -> None:
        """Let one user block another."""
        self._store.rows("insert or ignore into blocks values (?, ?)", blocker.id, blocked.id)

    def unblock(self, blocker: User, blocked: User) -> None:
        """Take a block back."""
        self._store.rows("delete from blocks where blocker_id = ? and blocked_id = ?", blocker.id, blocked.id)

    def blocks(self, blocker_id: int, blocked_id: int) -> bool:
        """Whether the first user blocks the second."""
        sql = "select 1 from blocks where blocker_id = ? and blocked_id = ?"
        return self._store.row(sql, blocker_id, blocked_id) is not None

    def hides_from(self, author_id: int, viewer_id: int) -> bool:
        """Whether this author's posts are not visible to this viewer."""
        author = self.by_id(author_id)
        if author is None or author.suspended:
            return True
        if author_id == viewer_id:
            return False
        return author.protected or self.blocks(author_id, viewer_id)

    def issue_token(self, user: User, token: str | None = None, secret: str | None = None) -> tuple[str, str]:
        """An access token and its secret; X's tokens begin with the user's id, and tweepy relies on it."""
        token = token or f"{user.id}-{secrets.token_hex(16)}"
        secret = secret or secrets.token_hex(20)
        self._store.rows("insert or replace into tokens values (?, ?, ?)", token, secret, user.id)
        return token, secret

    def token_secret(self, token: str) -> str | None:
        """The secret of an access token."""
        row = self._store.row("select secret from tokens where token = ?", token)
        return str(row["secret"]) if row else None

    def by_token(self, token: str) -> User | None:
        """Whom an access token speaks for."""
        row = self._store.row("select user_id from tokens where token = ?", token)
        return self.by_id(row["user_id"]) if row else None


def _user(row: Row) -> User:
    values = {name: row[name] for name in User.__slots__}
    for flag in ("protected", "dm_open", "suspended", "automated"):
        values[flag] = bool(values[flag])
    return User(**values)
