"""What the check says about articles and facts that an editor got wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.article import Sensitivity
from knowledge.article_file import article_as_markdown, parse_article
from knowledge.problem import Problem, Severity
from knowledge.source import DEFAULT_FOLDER, read_source
from knowledge.wording import PUBLIC_LIMIT, Wording, urls_in, weighted_length

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

GOOD = """---
id: umbrellas
title: Umbrellas on board
questions:
  - can i take an umbrella
  - umbrella in the cabin?
  - is my umbrella a bag
  - walking stick umbrella allowed
  - long umbrella on the plane
owner: bag rules
---

## Public

An umbrella travels free of charge,
beside your cabin bag.

## Private

An umbrella travels free of charge.

It does not count as a bag.
"""

Check = Callable[..., tuple[Problem, ...]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Write articles (and facts by name) into a folder and give what is wrong with it."""

    def write_and_check(*articles: str, **facts: str) -> tuple[Problem, ...]:
        for number, text in enumerate(articles):
            path = tmp_path / "articles" / f"article-{number}.md"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        for name, text in facts.items():
            path = tmp_path / "facts" / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text("key,value,valid_from,valid_to\n" + text)
        return read_source(tmp_path, NOW).problems

    return write_and_check


def test_a_good_article_has_no_problem_and_keeps_its_words(check: Check) -> None:
    assert check(GOOD) == ()
    article, _ = parse_article("umbrellas.md", GOOD)
    assert article is not None
    assert article.public == "An umbrella travels free of charge, beside your cabin bag."
    assert article.private == "An umbrella travels free of charge.\n\nIt does not count as a bag."


def test_an_article_written_as_a_file_reads_as_the_same_article() -> None:
    text = GOOD.replace(
        "owner: bag rules",
        "owner: bag rules\nsensitivity: private\nlink: https://kestrelair.example/umbrella\n"
        "valid_from: 2026-01-01T00:00:00+01:00",
    )
    article, problems = parse_article("umbrellas.md", text)
    assert article is not None
    assert not problems
    assert article.sensitivity is Sensitivity.PRIVATE
    assert parse_article("again.md", article_as_markdown(article)) == (article, [])


@pytest.mark.parametrize(
    ("change", "line", "field", "says"),
    [
        (("title: Umbrellas on board\n", ""), None, "title", "is missing. Add a line 'title: …'"),
        (("title: Umbrellas on board", "title:"), 3, "title", "is missing"),
        (("title: Umbrellas on board", "title: [a, b]"), 3, "title", "is not text. Put it into quotation marks"),
        (("title: Umbrellas on board", "title: a: b"), 3, None, "not YAML"),
        (("id: umbrellas", "id: Um brella"), 2, "id", "small letters, digits and hyphens"),
        (("owner: bag rules", "owner: bag rules\nowner: me"), 11, "owner", "is written twice"),
        (("owner: bag rules", "owner: bag rules\ncolour: red"), 11, "colour", "is an unknown field"),
        (("owner: bag rules", "owner: me\nvalid_to: 2026-12-01"), 11, "valid_to", "no time zone"),
        (("owner: bag rules", "owner: me\nvalid_to: 2026-12-01T10:00:00"), 11, "valid_to", "has no time zone"),
        (("owner: bag rules", "owner: me\nvalid_to: someday"), 11, "valid_to", "'someday' is no time"),
        (("owner: bag rules", "owner: me\nvalid_to: 2026-13-01"), None, None, "not YAML"),
        (("owner: bag rules", "owner: me\nsensitivity: top"), 11, "sensitivity", "open, private, person"),
        (("owner: bag rules", "owner: me\nlink: kestrel"), 11, "link", "begins with https://"),
        (("owner: bag rules", "owner: me\nlanguage: no"), 11, "language", "for 'no' use quotes"),
        (("  - umbrella in the cabin?\n", ""), 4, "questions", "has 4 example questions. List at least 5"),
        (("umbrella in the cabin?", "Can I take an umbrella"), 4, "questions", "number 2 is there twice"),
        (("umbrella in the cabin?", "12"), 4, "questions", "number 2 is not text"),
        (("## Private", "## Internal"), 18, None, "Use '## Public' and '## Private'"),
        (("## Public\n", ""), 14, None, "has text before '## Public'"),
        (("---\n\n## Public", "\n\n## Public"), 1, None, "the front matter has no end"),
        (("---\nid", "id"), 1, None, "does not begin with front matter"),
    ],
)  # fmt: skip
def test_a_bad_article_is_named_with_line_field_and_remedy(
    check: Check, change: tuple[str, str], line: int | None, field: str | None, says: str
) -> None:
    assert change[0] in GOOD
    problems = check(GOOD.replace(*change, 1))
    matching = [problem for problem in problems if says in str(problem)]
    assert matching, problems
    assert (matching[0].line, matching[0].field) == (line, field)
    assert "article-0.md" in str(matching[0])


