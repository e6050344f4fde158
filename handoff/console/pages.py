"""The console's pages: the queue and one case, each also as JSON."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from handoff.console.case_view import CaseView, Row, case_view
from handoff.console.parts import ConsoleParts
from handoff.console.wording import PLACES, VERIFICATION, duration, reason_words, urgency
from handoff.desk import Case
from handoff.ledger import Conversation, Line
from handoff.words import Place, in_ms

SHOWN_LINES = 200
DONE = {
    "resolved": "The case is resolved. The bot answers this customer again.",
    "given_back": "The bot has the conversation again.",
    "released": "The case is back in the queue.",
    "transferred": "Your colleague has the case now.",
}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What an agent has written and not yet sent."""

    text: str = ""
    place: Place | None = None
    reply_to: str | None = None
    last_word: str = ""
    """Of a give-back."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What happened to the last thing the agent asked for, shown at the top."""

    text: str
    tone: str = "bad"
    changes: tuple[Row, ...] = ()
    """What was said meanwhile."""
    problems: tuple[str, ...] = field(default=())


class Pages:
    """Reads and shows; changes nothing but the unread mark."""

    def __init__(self, parts: ConsoleParts) -> None:
        self._parts = parts

    async def queue(self, request: web.Request) -> web.StreamResponse:
        """Who waits, what is mine, what colleagues have."""
        done = DONE.get(request.query.get("done", ""))
        return await self.show_queue(request, notice=Notice(text=done, tone="good") if done else None)

    async def queue_json(self, request: web.Request) -> web.StreamResponse:
        """The queue as values."""
        agent = self._parts.shell.agent(request)
        view = await self._parts.queue.view(agent.name, self._parts.now())
        return web.json_response(text=view.model_dump_json())

    async def case(self, request: web.Request) -> web.StreamResponse:
        """One case; `?use=2` puts the second suggested reply into the composer."""
        view = await self.view(request)
        return await self.show_case(request, view, draft=_suggested(view, request.query.get("use", "")))

    async def case_json(self, request: web.Request) -> web.StreamResponse:
        """One case as values, its packet included."""
        view = await self.view(request)
        return web.json_response(
            text=view.model_dump_json(exclude={"conversation": {"tracker", "memory"}, "case": {"packet"}})
        )

    async def show_queue(
        self, request: web.Request, *, notice: Notice | None = None, status: int = 200
    ) -> web.Response:
        """The queue's page."""
        agent, now = self._parts.shell.agent(request), self._parts.now()
        view = await self._parts.queue.view(agent.name, now)
        names = {colleague.name: colleague.display_name for colleague in await self._parts.shell.colleagues()}
        context = {"view": view, "names": names, "notice": notice, **self._words()}
        return self._parts.shell.render(request, "console/queue.html", context, status=status)

    async def show_case(
        self,
        request: web.Request,
        view: CaseView,
        *,
        draft: Draft | None = None,
        note: str = "",
        notice: Notice | None = None,
        status: int = 200,
    ) -> web.Response:
        """The case's page, with what was written kept."""
        agent = self._parts.shell.agent(request)
        await self._parts.queue.mark_seen(view.conversation.key, agent.name, view.seq)
        colleagues = [other for other in await self._parts.shell.colleagues() if other.name != agent.name]
        context = {
            "view": view,
            "draft": draft or Draft(),
            "note": note,
            "notice": notice,
            "colleagues": colleagues,
            "limit": self._parts.composer.public_limit,
            "command": secrets.token_hex(16),
            "said": request.query.get("said", ""),
            **self._words(),
        }
        return self._parts.shell.render(request, "console/case.html", context, status=status)

    async def view(self, request: web.Request) -> CaseView:
        """The case of this address with its conversation."""
        return await self.view_of(request, await self.case_of(request))

    async def case_of(self, request: web.Request) -> Case:
        """The case of this address; 404 when there is none, 410 when its customer was erased."""
        case = await self._parts.desk.case(request.match_info["case"])
        if case is None:
            raise web.HTTPNotFound
        if case.resolution == "erased":
            raise web.HTTPGone
        return case

    async def view_of(self, request: web.Request, case: Case) -> CaseView:
        """A case with its conversation as they stand now."""
        conversation, lines = await self.read(case)
        return case_view(
            case=case,
            conversation=conversation,
            lines=lines,
            agent=self._parts.shell.agent(request).name,
            colleagues=await self._parts.shell.colleagues(),
            composer=self._parts.composer,
        )

    async def read(self, case: Case) -> tuple[Conversation, list[Line]]:
        """The conversation of a case and its last lines."""
        snapshot = await self._parts.ledger.snapshot(case.conversation)
        if snapshot is None:
            raise web.HTTPNotFound
        return snapshot.conversation, await self._parts.ledger.transcript(case.conversation, limit=SHOWN_LINES)

    def _words(self) -> dict[str, object]:
        return {
            "now_ms": in_ms(self._parts.now()),
            "reason_words": reason_words,
            "urgency": urgency,
            "duration": duration,
            "places": PLACES,
            "verification": VERIFICATION,
        }


def _suggested(view: CaseView, number: str) -> Draft | None:
    suggestions = view.packet.suggestions if view.packet else ()
    if not number.isascii() or not number.isdigit() or not 1 <= int(number[:4]) <= len(suggestions):
        return None
    chosen = suggestions[int(number[:4]) - 1]
    return Draft(text=chosen.text, place=chosen.place)
