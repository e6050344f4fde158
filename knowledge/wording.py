"""A wording with facts in it: `The fee is {{ fact.pet_fee("cabin") }}.`, and nothing else of a template language."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

import twitter_text
from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from knowledge.facts import Facts

PUBLIC_LIMIT = 240
"""Weighted characters of a public wording: X allows 280; the rest is kept for the disclosure and a closing."""
PRIVATE_LIMIT = 1200
"""Characters of a private wording: a direct message that is still read to its end."""

_FACT = re.compile(r"\{\{.*?\}\}")
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")


class WordingError(ValueError):
    """A wording contains something that is not text or a fact."""


@dataclass(frozen=True, kw_only=True)
class FactReference:
    """A fact named in a wording; a table with one value only is asked with the empty key."""

    name: str
    key: str = ""

    def __str__(self) -> str:
        return f'fact.{self.name}("{self.key}")' if self.key else f"fact.{self.name}()"


class _FactsAt:
    """What a template sees as `fact`: a table's name gives a function from key to value."""

    def __init__(self, facts: Facts, now: datetime) -> None:
        self._facts, self._now = facts, now

    def __getitem__(self, name: str) -> "_TableAt":
        return _TableAt(self._facts, name, self._now)


class _TableAt:
    def __init__(self, facts: Facts, name: str, now: datetime) -> None:
        self._facts, self._name, self._now = facts, name, now

    def __call__(self, key: str = "") -> str:
        return self._facts.value(self._name, key, self._now)


class Wording:
    """A parsed wording; raises WordingError for anything but text and facts."""

    def __init__(self, text: str) -> None:
        self.text = text
        environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
        try:
            tree = environment.parse(text)
        except TemplateSyntaxError as error:
            raise WordingError(f"cannot be read: {error.message}") from None
        self.references = tuple(
            _reference(node) for output in tree.body for node in _parts(output) if not _is_text(node)
        )
        self._template = environment.from_string(text)

    @property
    def plain(self) -> str:
        """The text without its facts, for searching and checking."""
        return " ".join(_FACT.sub(" ", self.text).split())

    def at(self, facts: Facts, now: datetime) -> str:
        """The words to say at `now`; raises FactMissing when a fact does not hold then."""
        return self._template.render(fact=_FactsAt(facts, now))


def weighted_length(text: str) -> int:
    """The length of a post as X counts it (configuration 3)."""
    return int(twitter_text.parse_tweet(unicodedata.normalize("NFC", text)).weightedLength)


def urls_in(text: str) -> list[str]:
    """What X would turn into a link, bare domains included."""
    found = twitter_text.extract_urls(text)
    schemes = re.findall(r"\b(?:https?://|www\.)\S+", text, flags=re.IGNORECASE)
    return list(dict.fromkeys([*found, *schemes]))


def has_unwanted_characters(text: str) -> bool:
    """Whether a text has control or direction-changing characters."""
    return bool(_UNWANTED.search(text))


def _parts(statement: nodes.Node) -> list[nodes.Expr]:
    if isinstance(statement, nodes.Output):
        return list(statement.nodes)
    raise WordingError('may contain only text and facts, like {{ fact.pet_fee("cabin") }}')


def _is_text(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.TemplateData)


def _reference(node: nodes.Expr) -> FactReference:
    """The fact that one `{{ … }}` names."""
    if (
        isinstance(node, nodes.Call)
        and isinstance(node.node, nodes.Getattr)
        and isinstance(node.node.node, nodes.Name)
        and node.node.node.name == "fact"
        and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        and len(node.args) <= 1
    ):
        keys = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        if len(keys) == len(node.args):
            return FactReference(name=node.node.attr, key=keys[0] if keys else "")
    raise WordingError('names something that is not a fact; write {{ fact.pet_fee("cabin") }} with quotes')
