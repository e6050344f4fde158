"""What X makes of a typed text: hidden mention prefix, t.co links, escaping, entities, weighted length."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from twitter_text import extract_urls_with_indices, parse_tweet

MAX_WEIGHTED_LENGTH = 280
# a mention starts after anything but a word character or one of these (twitter-text, validMentionPrecedingChars)
MENTION = re.compile(r"(?<![A-Za-z0-9_!#$%&*@＠])[@＠]([A-Za-z0-9_]{1,15})(?![A-Za-z0-9_@＠]|://)")
HASHTAG = re.compile(r"(?<![\w&/#＃])[#＃](\w*[^\W\d]\w*)")
LEADING_MENTION = re.compile(r"@([A-Za-z0-9_]{1,15})(?:\s+|$)")
NOTE_CUT_CHARS = 120  # with every character of weight 2, an ellipsis and a link this stays below 280
FORBIDDEN = re.compile("[\ufffe\ufeff\uffff]")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Named = tuple[int, str]  # user id, handle
Resolve = Callable[[str], Named | None]


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A text as the API shows it, and who is mentioned in it."""

    typed: str
    text: str
    display: tuple[int, int]
    entities: dict[str, Any]
    note: dict[str, Any] | None
    mentioned: tuple[int, ...]


def clean(typed: str) -> str:
    """The text in Unicode's composed form, with lone surrogates replaced (they cannot be stored as UTF-8)."""
    return unicodedata.normalize("NFC", typed.encode("utf-8", "replace").decode("utf-8"))


def weighted_length(typed: str) -> int:
    """The length that counts against 280 (configuration v3 of twitter-text)."""
    return int(parse_tweet(typed).weightedLength) if typed else 0


def is_too_long(typed: str) -> bool:
    """Whether a text needs more than 280 weighted characters."""
    if len(typed) <= MAX_WEIGHTED_LENGTH // 2 and "." not in typed:
        return False  # nothing weighs more than 2, apart from links
    return weighted_length(typed) > MAX_WEIGHTED_LENGTH


def without_leading(typed: str, handles: Sequence[str]) -> str:
    """The text without leading mentions that the hidden prefix already holds."""
    known = {handle.lower() for handle in handles}
    while (match := LEADING_MENTION.match(typed)) and match[1].lower() in known:
        typed = typed[match.end() :]
    return typed


def compose(typed: str, *, prefix: Sequence[Named], resolve: Resolve, media_key: str | None) -> Composed:
    """Turn a typed text into what X stores and shows."""
    whole = _Writer(prefix=prefix, resolve=resolve)
    whole.write(typed)
    if not is_too_long(typed):
        shown, note = whole, None
    else:
        shown = _Writer(prefix=prefix, resolve=resolve)
        shown.write(typed[:NOTE_CUT_CHARS].rstrip() + "…")
        note = {"text": whole.text, "entities": whole.entities}
    end = len(shown.text)
    if media_key:
        shown.write_media(media_key)
    mentioned = tuple(dict.fromkeys(int(m["id"]) for m in whole.entities.get("mentions", ())))
    return Composed(
        typed=typed,
        text=shown.text,
        display=(min(whole.prefix_chars, end), end),
        entities=shown.entities,
        note=note,
        mentioned=mentioned,
    )


Kind = Literal["url", "mention", "hashtag"]


def _spans(typed: str) -> list[tuple[int, int, Kind, str]]:
    """Links, mentions and hashtags in order; what lies within a link is part of the link."""
    spans: list[tuple[int, int, Kind, str]] = []
    if "." in typed:  # every link has one, and looking for links is the slow part
        spans = [(*u["indices"], "url", u["url"]) for u in extract_urls_with_indices(typed)]
    taken = [(start, end) for start, end, _, _ in spans]
    patterns: list[tuple[Kind, re.Pattern[str]]] = [("mention", MENTION), ("hashtag", HASHTAG)]
    for kind, pattern in patterns:
        for match in pattern.finditer(typed):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                spans.append((match.start(), match.end(), kind, match[1]))
    return sorted(spans)


def short_link(url: str) -> str:
    """The t.co link that stands for a URL; always the same one."""
    number = int.from_bytes(hashlib.sha256(url.encode()).digest()[:8])
    code = ""
    for _ in range(10):
        number, digit = divmod(number, 62)
        code += BASE62[digit]
    return f"https://t.co/{code}"


@dataclass
class _Writer:
    """Builds an escaped text and its entities; offsets are code points of the escaped text."""

    prefix: Sequence[Named]
    resolve: Resolve
    text: str = ""
    prefix_chars: int = 0
    entities: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for id, handle in self.prefix:
            self._mention(f"@{handle}", id, handle)
            self.text += " "
        self.prefix_chars = len(self.text)

    def write(self, typed: str) -> None:
        done = 0
        for start, end, kind, value in _spans(typed):
            self.text += escape(typed[done:start], quote=False)
            done = end
            if kind == "url":
                self._link(value)
            elif kind == "hashtag":
                self._add("hashtags", typed[start:end], tag=value)
            elif named := self.resolve(value):
                self._mention(typed[start:end], *named)
            else:
                self.text += typed[start:end]
        self.text += escape(typed[done:], quote=False)

    def write_media(self, media_key: str) -> None:
        if self.text and not self.text.endswith(" "):
            self.text += " "
        link = short_link(media_key)
        self._add(
            "urls",
            link,
            url=link,
            expanded_url=f"https://x.com/i/status/{media_key.partition('_')[2]}/photo/1",
            display_url=f"pic.x.com/{link[-10:]}",
            media_key=media_key,
        )

    def _link(self, typed: str) -> None:
        url = typed if re.match(r"https?://", typed, re.IGNORECASE) else f"http://{typed}"
        shown = re.sub(r"^https?://(www\.)?", "", url, flags=re.IGNORECASE)
        link = short_link(url)
        display = shown if len(shown) <= 27 else shown[:26] + "…"
        self._add("urls", link, url=link, expanded_url=url, display_url=display)

    def _mention(self, shown: str, id: int, handle: str) -> None:
        self._add("mentions", shown, username=handle, id=str(id))

    def _add(self, kind: str, shown: str, **details: Any) -> None:
        start = len(self.text)
        self.text += shown
        self.entities.setdefault(kind, []).append({"start": start, "end": len(self.text), **details})
