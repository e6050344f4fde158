"""Every setting there is, in one table: its name, default and help; nothing else reads the environment.

A value comes from the environment, else from the file that FRONTDESK_SETTINGS names. A secret may stand in a file of
its own instead: `X_CONSUMER_KEY_FILE` in place of `X_CONSUMER_KEY`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.settings_file import FileRefused, nearest, read_secret, read_settings_file

X_KEYS = ("X_CONSUMER_KEY", "X_CONSUMER_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET")
"""The four keys of the account; all of them or none."""

SETTINGS_FILE = "FRONTDESK_SETTINGS"
FILE_OF_SECRET = "{}_FILE"

DEMO_PASSWORD = "kestrel-demo"
"""Of the demo agents ana and ben, who exist only where `is_demo` holds."""


class SettingsError(Exception):
    """A setting is missing or cannot be used; the text names it and the remedy."""


class _Refused(ValueError):
    """What a value should have been, as the end of a sentence that begins with "must be"."""


def _words(text: str) -> str:
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise _Refused("a port number from 1 to 65535")
    return int(text)


def _count(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise _Refused(f"a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _seconds(lowest: float, highest: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        if not re.fullmatch(r"\d+(\.\d+)?", text) or not lowest <= float(text) <= highest:
            raise _Refused(f"a number of seconds from {lowest:g} to {highest:g}")
        return float(text)

    return read


def _choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in allowed:
            raise _Refused("one of " + ", ".join(allowed))
        return text.lower()

    return read


def _folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise _Refused("an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes))
        return text.rstrip("/")

    return read


def _system(text: str) -> str:
    """The address of a company's system; what is secret about it has a setting of its own, which is never printed."""
    wanted = "an address such as https://fares.example.com/v1, without user name, ? or #"
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise _Refused(wanted) from None
    if not known or "@" in parts.netloc or "?" in text or "#" in text:
        raise _Refused(wanted)
    return text.rstrip("/")


def _token(text: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,4096}", text):
        raise _Refused("a token of plain characters without blanks")
    return text