def test_a_public_wording_that_fills_a_whole_post_is_refused(check: Check) -> None:
    long = GOOD.replace("beside your cabin bag.", "and so " * 30 + "it does.")
    (problem,) = check(long)
    assert problem.field == "public"
    assert f"Shorten it to {PUBLIC_LIMIT}" in problem.remedy


def test_length_is_counted_as_the_platform_does(check: Check) -> None:
    signs = "傘" * ((PUBLIC_LIMIT - 36) // 2)  # each weighs two; the words before weigh 36
    assert check(GOOD.replace("beside your cabin bag.", signs)) == ()
    assert check(GOOD.replace("beside your cabin bag.", signs + "傘"))


@pytest.mark.parametrize("address", ["https://kestrelair.example/x", "www.kestrel.example", "kestrelair.com/bags"])
def test_a_web_address_in_a_public_wording_is_refused(check: Check, address: str) -> None:
    (problem,) = check(GOOD.replace("beside your cabin bag.", f"see {address} now"))
    assert "web address" in problem.message


def test_two_articles_with_one_id_are_refused_and_the_first_is_kept(check: Check, tmp_path: Path) -> None:
    other = GOOD.replace("umbrella", "parasol").replace("id: parasols", "id: umbrellas")
    (problem,) = check(GOOD, other)
    assert "article-1.md" in problem.file
    assert "article-0.md" in problem.message
    assert [article.title for article in read_source(tmp_path, NOW).articles] == ["Umbrellas on board"]


def test_one_bad_article_does_not_hide_the_problems_of_another(check: Check) -> None:
    no_title = GOOD.replace("title: Umbrellas on board\n", "")
    no_owner = GOOD.replace("umbrella", "parasol").replace("owner: bag rules\n", "")
    assert {(p.file[-12:], p.field) for p in check(no_title, no_owner)} == {
        ("article-0.md", "title"),
        ("article-1.md", "owner"),
    }


def test_a_question_may_lead_to_one_article_only(check: Check) -> None:
    other = GOOD.replace("id: umbrellas", "id: parasols")
    assert all("is also an example question of" in problem.message for problem in check(GOOD, other))
    assert len(check(GOOD, other)) == 5


def test_a_fact_that_no_table_has_is_refused(check: Check) -> None:
    text = GOOD.replace("free of charge,", 'for {{ fact.rain_fee("big") }},', 1)
    (problem,) = check(text, rain_fee="small,€1,,")
    assert 'fact.rain_fee("big")' in problem.message
    assert "facts/rain_fee.csv" in problem.remedy


def test_a_fact_that_has_ended_is_a_warning_and_keeps_nothing_from_being_published(check: Check) -> None:
    text = GOOD.replace("free of charge,", "for {{ fact.rain_fee() }},", 1)
    (problem,) = check(text, rain_fee=",€1,2025-01-01T00:00:00+00:00,2026-01-01T00:00:00+00:00")
    assert problem.severity is Severity.WARNING


def test_a_fact_that_will_be_too_long_for_a_post_is_refused_today(check: Check) -> None:
    text = GOOD.replace("beside your cabin bag.", "{{ fact.rain_fee() }} " * 3)
    later = ",€1,,2027-01-01T00:00:00+00:00\n," + "€" * 80 + ",2027-01-01T00:00:00+00:00,"
    (problem,) = check(text, rain_fee=later)
    assert "weighted characters" in problem.message


@pytest.mark.parametrize(
    "code",
    [
        "{% for x in range(9) %}{% endfor %}",
        "{{ 7 * 7 }}",
        "{{ fact.__class__ }}",
        "{{ fact.rain_fee(small) }}",
        "{{ fact.rain_fee('a', 'b') }}",
        "{{ config }}",
        "{{ fact.rain_fee('small') | upper }}",
        "{{ unclosed",
    ],
)
def test_a_wording_is_text_and_facts_and_no_program(check: Check, code: str) -> None:
    problems = check(GOOD.replace("beside your cabin bag.", code), rain_fee="small,€1,,")
    assert [problem.field for problem in problems] == ["public"]
    assert problems[0].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("small,,,", "is empty or too long"),
        ("small,€1,2026-01-01,", "has no time zone"),
        ("small,€1,soon,", "'soon' is no time"),
        ("small,€1,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z", "is not after valid_from"),
        ("small,€1,,\nsmall,€2,2026-01-01T00:00:00Z,", "has two values at one time"),
        ("small,€1", "has not four columns"),
        ("small,€1,,,,", "has not four columns"),
        ('small,"€1', "is not CSV"),
        ("", "has no rows"),
    ],
)
def test_a_bad_row_of_facts_is_named(check: Check, rows: str, says: str) -> None:
    (problem,) = check(GOOD, rain_fee=rows)
    assert says in problem.message
    assert "rain_fee.csv" in problem.file


