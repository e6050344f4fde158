"""Who may open which part of the web pages."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody does here."""

    AGENT = "agent"  # answers customers, sees the report's numbers
    LEAD = "lead"  # answers customers and looks after those who do, reads the report's questions
    EDITOR = "editor"  # keeps the articles true, which are files; reads no customer's words


PARTS_OF_ROLE: dict[Role, frozenset[str]] = {
    Role.AGENT: frozenset({"console", "report"}),
    Role.LEAD: frozenset({"console", "report"}),
    Role.EDITOR: frozenset(),
}


def may_open(role: Role, path: str) -> bool:
    """Whether a role may open a path such as `/console/cases/C07-1`; paths outside the parts are open to all."""
    part = path.lstrip("/").partition("/")[0]
    guarded = frozenset[str]().union(*PARTS_OF_ROLE.values())
    return part not in guarded or part in PARTS_OF_ROLE[role]


def home_of(role: Role) -> str:
    """The page somebody sees first."""
    return "/console/" if "console" in PARTS_OF_ROLE[role] else "/"
