"""The SQLite file behind the sandbox: everything is committed before an answer leaves."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.sandbox.records import snowflake_at

SCHEMA = """
create table if not exists users (
  id integer primary key, handle text not null unique collate nocase, name text not null, bio text not null,
  protected integer not null, dm_open integer not null, suspended integer not null, automated integer not null,
  created_ms integer not null);
create table if not exists blocks (
  blocker_id integer not null, blocked_id integer not null, primary key (blocker_id, blocked_id)) without rowid;
create table if not exists tokens (
  token text primary key, secret text not null, user_id integer not null) without rowid;
create table if not exists posts (
  id integer primary key, author_id integer not null, conversation_id integer not null, in_reply_to_id integer,
  in_reply_to_user_id integer, quoted_id integer, typed text not null, text text not null, display text not null,
  entities text not null, note text, lang text not null, reply_settings text not null, deep_link text,
  media_key text, history text not null, created_ms integer not null, visible_ms integer not null,
  deleted integer not null, superseded integer not null default 0, via_api integer not null, digest integer not null);
create index if not exists posts_by_author on posts (author_id, id);
create index if not exists posts_by_conversation on posts (conversation_id, id);
create index if not exists posts_by_target on posts (in_reply_to_id) where in_reply_to_id is not null;
create index if not exists posts_by_digest on posts (author_id, digest);
create table if not exists mentions (
  user_id integer not null, post_id integer not null, primary key (user_id, post_id)) without rowid;
create table if not exists direct_messages (
  id integer primary key, conversation_id text not null, sender_id integer not null, recipient_id integer not null,
  text text not null, created_ms integer not null, via_api integer not null);
create index if not exists messages_by_conversation on direct_messages (conversation_id, id);
create index if not exists messages_by_sender on direct_messages (sender_id, id);
create index if not exists messages_by_recipient on direct_messages (recipient_id, id);
create table if not exists keys (key text primary key, kind text not null, id integer not null) without rowid;
create table if not exists redeliveries (kind text not null, user_id integer not null, id integer not null,
  primary key (kind, user_id, id)) without rowid;
create table if not exists settings (name text primary key, value text not null) without rowid;
"""


class Store:
    """A SQLite connection with the sandbox's tables, its clock and its id generator."""

    def __init__(self, *, path: Path | str, clock: Callable[[], datetime]) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")  # a commit survives kill -9; losing power is out of scope
        self._db.executescript(SCHEMA)
        self._last_id = self._highest_id()

    def _highest_id(self) -> int:
        tables = ("users", "posts", "direct_messages")
        return max(int(self.rows(f"select coalesce(max(id), 0) from {table}")[0][0]) for table in tables)

    def now_ms(self) -> int:
        """The platform's time in Unix milliseconds."""
        return int(self._clock().timestamp() * 1000)

    def next_id(self) -> int:
        """A snowflake id larger than every id given out before, also before a restart."""
        self._last_id = max(snowflake_at(self.now_ms()), self._last_id + 1)
        return self._last_id

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Run one statement and return all its rows."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Run one statement and return its first row, if there is one."""
        found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return found

    def insert(self, table: str, **columns: Any) -> None:
        """Insert one row; an existing row with the same key is an sqlite3.IntegrityError."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self._db.execute(f"insert into {table} ({names}) values ({marks})", tuple(columns.values()))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All writes inside are committed together, or not at all; nests."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def setting(self, name: str, default: Any) -> Any:
        """A remembered JSON value."""
        row = self.row("select value from settings where name = ?", name)
        return json.loads(row["value"]) if row else default

    def remember(self, name: str, value: Any) -> None:
        """Keep a JSON value over restarts."""
        self.rows("insert or replace into settings values (?, ?)", name, json.dumps(value))

    def keyed(self, kind: str, key: str) -> int | None:
        """The id that was written under this idempotency key, if any."""
        row = self.row("select id from keys where key = ? and kind = ?", f"{kind}:{key}", kind)
        return int(row["id"]) if row else None

    def remember_key(self, kind: str, key: str, id: int) -> None:
        """Tie an idempotency key to what was written under it."""
        self.insert("keys", key=f"{kind}:{key}", kind=kind, id=id)

    def redeliver(self, kind: str, user_id: int, id: int) -> None:
        """Let `id` appear once more in the next list that this user asks for."""
        self.rows("insert or ignore into redeliveries values (?, ?, ?)", kind, user_id, id)

    def redeliveries(self, kind: str, user_id: int) -> list[int]:
        """What waits to appear once more for this user."""
        return [r["id"] for r in self.rows("select id from redeliveries where kind = ? and user_id = ?", kind, user_id)]

    def redelivered(self, kind: str, user_id: int, ids: list[int]) -> None:
        """These have appeared once more."""
        for id in ids:
            self.rows("delete from redeliveries where kind = ? and user_id = ? and id = ?", kind, user_id, id)

    def wipe(self) -> None:
        """Forget everything except settings; ids keep growing."""
        with self.writing():
            for table in ("users", "blocks", "tokens", "posts", "mentions", "direct_messages", "keys", "redeliveries"):
                self.rows(f"delete from {table}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()