def _set(
    name: str, default: Any, read: Callable[[str], Any], help: str, *, secret: bool = False, demo: Any = None
) -> Any:
    """`demo`: stands in while it is not set and the sandbox is used; a real account never says it."""
    return field(
        default_factory=lambda: _folder(default) if read is _folder and default else default,
        repr=not secret,
        metadata={"name": name, "default": default, "read": read, "help": help, "secret": secret, "demo": demo},
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process."""

    file: Path | None = _set(  # noqa: RUF009 (it gives a dataclass field)
        SETTINGS_FILE,
        None,
        _folder,
        "A TOML or YAML file with any of these settings by their names; what the environment says goes before it.",
    )
    var: Path = _set(  # noqa: RUF009 (it gives a dataclass field)
        "FRONTDESK_VAR",
        "var",
        _folder,
        "Folder of everything that is kept: Redis's file, the trained model, logs.",
    )
    redis_url: str | None = _set(
        "REDIS_URL",
        None,
        _url("redis", "rediss", "unix"),
        "The Redis to use. Not set: `frontdesk up` starts one of its own in `FRONTDESK_VAR`.",
        secret=True,
    )
    redis_port: int = _set("FRONTDESK_REDIS_PORT", 8424, _port, "Port of the Redis that `frontdesk up` starts.")
    partitions: int = _set(
        "FRONTDESK_PARTITIONS",
        16,
        _count(1, 256),
        "Parts the conversations are spread over. Never change it once there is data.",
    )
    host: str = _set(
        "FRONTDESK_HOST",
        "127.0.0.1",
        _words,
        "Address that the pages and the health checks listen on; `0.0.0.0` for every network.",
    )
    desk_port: int = _set("FRONTDESK_DESK_PORT", 8420, _port, "Port of the console.")
    desk_url: str | None = _set(
        "FRONTDESK_DESK_URL",
        None,
        _url("http", "https"),
        "Address of the console as agents see it, when a proxy stands before it.",
    )
    sandbox_port: int = _set("FRONTDESK_SANDBOX_PORT", 8421, _port, "Port of the sandbox, the local X.")
    channel_port: int = _set("FRONTDESK_CHANNEL_PORT", 8422, _port, "Port of the channel's health checks.")
    responder_port: int = _set("FRONTDESK_RESPONDER_PORT", 8423, _port, "Port of the responder's health checks.")

    x_consumer_key: str | None = _set(
        "X_CONSUMER_KEY", None, _words, "API key of the X app. No X key set: the sandbox is used.", secret=True
    )
    x_consumer_secret: str | None = _set("X_CONSUMER_SECRET", None, _words, "API key secret of the X app.", secret=True)
    x_access_token: str | None = _set(
        "X_ACCESS_TOKEN", None, _words, "Access token of the account that answers.", secret=True
    )
    x_access_token_secret: str | None = _set(
        "X_ACCESS_TOKEN_SECRET", None, _words, "Access token secret of that account.", secret=True
    )
    x_base_url: str | None = _set(
        "X_BASE_URL",
        None,
        _url("http", "https"),
        "Address of the API. Not set: X itself when X keys are set, else the sandbox on this machine.",
    )
    quiet_s: float = _set(
        "FRONTDESK_QUIET_S",
        6.0,
        _seconds(0, 60),
        "Seconds a customer must be quiet before the bot answers, so that several messages get one answer.",
    )
    burst_cap_s: float = _set(
        "FRONTDESK_BURST_CAP_S",
        20.0,
        _seconds(0, 600),
        "Seconds after which the bot answers although the customer keeps writing. Where the account cannot be read "
        "meanwhile, it waits up to 75 seconds longer to see what was written.",
    )
    mentions_poll_s: float | None = _set(
        "FRONTDESK_MENTIONS_POLL_S",
        None,
        _seconds(0.1, 3600),
        "Seconds between two looks for mentions. Not set: what the platform's limits allow, 1 with the sandbox.",
    )
    direct_poll_s: float | None = _set(
        "FRONTDESK_DIRECT_POLL_S",
        None,
        _seconds(0.1, 3600),
        "Seconds between two looks for direct messages. Not set: as above.",
    )
    call_limit_s: float = _set(
        "FRONTDESK_CALL_LIMIT_S", 10.0, _seconds(0.5, 120), "Longest that one call to the platform may take."
    )

    lease_s: float = _set(
        "FRONTDESK_LEASE_S",
        5.0,
        _seconds(1, 60),
        "How long a silent process keeps its partitions before another takes them over.",
    )
    turn_limit_s: float = _set(
        "FRONTDESK_TURN_LIMIT_S",
        10.0,
        _seconds(1, 60),
        "Longest that one turn may take; then a person is asked for.",
    )
    first_reply_minutes: int = _set(
        "FRONTDESK_FIRST_REPLY_MINUTES",
        30,
        _count(1, 10_080),
        "Minutes of service time within which customers are promised a person's reply.",
    )
    oldest_answered_hours: int = _set(
        "FRONTDESK_OLDEST_ANSWERED_HOURS",
        6,
        _count(1, 720),
        "Messages older than this go to people, marked late; the bot answers none of them.",
    )
    account: str = _set("FRONTDESK_ACCOUNT", "@KestrelAir", _words, "Handle of the account, as the console shows it.")
    company: str = _set("FRONTDESK_COMPANY", "Kestrel Air", _words, "Name of the company, as the bot says it.")
    privacy_url: str | None = _set(
        "FRONTDESK_PRIVACY_URL",
        None,
        _url("http", "https"),
        "Address of the privacy notice, said in direct messages.",
        demo="https://kestrelair.example/privacy",
    )
    contact_phone: str | None = _set(
        "FRONTDESK_CONTACT_PHONE",
        None,
        _words,
        "Phone number given where a direct message is not possible. Without it and a web page, a person is called.",
        demo="020 7946 0123",
    )
    contact_web: str | None = _set(
        "FRONTDESK_CONTACT_WEB",
        None,
        _words,
        "Web page given there, in words: an address in a public post would cost more and look like spam.",
        demo="the contact page of our website",
    )

    fares_url: str | None = _set(
        "FARES_URL",
        None,
        _system,
        "Address of your fares (docs/sources.openapi.yml). Not set: the fare table that comes with Frontdesk.",
    )
    fares_token: str | None = _set("FARES_TOKEN", None, _token, "Bearer token for `FARES_URL`.", secret=True)
    orders_url: str | None = _set(
        "ORDERS_URL",
        None,
        _system,
        "Address of your orders (docs/sources.openapi.yml). Not set: the made-up orders that come with Frontdesk.",
    )
    orders_token: str | None = _set("ORDERS_TOKEN", None, _token, "Bearer token for `ORDERS_URL`.", secret=True)

    announcements: str = _set(
        "FRONTDESK_ANNOUNCEMENTS",
        "on",
        _choice("on", "off"),
        "Whether the desk announces what `handoff/policies/announcements.yml` plans; commands announce in any case.",
    )
    demo: str = _set(
        "FRONTDESK_DEMO",
        "auto",
        _choice("auto", "yes", "no"),
        "Whether the demo agents may sign in; `auto`: only with the sandbox.",
    )
    log_level: str = _set(
        "FRONTDESK_LOG_LEVEL",
        "info",
        _choice("debug", "info", "warning", "error"),
        "Least important log lines to write.",
    )
    log_format: str = _set(
        "FRONTDESK_LOG_FORMAT",
        "auto",
        _choice("auto", "json", "text"),
        "`json` lines or readable `text`; `auto`: text on a terminal.",
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings that an environment holds, and the file it names; what is empty counts as not set.

        Raises SettingsError.
        """
        texts = _texts(environ)
        values: dict[str, Any] = {}
        for one in fields(cls):
            text = texts.get(one.metadata["name"])
            if text:
                values[one.name] = _value(one.metadata, text)
        _refuse_half_the_keys([name for name in X_KEYS if not texts.get(name)])
        stand_ins = {one.name: one.metadata["demo"] for one in fields(cls) if one.metadata["demo"] is not None}
        return cls(**values) if "x_consumer_key" in values else cls(**{**stand_ins, **values})

    @property
    def uses_sandbox(self) -> bool:
        """Whether the sandbox stands in for X."""
        return self.x_consumer_key is None

    @property
    def is_demo(self) -> bool:
        """Whether the demo agents may sign in."""
        return self.demo == "yes" or (self.demo == "auto" and self.uses_sandbox)

    @property
    def desk_address(self) -> str:
        """Where agents open the console."""
        return self.desk_url or f"http://{self.reached_host}:{self.desk_port}"

    @property
    def sandbox_address(self) -> str:
        """Where the sandbox's page and API are."""
        return f"http://{self.reached_host}:{self.sandbox_port}"

    @property
    def reached_host(self) -> str:
        """The address under which this machine reaches its own processes."""
        return "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host


def read_settings() -> Settings:
    """The settings of this process, from its environment. Raises SettingsError."""
    return Settings.read(os.environ)


def unknown_variables(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables of this environment, or of a given one, that are no setting, each with the one it most likely means."""
    names = _names() | {SETTINGS_FILE}
    given = sorted(os.environ if environ is None else environ)
    strangers = [name for name in given if name.startswith(("FRONTDESK_", "X_")) and name not in names]
    return {name: meant for name in strangers if (meant := nearest(name, names))}


def with_redis(settings: Settings, redis_url: str) -> Settings:
    """The same settings with another Redis."""
    return replace(settings, redis_url=redis_url)


def child_environment(settings: Settings, redis_url: str) -> dict[str, str]:
    """What a child sees: our environment with exactly these settings, the Redis in use, one thread per library.

    It reads no file again: what a file says and these settings do not, such as the keys of X, is not the child's.
    """
    values = {one.metadata["name"]: getattr(settings, one.name) for one in fields(Settings)} | {SETTINGS_FILE: None}
    unset = {name for name, value in values.items() if value is None} | {*_secret_files().values()}
    return {
        **{name: value for name, value in os.environ.items() if name not in unset},
        **{name: str(value) for name, value in values.items() if value is not None},
        "REDIS_URL": redis_url,
        "FRONTDESK_LOG_FORMAT": "json" if settings.log_format == "auto" else settings.log_format,
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
    }


def settings_table() -> str:
    """All settings as the Markdown table of the README."""
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for one in fields(Settings):
        lines.append(f"| `{one.metadata['name']}` | {_shown_default(one.metadata)} | {one.metadata['help']} |")
    return "\n".join(lines) + "\n"


def _shown_default(about: Mapping[str, Any]) -> str:
    if about["secret"]:
        return f"secret, none; or a file that holds it: `{FILE_OF_SECRET.format(about['name'])}`"
    if about["demo"] is not None:
        return f"none; with the sandbox `{about['demo']}`"
    return "none" if about["default"] is None else f"`{_plain(about['default'])}`"


def _plain(default: object) -> str:
    return f"{default:g}" if isinstance(default, float) else str(default)


def _names() -> set[str]:
    """What may stand in a file of settings."""
    return ({one.metadata["name"] for one in fields(Settings)} - {SETTINGS_FILE}) | {*_secret_files().values()}


def _secret_files() -> dict[str, str]:
    """Secret -> the setting that names its file."""
    secrets = [one.metadata["name"] for one in fields(Settings) if one.metadata["secret"]]
    return {name: FILE_OF_SECRET.format(name) for name in secrets}


def _texts(environ: Mapping[str, str]) -> dict[str, str]:
    """Every setting as it was written: the environment's word before that of the file. Raises SettingsError."""
    path = environ.get(SETTINGS_FILE, "").strip()
    try:
        of_file = _of_one_place(read_settings_file(_folder(path), _names()), path) if path else {}
        return of_file | _of_one_place(environ, "the environment")
    except FileRefused as error:
        raise SettingsError(str(error)) from None


def _of_one_place(given: Mapping[str, str], place: str) -> dict[str, str]:
    """What one place says, secrets read from their files."""
    names = [one.metadata["name"] for one in fields(Settings)]
    found = {name: text for name in names if (text := given.get(name, "").strip())}
    for name, of_file in _secret_files().items():
        path = given.get(of_file, "").strip()
        if path and name in found:
            raise SettingsError(f"Both {name} and {of_file} are set in {place}. Keep one of them and unset the other.")
        if path:
            found[name] = read_secret(of_file, _folder(path))
    return found


def _value(about: Mapping[str, Any], text: str) -> Any:
    try:
        return about["read"](text)
    except _Refused as wanted:
        shown = "is set, but" if about["secret"] else f'is "{_without_password(text)[:80]}", but'
        remedy = "" if about["default"] is None else f" (default: {_plain(about['default'])})"
        raise SettingsError(f"{about['name']} {shown} must be {wanted}{remedy}. Change it or unset it.") from None


def _without_password(text: str) -> str:
    return re.sub(r"//.*@", "//…@", text)


def _refuse_half_the_keys(missing: list[str]) -> None:
    if 0 < len(missing) < len(X_KEYS):
        raise SettingsError(
            f"X keys are set, but {' and '.join(missing)} not. Set all four, or unset them all to use the sandbox."
        )
