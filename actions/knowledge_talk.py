"""Answering from the published knowledge: the right article, a question which of two, or a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actions.contact import Contact
from actions.turn import Result, TurnNow, Why, how_to_go_on, tried_of
from handoff.words import Reason
from knowledge.article import Sensitivity
from knowledge.confidence import Decision, DecisionKind, Hit
from knowledge.encoder import Encoder
from knowledge.index import Index, Unavailable

ASKED = "topic"
_FIRST = frozenset({"a", "1", "one", "first", "1st", "former", "option a", "option 1", "number 1", "number one"})
_SECOND = frozenset(
    {"b", "2", "two", "second", "2nd", "latter", "last", "other", "option b", "option 2", "number 2", "number two"}
)
_AROUND = frozenset(["the", "one", "please", "of", "them", "pls", "i", "mean", "it's", "its", "thanks", "ok", "yes"])
SHORTEST_NAMING_WORD = 4  # "and" or "for" in a title names nothing


class Published(Protocol):
    """The knowledge as it stands now."""

    @property
    def current(self) -> Index:
        """The version to answer from."""
        ...


class KnowledgeTalk:
    """Answers questions by articles, and remembers which two topics it asked about."""

    def __init__(self, knowledge: Published, encoder: Encoder, contact: Contact) -> None:
        self._knowledge = knowledge
        self._encoder = encoder
        self._contact = contact

    def look_up(self, turn: TurnNow) -> tuple[Sequence[Hit], Decision]:
        """The nearest articles and what they are worth; the vector was computed for the intent already."""
        index = self._knowledge.current
        hits = index.search(turn.text, self._encoder.encode([turn.text])[0], turn.now)
        return hits, index.decide(hits)

    async def result(self, turn: TurnNow) -> Result:
        """The answer to a question, or what else is to be done about it."""
        hits, decision = self.look_up(turn)
        if decision.kind is DecisionKind.ANSWER:
            return self.answered(turn, hits[0].article_id, hits, decision.probability)
        if decision.kind is DecisionKind.CLARIFY and not self._is_for_people(decision.hits):
            return self._which(turn, decision)
        return self._person(turn, Reason.NO_ANSWER, hits, rule="knowledge_none", score=decision.probability)

    def answered(self, turn: TurnNow, article_id: str, hits: Sequence[Hit], score: float | None = None) -> Result:
        """What the article says in this place."""
        index = self._knowledge.current
        answer = index.answer(article_id, private=turn.is_private, now=turn.now)
        if isinstance(answer, Unavailable):
            return self._person(turn, Reason.NO_ANSWER, hits, rule="article_unavailable", detail=answer.because)
        if answer.sensitivity is Sensitivity.PERSON:
            return self._person(turn, Reason.NO_ANSWER, hits, rule="article_for_people", detail=answer.ref)
        invites = answer.sensitivity is Sensitivity.PRIVATE and not turn.is_private
        if invites and not turn.private_possible:
            return self._contact.invitation(turn, "")
        return Result(
            why=Why(rule="knowledge", matched=answer.ref, score=score),
            text=answer.text,
            link=answer.link,
            articles=(answer.ref,),
            offers_private=invites,
            tried=tried_of(hits[:3], said=[answer.ref]),
        )

    def chosen(self, turn: TurnNow) -> Result | None:
        """The answer to "A or B?", or None where the message is no choice between them."""
        topics = [str(topic) for topic in turn.slots.get("topics") or []]
        if turn.asked != ASKED or len(topics) != 2:
            return None
        picked = pick(turn.text, [self._title(topic) for topic in topics])
        if picked is not None:
            return self.answered(turn, topics[picked], ())
        words = " ".join(turn.text.lower().split()).strip(" .!")
        if words.startswith("both"):
            return self._person(turn, Reason.TANGLED, (), rule="both_topics", detail=", ".join(topics))
        if turn.intent == "deny":
            return self._person(turn, Reason.NO_ANSWER, (), rule="neither_topic", detail=", ".join(topics))
        return None

    def called(self, turn: TurnNow, reason: Reason, why: Why) -> Result:
        """A call for a person, with what the articles would say where they come near."""
        hits, decision = self.look_up(turn)
        near = () if decision.kind is DecisionKind.NONE else hits[:2]
        return Result(why=why, needs_person=reason, tried=tried_of(near), suggestions=self.suggestions(turn, near))

    def _which(self, turn: TurnNow, decision: Decision) -> Result:
        first, second = decision.hits[:2]
        if turn.failures:
            return self._person(
                turn, Reason.REPEATED_FAILURE, decision.hits, rule="unsure_again", score=decision.probability
            )
        ask = f"Do you mean (1) {first.title} or (2) {second.title}? Answer 1 or 2.{how_to_go_on(turn)}"
        return Result(
            why=Why(rule="knowledge_clarify", score=decision.probability_of_two),
            text=ask,
            failed=True,
            tried=tried_of(decision.hits),
            slots={"asked": ASKED, "topics": [first.article_id, second.article_id]},
        )

    def _person(
        self,
        turn: TurnNow,
        reason: Reason,
        hits: Sequence[Hit],
        *,
        rule: str,
        score: float | None = None,
        detail: str | None = None,
    ) -> Result:
        matched = hits[0].matched if hits else None
        return Result(
            why=Why(rule=rule, matched=matched, score=score, detail=detail),
            needs_person=reason,
            failed=True,
            tried=tried_of(hits[:3]),
            suggestions=self.suggestions(turn, hits[:2]),
        )

    def suggestions(self, turn: TurnNow, hits: Sequence[Hit]) -> tuple[dict[str, str], ...]:
        """Wordings that an agent may send or change."""
        index = self._knowledge.current
        answers = [index.answer(hit.article_id, private=turn.is_private, now=turn.now) for hit in hits]
        return tuple({"text": one.text, "article": one.ref} for one in answers if not isinstance(one, Unavailable))

    def _is_for_people(self, hits: Sequence[Hit]) -> bool:
        found = [self._knowledge.current.article(hit.article_id) for hit in hits]
        return all(one is not None and one.article.sensitivity is Sensitivity.PERSON for one in found)

    def _title(self, article_id: str) -> str:
        found = self._knowledge.current.article(article_id)
        return found.article.title if found else ""


def pick(text: str, titles: Sequence[str]) -> int | None:
    """Which of two titles a customer means: by number, by place, or by a word that only one of them has."""
    words = "".join(char if char.isalnum() or char == "'" else " " for char in text.lower()).split()
    told = " ".join(word for word in words if word not in _AROUND)
    also_told = " ".join(word for word in words if word not in _AROUND - {"one"})
    for index, names in enumerate((_FIRST, _SECOND)):
        if told in names or also_told in names:
            return index
    sets = [_naming(title.lower().replace("-", " ").split()) for title in titles]
    said = _naming(words)
    only = [bool(said & (sets[0] - sets[1])), bool(said & (sets[1] - sets[0]))]
    return only.index(True) if sum(only) == 1 else None


def _naming(words: Sequence[str]) -> set[str]:
    plain = [word.strip(".,?!") for word in words]
    return {word.removesuffix("s") for word in plain if len(word) >= SHORTEST_NAMING_WORD}
