"""Settings: one table, read once, refused with the remedy."""

from pathlib import Path

import pytest

from bot.settings import X_KEYS, Settings, SettingsError, child_environment, settings_table

KEYS = {name: f"value-of-{name}" for name in X_KEYS}


def test_nothing_set_means_the_sandbox_and_the_demo() -> None:
    settings = Settings.read({})
    assert settings.uses_sandbox
    assert settings.is_demo
    assert settings.var == Path("var").resolve()
    assert settings.partitions == 16


def test_an_empty_variable_counts_as_not_set() -> None:
    assert Settings.read({"FRONTDESK_DESK_PORT": " "}).desk_port == 8420


def test_with_x_keys_there_is_neither_sandbox_nor_demo() -> None:
    settings = Settings.read(KEYS)
    assert not settings.uses_sandbox
    assert not settings.is_demo


def test_the_sandbox_has_contact_routes_for_the_demo() -> None:
    settings = Settings.read({})
    assert (settings.contact_phone, settings.contact_web) == ("020 7946 0123", "the contact page of our website")
    assert settings.privacy_url == "https://kestrelair.example/privacy"
    assert Settings.read({"FRONTDESK_CONTACT_PHONE": "555 0199"}).contact_phone == "555 0199"


def test_a_real_account_names_only_routes_that_are_set() -> None:
    settings = Settings.read(KEYS)
    assert (settings.contact_phone, settings.contact_web, settings.privacy_url) == (None, None, None)
    assert Settings.read({**KEYS, "FRONTDESK_CONTACT_PHONE": "555 0199"}).contact_phone == "555 0199"


def test_a_child_of_a_real_account_invents_no_routes_either() -> None:
    seen_by_child = Settings.read(child_environment(Settings.read(KEYS), "redis://127.0.0.1:1/0"))
    assert (seen_by_child.contact_phone, seen_by_child.contact_web, seen_by_child.privacy_url) == (None, None, None)


def test_half_of_the_x_keys_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"X_ACCESS_TOKEN_SECRET not.*Set all four, or unset them all"):
        Settings.read({name: value for name, value in KEYS.items() if name != "X_ACCESS_TOKEN_SECRET"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FRONTDESK_DESK_PORT", "abc", "a port number from 1 to 65535"),
        ("FRONTDESK_DESK_PORT", "70000", "a port number from 1 to 65535"),
        ("FRONTDESK_PARTITIONS", "0", "a whole number from 1 to 256"),
        ("FRONTDESK_LEASE_S", "five", "a number of seconds from 1 to 60"),
        ("FRONTDESK_LEASE_S", "nan", "a number of seconds from 1 to 60"),
        ("FRONTDESK_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("REDIS_URL", "localhost:6379", "begins with redis://"),
        ("X_BASE_URL", "ftp://x", "begins with http:// or https://"),
        ("FARES_URL", "fares.example.com", "such as https://fares.example.com/v1"),
        ("FARES_URL", "https://", "such as https://fares.example.com/v1"),
        ("FARES_URL", "https://[::1/fares", "such as https://fares.example.com/v1"),
        ("FARES_URL", "https://fares.example.com:port", "such as https://fares.example.com/v1"),
        ("ORDERS_URL", "https://orders.example.com/?email=", "without user name, ? or #"),
        ("ORDERS_TOKEN", "two words", "a token of plain characters"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_it_must_be(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({name: value})
    assert str(refused.value).startswith(name)
    assert said in str(refused.value)


def test_a_refused_secret_is_not_printed() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({"REDIS_URL": "http://user:hunter2@somewhere"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["FARES_URL", "ORDERS_URL"])
def test_an_address_with_a_password_is_refused_and_the_password_not_printed(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.read({name: "https://frontdesk:hunter2@systems.example.com/v1"})
    assert "hunter2" not in str(refused.value)


def test_secrets_have_no_default_and_are_never_printed() -> None:
    settings = Settings.read({**KEYS, "REDIS_URL": "redis://:hunter2@somewhere/0"})
    assert "hunter2" not in repr(settings)
    for value in KEYS.values():
        assert value not in repr(settings)
    lines = {line.split("`")[1]: line for line in settings_table().splitlines() if "`" in line}
    for name in (*X_KEYS, "REDIS_URL"):
        assert "secret, none" in lines[name]


def test_every_setting_has_a_line_with_a_sentence_in_the_table() -> None:
    rows = settings_table().splitlines()[2:]
    assert len(rows) == len(Settings.__dataclass_fields__)
    for row in rows:
        _, name, default, help, _ = row.split("|")
        assert name.strip().startswith("`")
        assert default.strip()
        assert help.strip().endswith((".", ":"))


def test_a_machine_that_listens_everywhere_is_reached_at_home() -> None:
    assert Settings.read({"FRONTDESK_HOST": "0.0.0.0"}).desk_address == "http://127.0.0.1:8420"
