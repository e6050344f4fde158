"""The text of an announcement: words with placeholders, filled in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_TEMPLATE_CHARS = 1000
LONGEST_VALUE_CHARS = 200


class TextRefused(Exception):
    """A text cannot be used; the message says why and what to do."""

    def __init__(self, problem: str, *, placeholder: str | None = None) -> None:
        super().__init__(problem)
        self.placeholder = placeholder
        """The one that is not known, so that its line can be found."""


class AnnouncementText:
    """One text; refused at once, not at the minute it is needed, if it names a placeholder that there is not."""

    def __init__(self, source: str, *, placeholders: frozenset[str]) -> None:
        """Raises TextRefused."""
        self.placeholders = placeholders
        """What the text may name."""
        if len(source) > LONGEST_TEMPLATE_CHARS:
            raise TextRefused(f"the text is longer than {LONGEST_TEMPLATE_CHARS} characters. Shorten it.")
        pages = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)  # plain text, no page
        pages.globals.clear()
        try:
            self.used = frozenset(meta.find_undeclared_variables(pages.parse(source)))
        except TemplateSyntaxError as error:
            raise TextRefused(f"{error.message}. Placeholders are written like {{{{ date }}}}.") from error
        for name in sorted(self.used - placeholders):
            there_are = ", ".join(sorted(placeholders))
            raise TextRefused(f"unknown placeholder “{name}”. There are: {there_are}.", placeholder=name)
        self._template = pages.from_string(source)
        self.fill(dict.fromkeys(placeholders, "x"))  # what fails only when it is filled fails now

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with its values; raises TextRefused."""
        try:
            text = self._template.render(values)
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise TextRefused(f"the text cannot be filled: {error}. Use plain placeholders.") from error
        lines = (" ".join(line.split()) for line in text.strip().splitlines())
        filled = "\n".join(lines)
        if not filled:
            raise TextRefused("the text is empty. Write what is to be said.")
        return filled
