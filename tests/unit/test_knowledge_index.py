"""Finding articles, deciding whether to answer, and what an article says at a given time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest

from knowledge.article import Article, PublishedArticle, Sensitivity
from knowledge.confidence import Calibration, Curve, DecisionKind, Hit
from knowledge.facts import FactRow, Facts, FactTable
from knowledge.index import Answer, Index, Unavailable, passages_of
from knowledge.version import Version, version_from_json

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

CALIBRATION = Calibration(
    first=Curve(constant=-6, score=10, gap=10),
    two=Curve(constant=-6, score=10, gap=10),
    answer=0.9,
    clarify=0.6,
    measured={},
)


def article(article_id: str, *questions: str, **more: Any) -> Article:
    values: dict[str, Any] = {
        "id": article_id,
        "title": article_id.title(),
        "questions": questions,
        "public": f"About {article_id}.",
        "private": f"More about {article_id}.",
        "owner": "somebody",
    }
    return Article(**values | more)


DOGS = article("dogs", "can my dog fly", "dog on the plane", public="A dog costs {{ fact.pet_fee('cabin') }}.")
MEALS = article("meals", "is there food on board", "vegetarian meal please")
EVENTS = article("christmas", "do you fly at christmas", valid_to=NOW + timedelta(days=40))
FEES = Facts(
    tables=MappingProxyType(
        {
            "pet_fee": FactTable(
                name="pet_fee",
                rows=(
                    FactRow(key="cabin", value="€50", valid_to=NOW + timedelta(days=1)),
                    FactRow(key="cabin", value="€55", valid_from=NOW + timedelta(days=2)),
                ),
            )
        }
    )
)


def index_of(encoder: Any, articles: Sequence[Article]) -> Index:
    version = Version(
        number=7,
        published_at=NOW,
        published_by="ana",
        encoder_name=encoder.name,
        encoder_revision=encoder.revision,
        articles=tuple(PublishedArticle(article=each, version=3) for each in articles),
        facts=FEES,
        gate=_gate(),
        off_topic=("hello",),
        calibration=CALIBRATION,
    )
    texts = [text for each in articles for text in passages_of(each)]
    return Index(version_from_json(version.to_json()), encoder.encode(texts))


def _gate() -> Any:
    from knowledge.confidence import Gate

    return Gate(answer_precision=0.9, clarify_precision=0.8, lowest_answer=0.7, lowest_clarify=0.5)


@pytest.fixture
def index(word_encoder: Any) -> Index:
    return index_of(word_encoder, [DOGS, MEALS, EVENTS])


@pytest.fixture
def ask(index: Index, word_encoder: Any) -> Any:
    return lambda text, now=NOW: index.search(text, word_encoder.encode([text])[0], now)


def test_the_nearest_article_comes_first_with_its_evidence(ask: Any) -> None:
    first, second, third = ask("my dog can fly?")
    assert (first.article_id, first.version, first.ref, first.title) == ("dogs", 3, "KB-dogs@v3", "Dogs")
    assert first.matched == "can my dog fly"
    assert 0 <= third.score <= second.score <= first.score <= 1
    assert first.margin == pytest.approx(first.score - second.score)
    assert third.margin == pytest.approx(third.score)


def test_a_clear_question_is_answered_and_a_strange_one_is_not(index: Index, ask: Any) -> None:
    clear = index.decide(ask("can my dog fly"))
    assert (clear.kind, [hit.article_id for hit in clear.hits]) == (DecisionKind.ANSWER, ["dogs"])
    assert clear.probability >= 0.9
    strange = index.decide(ask("who won yesterday"))
    assert strange.kind is DecisionKind.NONE
    assert strange.probability < 0.1


def test_two_articles_that_are_equally_near_are_both_offered(word_encoder: Any) -> None:
    cats = article("cats", "can my cat fly", "cat on the plane")
    index = index_of(word_encoder, [DOGS, cats, MEALS])
    text = "can my cat and my dog fly"
    decision = index.decide(index.search(text, word_encoder.encode([text])[0], NOW))
    assert decision.kind is DecisionKind.CLARIFY
    assert {hit.title for hit in decision.hits} == {"Cats", "Dogs"}
    assert decision.hits[0].margin < 0.1


def test_nothing_found_is_nobody_answered() -> None:
    decision = CALIBRATION.decide([])
    assert (decision.kind, decision.hits) == (DecisionKind.NONE, ())


def test_one_article_alone_cannot_be_asked_back(ask: Any) -> None:
    (hit, *_) = ask("plane")
    low = Hit(**{**hit.__dict__, "score": 0.6})
    assert CALIBRATION.decide([low]).kind in (DecisionKind.ANSWER, DecisionKind.NONE)


def test_an_article_is_found_within_its_window_only(ask: Any) -> None:
    question = "do you fly at christmas"
    assert ask(question)[0].article_id == "christmas"
    later = ask(question, NOW + timedelta(days=40))
    assert [hit.article_id for hit in later if hit.article_id == "christmas"] == []


def test_an_article_says_the_fact_that_holds_at_that_time(index: Index) -> None:
    today = index.answer("dogs", private=False, now=NOW)
    later = index.answer("dogs", private=False, now=NOW + timedelta(days=2))
    assert isinstance(today, Answer)
    assert isinstance(later, Answer)
    assert (today.text, today.ref, today.knowledge_version) == ("A dog costs €50.", "KB-dogs@v3", 7)
    assert later.text == "A dog costs €55."


def test_an_expired_fact_is_never_answered(index: Index) -> None:
    answer = index.answer("dogs", private=False, now=NOW + timedelta(days=1))
    assert isinstance(answer, Unavailable)
    assert answer.ref == "KB-dogs@v3"
    assert "pet_fee('cabin') has no value" in answer.because


def test_an_expired_fact_in_the_public_words_leaves_the_private_ones(index: Index) -> None:
    answer = index.answer("dogs", private=True, now=NOW + timedelta(days=1))
    assert isinstance(answer, Answer)
    assert answer.text == "More about dogs."


def test_an_article_out_of_its_window_or_unknown_is_unavailable(index: Index) -> None:
    assert isinstance(index.answer("christmas", private=False, now=NOW + timedelta(days=40)), Unavailable)
    assert isinstance(index.answer("unicorns", private=False, now=NOW), Unavailable)
    assert index.article("unicorns") is None


def test_an_answer_tells_where_it_may_be_said(word_encoder: Any) -> None:
    index = index_of(word_encoder, [article("oxygen", "oxygen on board", sensitivity=Sensitivity.PERSON), MEALS])
    answer = index.answer("oxygen", private=True, now=NOW)
    assert isinstance(answer, Answer)
    assert answer.sensitivity is Sensitivity.PERSON


@pytest.mark.parametrize("text", ["", " ", "🐶", "\x00", "dog " * 10_000, "{{ fact.pet_fee('cabin') }}", "%s'\"\\"])
def test_any_text_can_be_searched(ask: Any, text: str) -> None:
    hits = ask(text)
    assert len(hits) == 3
    assert all(0 <= hit.score <= 1 for hit in hits)


def test_vectors_of_another_set_of_articles_are_refused(index: Index, word_encoder: Any) -> None:
    with pytest.raises(ValueError, match="2 vectors for 11 passages"):
        Index(index.content, word_encoder.encode(["a", "b"]))
