"""Only bot/settings.py reads the environment."""

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
ALLOWED = {"bot/settings.py"}
FILES = sorted(
    str(file.relative_to(REPO))
    for package in ("bot", "nlu", "actions", "knowledge", "handoff")
    for file in (REPO / package).rglob("*.py")
)


@pytest.mark.parametrize("file", FILES)
def test_no_other_file_reads_the_environment(file: str) -> None:
    if file in ALLOWED:
        return
    for node in ast.walk(ast.parse((REPO / file).read_text())):
        if isinstance(node, ast.Attribute) and node.attr == "getenv":
            pytest.fail(f"{file}:{node.lineno} reads the environment; add a setting to bot/settings.py")
        if isinstance(node, ast.Call) and _name(node.func) in ("environ.get", "os.environ.get"):
            pytest.fail(f"{file}:{node.lineno} reads the environment; add a setting to bot/settings.py")
        if isinstance(node, ast.Subscript) and _name(node.value).endswith("environ") and isinstance(node.ctx, ast.Load):
            pytest.fail(f"{file}:{node.lineno} reads the environment; add a setting to bot/settings.py")


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
