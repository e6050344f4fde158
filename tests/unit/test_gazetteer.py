"""The cities in a text and their roles."""

import pytest

from nlu.entities import PROJECT
from nlu.gazetteer import Gazetteer, read_gazetteer


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return read_gazetteer(PROJECT / "actions/data/cities.yml", ambiguous=["nice", "cork", "bristle"])


def found(gazetteer: Gazetteer, text: str) -> list[tuple[str | None, str | None]]:
    return [(place.role, place.city) for place in gazetteer.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        "from London to Paris",
        "london to paris please",
        "LON-PAR",
        "London - Paris",
        "LHR → CDG",
        "london paris",
        "to Paris from London",
        "Paris from London",
        "I'm in London and want to go to Parris",
    ],
)
def test_from_and_to(gazetteer: Gazetteer, text: str) -> None:
    assert set(found(gazetteer, text)) == {("origin", "London"), ("destination", "Paris")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no, from Rome", [("origin", "Rome")]),
        ("to Nice not Naples", [("destination", "Nice")]),
        ("not Paris, Prague", [(None, "Prague")]),
        ("malaga", [(None, "Málaga")]),
        ("MAN", [(None, "Manchester")]),
        ("the man was mad", []),
        ("have a nice day", []),
        ("Nice flight, thanks", []),
        ("flights to nice", [("destination", "Nice")]),
        ("speak to someone", []),
        ("from tomorrow to sunday", []),
        ("add a bag to my booking", []),
    ],
)
def test_only_what_is_meant(gazetteer: Gazetteer, text: str, expected: list[tuple[str | None, str | None]]) -> None:
    assert found(gazetteer, text) == expected


@pytest.mark.parametrize(
    ("text", "role", "written"),
    [
        ("flights to Narnia please", "destination", "Narnia"),
        ("cheapest flight to new york in june", "destination", "new york"),
        ("from grimsby", "origin", "grimsby"),
    ],
)
def test_a_place_we_do_not_know_is_noticed(gazetteer: Gazetteer, text: str, role: str, written: str) -> None:
    (place,) = gazetteer.find(text)
    assert (place.city, place.role, place.written) == (None, role, written)
