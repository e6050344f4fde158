"""The console's addresses."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from handoff.console.actions import Actions
from handoff.console.pages import Pages
from handoff.console.parts import ConsoleParts

HERE = Path(__file__).parent
CASE = r"/cases/{case:C[0-9]{2,4}-[0-9]{1,12}}"


def create_console(parts: ConsoleParts) -> web.Application:
    """The console, to be added below `/console`."""
    pages = Pages(parts)
    actions = Actions(parts, pages)
    app = web.Application(client_max_size=256 * 1024)
    app.add_routes(
        [
            web.get("/", pages.queue),
            web.get("/queue.json", pages.queue_json),
            web.get(CASE, pages.case),
            web.get(CASE + ".json", pages.case_json),
            web.post("/length", actions.length),
            web.post(CASE + "/take", actions.take),
            web.post(CASE + "/release", actions.release),
            web.post(CASE + "/transfer", actions.transfer),
            web.post(CASE + "/reply", actions.reply),
            web.post(CASE + "/note", actions.note),
            web.post(CASE + "/resolve", actions.resolve),
            web.post(CASE + "/give-back", actions.give_back),
            web.static("/static", HERE / "static"),
        ]
    )
    return app
