"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from aiohttp import web

from bot.web.roles import home_of
from bot.web.sessions import LONGEST, Attempts
from bot.web.shell import Shell

log = structlog.get_logger()


class SignIn:
    """The sign-in page; wrong passwords are limited, and one sentence answers every failure."""

    def __init__(self, shell: Shell, attempts: Attempts, *, secure: bool, demo_hint: str | None) -> None:
        self._shell = shell
        self._attempts = attempts
        self._secure = secure
        self._demo_hint = demo_hint

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sign-in", self.show),
            web.post("/sign-in", self.sign_in),
            web.post("/sign-out", self.sign_out),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The form; who is signed in already goes home."""
        agent = await self._shell.who(request)
        if agent:
            raise web.HTTPSeeOther(_safe(request.query.get("next", "")) or home_of(agent.role))
        return self._page(request, next_path=_safe(request.query.get("next", "")))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Opens a session, or says only that name and password do not fit."""
        form = await request.post()
        name, password = str(form.get("name", "")).strip().lower(), str(form.get("password", ""))
        next_path, address = _safe(str(form.get("next", ""))), request.remote or ""
        wait_s = await self._attempts.count(name, address)
        if wait_s:
            log.warning("sign_in_limited", wait_s=wait_s)
            page = self._page(request, next_path=next_path, name=name, wait_s=wait_s, status=429)
            page.headers["Retry-After"] = str(wait_s)
            return page
        agent = await self._shell.agents.verify(name, password)
        if agent is None:
            log.info("sign_in_refused")
            return self._page(request, next_path=next_path, name=name, wrong=True, status=401)
        await self._attempts.forget(name, address)
        token = await self._shell.sessions.open(agent, self._shell.now())
        log.info("signed_in", agent=agent.name)
        response = web.HTTPSeeOther(next_path or home_of(agent.role))
        response.set_cookie(
            self._shell.cookie, token, max_age=int(LONGEST.total_seconds()),
            httponly=True, secure=self._secure, samesite="Lax", path="/",
        )  # fmt: skip
        return response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """Ends the session."""
        token = request.cookies.get(self._shell.cookie)
        if token:
            await self._shell.sessions.end(token)
        response = web.HTTPSeeOther("/sign-in")
        response.del_cookie(self._shell.cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
        return response

    def _page(
        self, request: web.Request, *, next_path: str, name: str = "", wrong: bool = False, wait_s: int = 0,
        status: int = 200,
    ) -> web.Response:  # fmt: skip
        context = {"next": next_path, "name": name[:40], "wrong": wrong, "wait_s": wait_s, "hint": self._demo_hint}
        return self._shell.render(request, "shell/sign_in.html", context, status=status)


def _safe(path: str) -> str:
    """The path if it leads to a page of this site, else nothing."""
    parts = urlsplit(path)
    leads_here = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    plain = all(character.isprintable() and character != "\\" for character in path)
    return path if leads_here and plain and not path.startswith("/sign-") else ""
