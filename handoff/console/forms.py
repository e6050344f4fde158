"""What the console's forms send, read strictly: a form of ours never fails here."""

from __future__ import annotations

from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import Field, StringConstraints, ValidationError

from handoff.words import Place, Value

Command = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A form's own id: sent twice, it is carried out once."""
Number = Annotated[int, Field(ge=0, le=2**53)]
F = TypeVar("F", bound=Value)


class TakeForm(Value):
    """The epoch that the page showed."""

    epoch: Number


class CaseForm(TakeForm):
    """A form that is carried out once."""

    command: Command


class SeenForm(CaseForm):
    """A form that must not be carried out unseen words: the last line its page showed."""

    seen_seq: Number


class ReplyForm(SeenForm):
    """A reply to the customer."""

    place: Place
    reply_to: str = ""
    text: str


class GiveBackForm(SeenForm):
    """Back to the bot, with a word to the customer if there is one."""

    text: str = ""


class TransferForm(CaseForm):
    """To a colleague."""

    to: str


class NoteForm(Value):
    """Among colleagues."""

    command: Command
    text: str


class LengthForm(Value):
    """A text as it would be sent."""

    text: str
    place: Place


async def read_form(request: web.Request, form: type[F]) -> F:
    """The form as sent; 400 when a field is missing or odd."""
    posted = await request.post()
    told = {name: value for name, value in posted.items() if name in form.model_fields}
    try:
        return form.model_validate(told)
    except ValidationError as error:
        raise web.HTTPBadRequest from error
