"""What agents do with a case; every refusal comes back with its reason, and no words are lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from handoff.console.answering import agent_entry, cleaned, entry_id, problems_of, signed
from handoff.console.case_view import CaseView, changes_since, row_of
from handoff.console.forms import (
    CaseForm,
    GiveBackForm,
    LengthForm,
    NoteForm,
    ReplyForm,
    SeenForm,
    TakeForm,
    TransferForm,
    read_form,
)
from handoff.console.pages import Draft, Notice, Pages
from handoff.console.parts import ConsoleParts
from handoff.console.refusals import refusal_words
from handoff.desk import Case
from handoff.ledger import Line
from handoff.scripts import Ruling
from handoff.words import LONGEST_TEXT_CHARS, Entry, Place

BACK_TO_THE_BOT = "Our automated assistant looks after this conversation again. Ask for a person at any time."
LONGEST_NOTE_CHARS = 4000
S = TypeVar("S", bound=SeenForm)


class Actions:
    """One method per button."""

    def __init__(self, parts: ConsoleParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Takes a waiting case; who comes second reads who was first."""
        form = await read_form(request, TakeForm)
        case, agent = await self._case(request), self._parts.shell.agent(request)
        ruling = await self._parts.desk.take(case.id, agent.name, form.epoch, self._parts.now())
        if ruling.result == "taken" or (ruling.result == "owned" and ruling.by == f"agent:{agent.name}"):
            return self._done(request, ruling, f"/console/cases/{case.id}")
        return await self._refused(request, ruling)

    async def release(self, request: web.Request) -> web.StreamResponse:
        """Puts the case back into the queue."""
        form = await read_form(request, CaseForm)
        case, agent = await self._case(request), self._parts.shell.agent(request)
        command = entry_id("release", case.id, agent.name, form.command, str(form.epoch))
        ruling = await self._parts.desk.release(case.id, agent.name, form.epoch, self._parts.now(), command_id=command)
        return await self._ended(request, ruling, "released")

    async def transfer(self, request: web.Request) -> web.StreamResponse:
        """Hands the case to a colleague."""
        form = await read_form(request, TransferForm)
        case, agent = await self._case(request), self._parts.shell.agent(request)
        known = {colleague.name for colleague in await self._parts.shell.colleagues()} - {agent.name}
        if form.to not in known:
            return await self._unfit(request, ["Choose the colleague who gets the case."])
        command = entry_id("transfer", case.id, agent.name, form.command, str(form.epoch), form.to)
        ruling = await self._parts.desk.transfer(
            case.id, agent.name, form.to, form.epoch, self._parts.now(), command_id=command
        )
        return await self._ended(request, ruling, "transferred")

    async def note(self, request: web.Request) -> web.StreamResponse:
        """Writes a note that only colleagues read."""
        form = await read_form(request, NoteForm)
        case, agent, text = await self._case(request), self._parts.shell.agent(request), cleaned(form.text)
        if not text or len(text) > LONGEST_NOTE_CHARS:
            return await self._unfit(request, [f"A note has 1 to {LONGEST_NOTE_CHARS:,} characters."], note=text)
        command = entry_id("note", case.id, agent.name, form.command, text)
        ruling = await self._parts.desk.note(case.id, agent.name, text, self._parts.now(), command_id=command)
        if ruling.result == "noted":
            return self._done(request, ruling, f"/console/cases/{case.id}?noted=1")
        return await self._refused(request, ruling, note=text)

    async def reply(self, request: web.Request) -> web.StreamResponse:
        """Says something to the customer, unless something was said that the agent has not seen."""
        form = await read_form(request, ReplyForm)
        case, agent = await self._case(request), self._parts.shell.agent(request)
        view = await self._pages.view_of(request, case)
        text = signed(cleaned(form.text), agent.initials)
        draft = Draft(text=cleaned(form.text), place=form.place, reply_to=form.reply_to or None)
        entry_name = entry_id("reply", case.id, agent.name, form.command, form.place, form.reply_to, text)
        problems = problems_of(text, form.place, draft.reply_to, view.ways, self._parts.composer)
        if problems:
            return await self._unfit(request, problems, draft=draft)
        entry = agent_entry(
            entry_id=entry_name, conversation=view.conversation, agent=agent.name, place=form.place,
            reply_to=draft.reply_to, text=text, now=self._parts.now(),
        )  # fmt: skip

        async def say(seen_seq: int) -> Ruling:
            return await self._parts.desk.reply(
                case.id, agent.name, entry, form.epoch, seen_seq, self._parts.now(),
                command_id=f"{entry.id}:{form.epoch}:{seen_seq}",
            )  # fmt: skip

        ruling, changes = await self._once_seen(say, case, form, agent.name)
        if ruling.result == "queued":
            return self._done(request, ruling, f"/console/cases/{case.id}?said={entry.id}")
        return await self._refused(request, ruling, changes=changes, draft=draft)

    async def resolve(self, request: web.Request) -> web.StreamResponse:
        """Closes the case."""
        form = await read_form(request, SeenForm)
        case, agent = await self._case(request), self._parts.shell.agent(request)

        async def end(seen_seq: int) -> Ruling:
            command = entry_id("resolve", case.id, agent.name, form.command, str(form.epoch), str(seen_seq))
            return await self._parts.desk.resolve(
                case.id, agent.name, form.epoch, seen_seq, self._parts.now(), command_id=command
            )

        ruling, changes = await self._once_seen(end, case, form, agent.name)
        return await self._ended(request, ruling, "resolved", changes=changes)

    async def give_back(self, request: web.Request) -> web.StreamResponse:
        """Gives the conversation back to the bot and tells the customer so."""
        form = await read_form(request, GiveBackForm)
        case, agent = await self._case(request), self._parts.shell.agent(request)
        view = await self._pages.view_of(request, case)
        text = signed(cleaned(form.text), agent.initials)
        notice = self._notice(view, agent.name, text, form)
        if notice and text:
            problems = problems_of(text, notice.place, notice.reply_to, view.ways, self._parts.composer)
            if problems:
                return await self._unfit(request, problems, draft=Draft(last_word=cleaned(form.text)))

        async def end(seen_seq: int) -> Ruling:
            words = (str(form.epoch), str(seen_seq), text)
            command = entry_id("give_back", case.id, agent.name, form.command, *words)
            return await self._parts.desk.give_back(
                case.id, agent.name, notice, form.epoch, seen_seq, self._parts.now(), command_id=command
            )

        ruling, changes = await self._once_seen(end, case, form, agent.name)
        draft = Draft(last_word=cleaned(form.text))
        return await self._ended(request, ruling, "given_back", changes=changes, draft=draft)

    async def length(self, request: web.Request) -> web.StreamResponse:
        """How long a text is once signed, as the platform counts, and what stands against it."""
        form = await read_form(request, LengthForm)
        text = signed(cleaned(form.text), self._parts.shell.agent(request).initials)
        composer, public = self._parts.composer, form.place is Place.PUBLIC
        length = composer.weighted_length(text) if public else len(text)
        limit = composer.public_limit if public else LONGEST_TEXT_CHARS
        problems = composer.problems(text, form.place) if text else []
        return web.json_response({"length": length, "limit": limit, "remaining": limit - length, "problems": problems})

    def _notice(self, view: CaseView, agent: str, text: str, form: GiveBackForm) -> Entry | None:
        """What the customer is told at a give-back; None when no way of telling is certain to be open."""
        ways = view.ways
        if not text and not ways.targets and ways.private_note:
            return None
        reply_to = ways.targets[0].platform_id if ways.place is Place.PUBLIC else None
        name = entry_id("notice", view.case.id, agent, form.command, text)
        entry = agent_entry(
            entry_id=name, conversation=view.conversation, agent=agent, place=ways.place, reply_to=reply_to,
            text=text or BACK_TO_THE_BOT, now=self._parts.now(),
        )  # fmt: skip
        return entry if text else entry.model_copy(update={"author": "desk", "although_opted_out": False})

    async def _once_seen(
        self, attempt: Callable[[int], Awaitable[Ruling]], case: Case, form: SeenForm, agent: str
    ) -> tuple[Ruling, list[Line]]:
        """Tries with the last line the page showed; lines that are no news to the agent do not count against them."""
        seen_seq = form.seen_seq
        while True:
            ruling = await attempt(seen_seq)
            if ruling.result != "changed":
                return ruling, []
            _, lines = await self._pages.read(case)
            changes = changes_since(lines, form.seen_seq, agent)
            if changes or lines[-1].seq <= seen_seq:
                return ruling, changes
            seen_seq = lines[-1].seq

    async def _case(self, request: web.Request) -> Case:
        return await self._pages.case_of(request)

    async def _ended(
        self,
        request: web.Request,
        ruling: Ruling,
        result: str,
        *,
        changes: list[Line] | None = None,
        draft: Draft | None = None,
    ) -> web.StreamResponse:
        """Back to the queue when the agent's work on the case is over."""
        if ruling.result == result:
            return self._done(request, ruling, f"/console/?done={result}&case={request.match_info['case']}")
        return await self._refused(request, ruling, changes=changes, draft=draft)

    def _done(self, request: web.Request, ruling: Ruling, page: str) -> web.StreamResponse:
        if _as_json(request):
            return web.json_response(ruling.model_dump(exclude_none=True))
        raise web.HTTPSeeOther(page)

    async def _refused(
        self,
        request: web.Request,
        ruling: Ruling,
        *,
        changes: list[Line] | None = None,
        draft: Draft | None = None,
        note: str = "",
    ) -> web.StreamResponse:
        """The case as it stands now, above it why nothing was done; status 409."""
        view = await self._pages.view(request)
        handle = view.conversation.customer.handle
        rows = tuple(row_of(line, view.names, handle) for line in changes or [])
        agent = self._parts.shell.agent(request).name
        text = refusal_words(ruling, agent, view.names, self._parts.now())
        if _as_json(request):
            told = {**ruling.model_dump(exclude_none=True), "text": text, "seq": view.seq}
            told["changes"] = [row.model_dump(mode="json") for row in rows]
            return web.json_response(told, status=409)
        notice = Notice(text=text, changes=rows)
        return await self._pages.show_case(request, view, draft=draft, note=note, notice=notice, status=409)

    async def _unfit(
        self, request: web.Request, problems: list[str], *, draft: Draft | None = None, note: str = ""
    ) -> web.StreamResponse:
        """The same page, with what must be changed before it can be sent; status 422."""
        if _as_json(request):
            return web.json_response({"result": "unfit", "problems": problems}, status=422)
        view = await self._pages.view(request)
        notice = Notice(text="Not sent yet.", problems=tuple(problems))
        return await self._pages.show_case(request, view, draft=draft, note=note, notice=notice, status=422)


def _as_json(request: web.Request) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
