"""Settings from a file and secrets from files of their own: the environment wins, nothing wrong passes silently."""

from pathlib import Path

import pytest

from bot.settings import X_KEYS, Settings, SettingsError, child_environment, settings_table, unknown_variables

PASSWORD = "hunter2"


def written(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.read(environ)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("here.toml", 'FRONTDESK_DESK_PORT = 9000\nFRONTDESK_LEASE_S = 7.5\nFRONTDESK_COMPANY = "Puffin"\n'),
        ("here.yml", "FRONTDESK_DESK_PORT: 9000\nFRONTDESK_LEASE_S: 7.5\nFRONTDESK_COMPANY: Puffin\n"),
        ("here.YAML", "FRONTDESK_DESK_PORT: '9000'\nFRONTDESK_LEASE_S: '7.5'\nFRONTDESK_COMPANY: Puffin\n"),
    ],
)
def test_a_file_says_what_the_environment_could(tmp_path: Path, name: str, text: str) -> None:
    settings = Settings.read({"FRONTDESK_SETTINGS": written(tmp_path, name, text)})
    assert (settings.desk_port, settings.lease_s, settings.company) == (9000, 7.5, "Puffin")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "here.toml", "FRONTDESK_DESK_PORT = 9000\nFRONTDESK_CHANNEL_PORT = 9001\n")
    settings = Settings.read({"FRONTDESK_SETTINGS": file, "FRONTDESK_DESK_PORT": "9500"})
    assert (settings.desk_port, settings.channel_port) == (9500, 9001)


def test_yes_and_no_of_a_file_are_words(tmp_path: Path) -> None:
    for name, text in (("a.toml", "FRONTDESK_DEMO = false"), ("a.yml", "FRONTDESK_DEMO: no")):
        assert Settings.read({"FRONTDESK_SETTINGS": written(tmp_path, name, text)}).demo == "no"


def test_an_empty_file_and_an_empty_value_set_nothing(tmp_path: Path) -> None:
    assert Settings.read({"FRONTDESK_SETTINGS": written(tmp_path, "a.yml", "# nothing yet\n")}).desk_port == 8420
    assert Settings.read({"FRONTDESK_SETTINGS": written(tmp_path, "b.yml", "FRONTDESK_DESK_PORT:\n")}).desk_port == 8420


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("FRONTDESK_DESK_PROT", "FRONTDESK_DESK_PORT"),
        ("desk_port", "FRONTDESK_DESK_PORT"),
        ("X_CONSUMER_KEYS", "X_CONSUMER_KEY"),
        ("REDIS_URL_FIEL", "REDIS_URL_FILE"),
    ],
)
def test_a_misspelt_name_in_a_file_is_refused_with_the_nearest_one(tmp_path: Path, misspelt: str, meant: str) -> None:
    said = refusal({"FRONTDESK_SETTINGS": written(tmp_path, "a.yml", f"{misspelt}: 9000\n")})
    assert f"“{misspelt}” is no setting. Did you mean {meant}?" in said


def test_a_name_like_no_setting_is_refused_without_a_guess(tmp_path: Path) -> None:
    said = refusal({"FRONTDESK_SETTINGS": written(tmp_path, "a.yml", "colour: blue\n")})
    assert "“colour” is no setting. The README lists them all; remove it." in said


def test_a_file_names_no_further_file(tmp_path: Path) -> None:
    assert "is no setting" in refusal({"FRONTDESK_SETTINGS": written(tmp_path, "a.yml", "FRONTDESK_SETTINGS: b.yml\n")})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", 'REDIS_URL = "redis://:hunter2', "is no TOML"),
        ("a.toml", "FRONTDESK_DESK_PORT = 1\nFRONTDESK_DESK_PORT = 2", "is no TOML"),
        ("a.yml", "REDIS_URL: [redis://:hunter2", "is no YAML"),
        ("a.yml", "FRONTDESK_DESK_PORT: 1\nFRONTDESK_DESK_PORT: 2", "a name may stand only once"),
        ("a.yml", "- FRONTDESK_DESK_PORT", "must hold names of settings"),
        ("a.yml", "FRONTDESK_DESK_PORT: [1, 2]", "FRONTDESK_DESK_PORT must be a text or a number"),
        ("a.toml", "[X_CONSUMER_KEY]\nhunter2 = 1", "X_CONSUMER_KEY must be a text or a number"),
        ("a.yml", b"\xff\xfe", "is no UTF-8 text"),
        ("a.ini", "FRONTDESK_DESK_PORT=1", "must end in .toml, .yml or .yaml"),
        ("a.yml", "FRONTDESK_DESK_PORT: door", 'FRONTDESK_DESK_PORT is "door"'),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_without_quoting_secrets(
    tmp_path: Path, name: str, text: str | bytes, said: str
) -> None:
    told = refusal({"FRONTDESK_SETTINGS": written(tmp_path, name, text)})
    assert said in told
    assert PASSWORD not in told


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal({"FRONTDESK_SETTINGS": str(tmp_path / "none.toml")})


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_its_file_without_the_line_break(tmp_path: Path, end: str) -> None:
    keys = {f"{name}_FILE": written(tmp_path, name, f"value-of-{name}{end}") for name in X_KEYS}
    settings = Settings.read(keys)
    assert settings.x_consumer_key == "value-of-X_CONSUMER_KEY"
    assert settings.x_access_token_secret == "value-of-X_ACCESS_TOKEN_SECRET"
    assert not settings.uses_sandbox


