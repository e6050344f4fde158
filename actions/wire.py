"""What a company's system writes in JSON: strict about types, silent about values."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationError,
)

from actions.cities import CURRENCIES
from actions.http_source import SourceAway

MOST_AHEAD = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""
OLDEST = timedelta(days=7)
"""What a system confirmed before that is nothing to answer with, whatever age is shown."""

_MONEY = re.compile(r"(0|[1-9][0-9]{0,6})(\.[0-9]{2})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Wire(BaseModel):
    """An object of the contract; fields that it does not name are passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)


def _money(value: Any) -> Decimal:
    """JSON's numbers are binary fractions in most programs, so an amount is text: "1299.00", never "1,299.00"."""
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise ValueError("an amount is text such as 1299.00")
    return Decimal(value)


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a time is text with its zone, such as 2026-11-22T10:42:00Z")
    return datetime.fromisoformat(value)


def _day(value: Any) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a day is text such as 2026-11-22")
    return date.fromisoformat(value)


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError(f"a currency is one of {', '.join(CURRENCIES)}")
    return value


Money = Annotated[Decimal, BeforeValidator(_money)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, AfterValidator(_currency)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""One line of text."""
Shape = TypeVar("Shape", bound=Wire)


def parsed(shape: type[Shape], body: bytes) -> Shape:
    """An answer in its shape; raises SourceAway with the fields that are wrong."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        shown = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'JSON'}: {one['type']}" for one in problems[:3])
        raise SourceAway(f"its answer breaks the contract ({shown})") from None


def check_age(as_of: datetime, now: datetime) -> None:
    """Refuses a time that has not come yet or is long over; raises SourceAway."""
    if as_of > now + MOST_AHEAD:
        raise SourceAway("its answer is of a time to come: compare the clocks")
    if as_of < now - OLDEST:
        raise SourceAway(f"its answer is older than {OLDEST.days} days")
