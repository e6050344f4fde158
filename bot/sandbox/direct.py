"""The private messages between two users."""

from sqlite3 import Row

from bot.sandbox.people import People
from bot.sandbox.records import DirectMessage, User, Window, conversation_of
from bot.sandbox.store import Store
from bot.sandbox.text import clean

COLUMNS = ", ".join(DirectMessage.__slots__)


class DirectMessages:
    """All direct messages of the network."""

    def __init__(self, *, store: Store, people: People) -> None:
        self._store = store
        self._people = people

    def allowed(self, sender: User, recipient: User) -> bool:
        """Whether X lets one user write to the other: open DMs, or the other one wrote first."""
        if recipient.suspended or self._people.blocks(recipient.id, sender.id):
            return False
        return recipient.dm_open or self._has_written(recipient, sender)

    def _has_written(self, sender: User, recipient: User) -> bool:
        sql = "select 1 from direct_messages where conversation_id = ? and sender_id = ? limit 1"
        return self._store.row(sql, conversation_of(sender.id, recipient.id), sender.id) is not None

    def write(self, sender: User, recipient: User, text: str, *, via_api: bool = False) -> DirectMessage:
        """Store one message."""
        message = DirectMessage(
            id=self._store.next_id(),
            conversation_id=conversation_of(sender.id, recipient.id),
            sender_id=sender.id,
            recipient_id=recipient.id,
            text=clean(text),
            created_ms=self._store.now_ms(),
            via_api=via_api,
        )
        with self._store.writing():
            columns = {name: getattr(message, name) for name in DirectMessage.__slots__}
            self._store.insert("direct_messages", **columns)
        return message

    def by_id(self, id: int) -> DirectMessage | None:
        """One message."""
        row = self._store.row(f"select {COLUMNS} from direct_messages where id = ?", id)
        return _message(row) if row else None

    def of_user(self, user: User, window: Window, *, until_ms: int) -> list[DirectMessage]:
        """What a user sent and received up to a time, newest first, one more than the limit if there are more."""
        # two indexes instead of one scan
        one_side = (
            f"select {COLUMNS} from (select {COLUMNS} from direct_messages where %s = ? and id > ? and id < ?"
            " and created_ms <= ? order by id %s limit ?)"
        )
        order = "asc" if window.backwards else "desc"
        both = " union all ".join(one_side % (side, order) for side in ("sender_id", "recipient_id"))
        values = (user.id, window.after_id, window.before_id, until_ms, window.limit + 1)
        rows = self._store.rows(f"{both} order by id {order} limit ?", *values, *values, window.limit + 1)
        return [_message(row) for row in rows]

    def of_conversation(self, conversation_id: str, window: Window) -> list[DirectMessage]:
        """One conversation, newest first, one more than the limit if there are more."""
        order = "asc" if window.backwards else "desc"
        sql = (
            f"select {COLUMNS} from direct_messages where conversation_id = ? and id > ? and id < ?"
            f" order by id {order} limit ?"
        )
        rows = self._store.rows(sql, conversation_id, window.after_id, window.before_id, window.limit + 1)
        return [_message(row) for row in rows]

    def export(self, *, after_id: int = 0, sender: User | None = None, via_api: bool = False) -> list[DirectMessage]:
        """Every message in the order of writing."""
        sql = (
            f"select {COLUMNS} from direct_messages where id > ? and (? is null or sender_id = ?)"
            " and via_api >= ? order by id"
        )
        sender_id = sender.id if sender else None
        return [_message(row) for row in self._store.rows(sql, after_id, sender_id, sender_id, via_api)]


def _message(row: Row) -> DirectMessage:
    values = {name: row[name] for name in DirectMessage.__slots__}
    values["via_api"] = bool(values["via_api"])
    return DirectMessage(**values)
