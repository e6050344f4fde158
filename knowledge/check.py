"""Checks that need everything at hand: facts, lengths with the facts filled in, questions shared by two articles."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from knowledge.article import Article
from knowledge.facts import FactMissing, Facts
from knowledge.problem import Problem, Severity
from knowledge.wording import PUBLIC_LIMIT, FactReference, Wording, WordingError, urls_in, weighted_length


def check_together(articles: Iterable[tuple[str, Article]], facts: Facts, now: datetime) -> Iterator[Problem]:
    """Every problem of articles (each with its file) that the file alone does not show."""
    asked: dict[str, str] = {}
    for file, article in articles:
        yield from _check_wording(file, "public", article.public, facts, now)
        yield from _check_wording(file, "private", article.private, facts, now)
        for question in article.questions:
            other = asked.setdefault(question.casefold(), file)
            if other != file:
                message = f"{question!r} is also an example question of {other}."
                yield Problem(file=file, field="questions", message=message, remedy="Keep it in one of the two.")
        if article.valid_to and article.valid_to <= now:
            message = f"ended on {article.valid_to:%d %B %Y}; the article is not answered any more."
            remedy = "Set a later end, or delete the article."
            severity = Severity.WARNING
            yield Problem(file=file, field="valid_to", message=message, remedy=remedy, severity=severity)


def _check_wording(file: str, field: str, text: str, facts: Facts, now: datetime) -> Iterator[Problem]:
    """What is wrong with one wording: its facts first, then what only a public one must not be."""
    try:
        wording = Wording(text)
    except WordingError as error:
        remedy = 'Write facts like {{ fact.pet_fee("cabin") }} and nothing else in braces.'
        yield Problem(file=file, field=field, message=f"{error}.", remedy=remedy)
        return
    unknown = [reference for reference in wording.references if not _is_known(reference, facts)]
    for reference in unknown:
        remedy = f"Add it to facts/{reference.name}.csv, or correct its name."
        yield Problem(file=file, field=field, message=f"names {reference}, which no table has.", remedy=remedy)
    if unknown:
        return
    try:
        wording.at(facts, now)
    except FactMissing as error:
        message, remedy = f"{error}.", "Until a value for now is in the table, a person answers this."
        yield Problem(file=file, field=field, message=message, remedy=remedy, severity=Severity.WARNING)
    if field == "public":
        yield from _check_public(file, wording, facts, now)


def _check_public(file: str, wording: Wording, facts: Facts, now: datetime) -> Iterator[Problem]:
    """Length and web addresses, now and after every change of a fact that is already known."""
    texts = _texts_over_time(wording, facts, now)
    longest = max((weighted_length(text) for text in texts), default=0)
    if longest > PUBLIC_LIMIT:
        message = f"wording has {longest} weighted characters."
        remedy = f"Shorten it to {PUBLIC_LIMIT}; details belong into the private wording."
        yield Problem(file=file, field="public", message=message, remedy=remedy)
    address = next((url for text in [wording.plain, *texts] for url in urls_in(text)), None)
    if address:
        message = f"wording contains the web address {address!r}."
        remedy = "Put it into the field 'link'; a public post with an address costs far more."
        yield Problem(file=file, field="public", message=message, remedy=remedy)


def _texts_over_time(wording: Wording, facts: Facts, now: datetime) -> list[str]:
    """What the wording says now and later; a time without a value says nothing."""
    texts = []
    for moment in (now, *(start for start in facts.moments() if start > now)):
        try:
            texts.append(wording.at(facts, moment))
        except FactMissing:
            continue
    return texts


def _is_known(reference: FactReference, facts: Facts) -> bool:
    table = facts.tables.get(reference.name)
    return table is not None and table.has(reference.key)
