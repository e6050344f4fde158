"""The report's addresses."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from handoff.report.pages import Pages
from handoff.report.parts import ReportParts

HERE = Path(__file__).parent


def create_report(parts: ReportParts) -> web.Application:
    """The report, to be added below `/report`."""
    pages = Pages(parts)
    app = web.Application()
    app.add_routes(
        [
            web.get("", pages.page),
            web.get("/", pages.page),
            web.get("/report.json", pages.json),
            web.static("/static", HERE / "static"),
        ]
    )
    return app