def test_files_that_are_no_text_are_named(check: Check, tmp_path: Path) -> None:
    check(GOOD)
    (tmp_path / "articles" / "photo.md").write_bytes(b"---\n\xff\xfe\n---")
    (tmp_path / "articles" / "long.md").write_bytes(b"-" * 100_000)
    problems = read_source(tmp_path, NOW).problems
    assert [(problem.file[-8:], problem.message) for problem in problems] == [
        ("/long.md", "has 100000 bytes."),
        ("photo.md", "is not UTF-8."),
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.integers(0, len(GOOD)))
def test_no_text_breaks_the_check(noise: str, at: int) -> None:
    article, problems = parse_article("any.md", GOOD[:at] + noise + GOOD[at:])
    assert (article is None) == any(problem.severity is Severity.ERROR for problem in problems)
    assert all(str(problem) for problem in problems)


@pytest.mark.parametrize(
    "front", ["[" * 5000, "&a [*a]", "? [a]\n: b", "- a", "12", "", "\x07", "a: !!python/name:os.system"]
)
def test_no_front_matter_breaks_the_check(front: str) -> None:
    article, problems = parse_article("any.md", f"---\n{front}\n---\n\n## Public\n\nYes.\n\n## Private\n\nYes.\n")
    assert article is None
    assert problems


def test_an_empty_folder_is_a_problem(tmp_path: Path) -> None:
    (problem,) = read_source(tmp_path, NOW).errors
    assert problem.message == "has no articles."


def test_a_gate_without_probabilities_is_refused(check: Check, tmp_path: Path) -> None:
    (tmp_path / "gate.yml").write_text("answer_precision: 97\nclarify_precision: 0.8\nlowest_answer: 0.7\n")
    assert "has other keys" in check(GOOD)[0].message
    (tmp_path / "gate.yml").write_text(
        "answer_precision: 97\nclarify_precision: 0.8\nlowest_answer: 0.7\nlowest_clarify: yes\n"
    )
    assert [problem.field for problem in check(GOOD)] == ["answer_precision", "lowest_clarify"]


def test_frontdesks_own_articles_pass_their_check() -> None:
    source = read_source(DEFAULT_FOLDER, datetime.now(UTC))
    assert source.problems == ()
    assert len(source.articles) >= 26
    for article in source.articles:
        public = Wording(article.public).at(source.facts, datetime.now(UTC))
        assert weighted_length(public) <= 230, article.id
        assert not urls_in(public), article.id
        assert len(article.questions) >= 8, article.id