def test_every_secret_may_stand_in_a_file_and_the_table_says_so() -> None:
    secrets = [line for line in settings_table().splitlines() if "secret, none" in line]
    assert len(secrets) >= 5
    for line in secrets:
        name = line.split("`")[1]
        assert f"`{name}_FILE`" in line


def test_a_settings_file_may_name_the_files_of_secrets(tmp_path: Path) -> None:
    secret = written(tmp_path, "redis", "redis://:hunter2@somewhere/0\n")
    file = written(tmp_path, "a.yml", f"REDIS_URL_FILE: {secret}\n")
    assert Settings.read({"FRONTDESK_SETTINGS": file}).redis_url == "redis://:hunter2@somewhere/0"


def test_the_environment_goes_before_the_file_for_secrets_in_either_form(tmp_path: Path) -> None:
    secret = written(tmp_path, "redis", "redis://from-secret/0\n")
    for of_environment, of_file, expected in (
        ({"REDIS_URL": "redis://from-environment/0"}, f"REDIS_URL_FILE: {secret}\n", "redis://from-environment/0"),
        ({"REDIS_URL_FILE": secret}, "REDIS_URL: redis://from-file/0\n", "redis://from-secret/0"),
    ):
        file = written(tmp_path, "a.yml", of_file)
        assert Settings.read({**of_environment, "FRONTDESK_SETTINGS": file}).redis_url == expected


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    secret = written(tmp_path, "redis", "redis://:hunter2@there/0")
    said = refusal({"REDIS_URL": "redis://:hunter2@here/0", "REDIS_URL_FILE": secret})
    assert said == (
        "Both REDIS_URL and REDIS_URL_FILE are set in the environment. Keep one of them and unset the other."
    )
    file = written(tmp_path, "a.yml", f"REDIS_URL: redis://:hunter2@here/0\nREDIS_URL_FILE: {secret}\n")
    assert f"are set in {file}." in refusal({"FRONTDESK_SETTINGS": file})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("hunter2\nhunter2\n", "holds more than one line"),
        ("hunter2" * 4000, "holds more than one line"),
        (b"hunter2\xff", "is no text"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_refused_without_quoting_it(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    told = refusal({"X_CONSUMER_KEY_FILE": written(tmp_path, "secret", content)})
    assert told.startswith("X_CONSUMER_KEY_FILE: ")
    assert said in told
    assert PASSWORD not in told


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    told = refusal({"X_CONSUMER_KEY_FILE": str(tmp_path / "nothing")})
    assert told.startswith(f"X_CONSUMER_KEY_FILE: {tmp_path / 'nothing'} cannot be read (No such file")


def test_a_refused_value_of_a_secret_file_is_not_printed(tmp_path: Path) -> None:
    assert PASSWORD not in refusal({"REDIS_URL_FILE": written(tmp_path, "redis", "http://hunter2@there")})


def test_a_child_reads_no_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack beside the operator's must never get the operator's keys through a file."""
    secrets = {f"{name}_FILE": written(tmp_path, name, f"value-of-{name}") for name in X_KEYS}
    file = written(tmp_path, "a.yml", "".join(f"{name}: {path}\n" for name, path in secrets.items()))
    environ = {"FRONTDESK_SETTINGS": file, "REDIS_URL_FILE": written(tmp_path, "redis", "redis://theirs/0")}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    child = child_environment(Settings.read({}), "redis://own/0")
    assert Settings.read(child).uses_sandbox
    assert Settings.read(child).redis_url == "redis://own/0"
    assert not {name for name in child if name.endswith("_FILE")} & {*secrets, "REDIS_URL_FILE"}
    of_file = child_environment(Settings.read(environ), "redis://own/0")
    assert Settings.read(of_file).x_consumer_key == "value-of-X_CONSUMER_KEY"


def test_a_misspelt_variable_of_the_environment_is_found() -> None:
    environ = {
        "FRONTDESK_DESK_PROT": "1",
        "FRONTDESK_DESK_PORT": "1",
        "X_WINDOW": "1",
        "REDIS_URL_FILE": "a",
        "HOME": "/",
    }
    assert unknown_variables(environ) == {"FRONTDESK_DESK_PROT": "FRONTDESK_DESK_PORT"}
