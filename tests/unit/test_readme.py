"""The README tells the truth about settings and commands."""

import re
from pathlib import Path

from bot.settings import settings_table

README = (Path(__file__).parents[2] / "README.md").read_text()
MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text()


def test_the_readme_lists_every_setting_with_its_default_and_help() -> None:
    assert settings_table().strip() in README


def test_every_target_of_the_makefile_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", MAKEFILE, flags=re.MULTILINE)

    assert [target for target in targets if f"`{target}`" not in README and f"make {target}" not in README] == [
        target for target in targets if target == "help"
    ]


def test_every_path_that_the_readme_names_exists() -> None:
    root = Path(__file__).parents[2]
    named = re.findall(r"`((?:bot|handoff|knowledge|nlu|actions|docs|tests)/[\w./-]*|[a-z]+\.(?:yml|toml))`", README)

    assert named
    assert [path for path in named if not (root / path).exists()] == []


def test_every_picture_of_the_readme_is_there() -> None:
    root = Path(__file__).parents[2]

    assert [path for path in re.findall(r"!\[.*?\]\((.*?)\)", README) if not (root / path).exists()] == []
