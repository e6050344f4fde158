"""docs/sources.openapi.yml is OpenAPI 3.1, and says what the HTTP adapters really take and refuse."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, RefResolver
from openapi_pydantic import OpenAPI
from pydantic import BaseModel
from ruamel.yaml import YAML

from actions.cities import CURRENCIES, load_cities
from actions.demo_orders import demo_orders
from actions.fare_table import load_fares
from actions.fares import Cabin, FareQuery, Trip
from actions.http_fares import FareList
from actions.http_orders import OrderFound
from actions.http_source import MAX_BODY_BYTES, Patience, SourceAway
from actions.orders import OrderStatus
from actions.wire import Wire, parsed
from tests.support.company_system import fare_on_the_wire, order_on_the_wire

FILE = Path(__file__).parents[2] / "docs" / "sources.openapi.yml"
CONTRACT: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE)
SHAPES: dict[str, type[Wire]] = {"FareList": FareList, "OrderFound": OrderFound}
PATHS = {"FareList": ("/fares", "get"), "OrderFound": ("/orders/lookup", "post")}


def examples(name: str) -> dict[str, Any]:
    """The answers that the contract shows."""
    path, method = PATHS[name]
    content = CONTRACT["paths"][path][method]["responses"]["200"]["content"]["application/json"]
    return {key: one["value"] for key, one in content["examples"].items()}


def schema_accepts(name: str, value: Any) -> bool:
    """Whether a value is one that the contract allows."""
    resolver = RefResolver.from_schema(CONTRACT)
    checker = FormatChecker(formats=["date"])
    schema = {"$ref": f"#/components/schemas/{name}"}
    return bool(Draft202012Validator(schema, resolver=resolver, format_checker=checker).is_valid(value))


def adapter_accepts(name: str, value: Any) -> bool:
    """Whether the adapter reads it."""
    try:
        parsed(SHAPES[name], json.dumps(value).encode())
    except SourceAway:
        return False
    return True


def unknown_keys(model: BaseModel, where: str = "") -> Iterator[str]:
    """Keys that OpenAPI does not know; the models let them pass, a misspelt one would say nothing."""
    yield from (f"{where}.{key}" for key in model.model_extra or {} if not key.startswith("x-"))
    for name, value in model:
        for key, one in value.items() if isinstance(value, dict) else enumerate([value]):
            for part in one if isinstance(one, list) else [one]:
                if isinstance(part, BaseModel):
                    yield from unknown_keys(part, f"{where}.{name}.{key}")


def test_the_contract_is_openapi_3_1() -> None:
    read = OpenAPI.model_validate(CONTRACT)
    assert read.openapi.startswith("3.1.")
    assert list(unknown_keys(read)) == []
    assert set(read.paths or {}) == {"/fares", "/orders/lookup"}


def test_a_misspelt_key_of_the_contract_is_seen() -> None:
    wrong = copy.deepcopy(CONTRACT)
    wrong["paths"]["/fares"]["get"]["parameters"][0]["requird"] = True
    wrong["paths"]["/orders/lookup"]["post"]["responses"]["200"]["descripton"] = "The order."
    assert [place.rsplit(".", 1)[1] for place in unknown_keys(OpenAPI.model_validate(wrong))] == [
        "requird",
        "descripton",
    ]


@pytest.mark.parametrize("name", sorted(CONTRACT["components"]["schemas"]))
def test_every_schema_of_the_contract_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(CONTRACT["components"]["schemas"][name])


@pytest.mark.parametrize("name", SHAPES)
def test_every_example_of_the_contract_is_an_answer(name: str) -> None:
    for key, value in examples(name).items():
        assert schema_accepts(name, value), key
        assert adapter_accepts(name, value), key


def test_the_question_about_an_order_is_a_body_and_never_an_address() -> None:
    asked = CONTRACT["paths"]["/orders/lookup"]["post"]
    assert "parameters" not in asked
    value = asked["requestBody"]["content"]["application/json"]["examples"]["one"]["value"]
    assert schema_accepts("OrderQuestion", value)


def test_the_words_of_the_contract_are_those_of_the_code() -> None:
    schemas = CONTRACT["components"]["schemas"]
    assert schemas["Trip"]["enum"] == [str(one) for one in Trip]
    assert schemas["Cabin"]["enum"] == [str(one) for one in Cabin]
    assert sorted(schemas["Order"]["properties"]["status"]["enum"]) == sorted(str(one) for one in OrderStatus)
    assert schemas["Currency"]["enum"] == list(CURRENCIES)


def test_the_limits_of_the_contract_are_those_of_the_code() -> None:
    patience, told = Patience(), CONTRACT["info"]["description"]
    assert f"has {patience.limit_s:g} seconds, one try {patience.try_limit_s:g}" in told
    assert f"not asked for {patience.rest_s:g} seconds" in told
    assert (patience.tries, patience.failures_before_rest) == (3, 4)
    assert f"at most {MAX_BODY_BYTES:,} bytes" in told


def test_a_question_leaves_room_in_the_two_seconds_of_a_turn() -> None:
    assert Patience().limit_s <= 1.5


async def test_our_own_fares_and_orders_can_be_written_by_the_contract() -> None:
    cities = load_cities()
    table = load_fares(cities=cities)
    answers = [
        await table.lowest(FareQuery(origin="LON", destination=city.code), date(2026, 11, 22)) for city in cities
    ]
    fares = [fare_on_the_wire(answer.fare) for answer in answers if answer.fare]
    assert fares
    assert schema_accepts("FareList", {"as_of": "2026-11-22T10:42:00Z", "fares": fares})
    for placed in list(demo_orders())[::50]:
        value = {"as_of": "2026-11-22T10:42:00Z", "order": order_on_the_wire(placed.order)}
        assert schema_accepts("OrderFound", value)
        assert adapter_accepts("OrderFound", value)


BAD = [
    ("FareList", ("as_of",), "2026-11-22T10:42:00"),  # a time without zone
    ("FareList", ("as_of",), "2026-11-22"),
    ("FareList", ("as_of",), 1_795_344_120),
    ("FareList", ("as_of",), None),
    ("FareList", ("fares",), None),
    ("FareList", ("fares",), {}),
    ("FareList", ("fares", 0), "£93.99"),
    ("FareList", ("fares", 0, "price"), 93.99),
    ("FareList", ("fares", 0, "price"), "1,293.99"),
    ("FareList", ("fares", 0, "price"), "93,99"),
    ("FareList", ("fares", 0, "price"), "£93.99"),
    ("FareList", ("fares", 0, "price"), "-93.99"),
    ("FareList", ("fares", 0, "price"), "93.9"),
    ("FareList", ("fares", 0, "price"), "NaN"),
    ("FareList", ("fares", 0, "price"), "9e3"),
    ("FareList", ("fares", 0, "currency"), "USD"),
    ("FareList", ("fares", 0, "currency"), "gbp"),
    ("FareList", ("fares", 0, "trip"), "round"),
    ("FareList", ("fares", 0, "cabin"), None),
    ("FareList", ("fares", 0, "travel_from"), "23/11/2026"),
    ("FareList", ("fares", 0, "travel_from"), "2026-11-23T00:00:00Z"),
    ("FareList", ("fares", 0, "travel_from"), "2026-02-30"),
    ("FareList", ("fares", 0, "sold_out"), "false"),
    ("FareList", ("fares", 0, "sold_out"), 0),
    ("OrderFound", ("order",), []),
    ("OrderFound", ("order",), "KA-482913"),
    ("OrderFound", ("order", "status"), "lost"),
    ("OrderFound", ("order", "placed_on"), 20261112),
    ("OrderFound", ("order", "items"), []),
    ("OrderFound", ("order", "items", 0, "quantity"), "2"),
    ("OrderFound", ("order", "items", 0, "quantity"), 0),
    ("OrderFound", ("order", "items", 0, "quantity"), 1.5),
    ("OrderFound", ("order", "items", 0, "title"), ""),
    ("OrderFound", ("order", "items", 0, "title"), "Pillow\x1b[2J"),
    ("OrderFound", ("order", "total"), "1,048.00"),
    ("OrderFound", ("order", "total"), 48),
    ("OrderFound", ("order", "currency"), "£"),
    ("OrderFound", ("order", "carrier"), 7),
    ("OrderFound", ("order", "expected_on"), "soon"),
]


@pytest.mark.parametrize(("name", "place", "value"), BAD)
def test_what_the_contract_forbids_the_adapter_refuses(name: str, place: tuple[Any, ...], value: Any) -> None:
    answer = copy.deepcopy(next(iter(examples(name).values())))
    part = answer
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    assert not schema_accepts(name, answer)
    assert not adapter_accepts(name, answer)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *(("FareList", (field,)) for field in CONTRACT["components"]["schemas"]["FareList"]["required"]),
        *(("FareList", ("fares", 0, field)) for field in CONTRACT["components"]["schemas"]["Fare"]["required"]),
        *(("OrderFound", (field,)) for field in CONTRACT["components"]["schemas"]["OrderFound"]["required"]),
        *(("OrderFound", ("order", field)) for field in CONTRACT["components"]["schemas"]["Order"]["required"]),
    ],
)
def test_what_the_contract_requires_must_be_there(name: str, place: tuple[Any, ...]) -> None:
    answer = copy.deepcopy(next(iter(examples(name).values())))
    part = answer
    for step in place[:-1]:
        part = part[step]
    del part[place[-1]]
    assert not schema_accepts(name, answer)
    assert not adapter_accepts(name, answer)


def test_fields_that_are_not_described_are_passed_over() -> None:
    answer = {**examples("FareList")["two"], "page": 1}
    assert schema_accepts("FareList", answer)
    assert adapter_accepts("FareList", answer)
