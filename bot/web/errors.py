"""Error pages: the right status, a plain sentence, what to do next; never a traceback."""

from __future__ import annotations

from aiohttp import web

from bot.web.shell import Shell, wants_json

WHAT_HAPPENED = {
    400: ("This could not be read", "Something in the form was missing or has changed. Go back, reload and try again."),
    403: ("Not allowed", "Your role does not include this, or the form was not sent from this site."),
    404: ("Not found", "There is nothing at this address."),
    405: ("Not possible", "This address does not do that."),
    410: (
        "Erased",
        "This case was closed because its customer's data were erased. Nothing of it is left, and nothing is to be "
        "done; if they write again, that is a new conversation.",
    ),
    413: ("Too long", "What you sent is larger than this page accepts. Shorten it and try again."),
    429: ("Too many attempts", "Wait a little, then try again."),
    503: (
        "The store does not answer",
        "Nothing is lost. Send it again in a moment: it is carried out once, however often you press.",
    ),
}
FAILED = ("Something failed here", "It has been logged. Go back and try again; tell your lead if it stays.")


async def error_page(shell: Shell, request: web.Request, status: int) -> web.StreamResponse:
    """The page for a failed request; after 503 it offers to send the same form again."""
    title, remedy = WHAT_HAPPENED.get(status, FAILED)
    if wants_json(request):
        return web.json_response({"error": title, "remedy": remedy}, status=status)
    fields = await _fields_to_repeat(request) if status == 503 else {}
    return shell.render(
        request, "shell/error.html", {"title": title, "remedy": remedy, "status": status, "fields": fields},
        status=status,
    )  # fmt: skip


async def _fields_to_repeat(request: web.Request) -> dict[str, str]:
    """What was posted, so that no words are lost; never a password."""
    if request.method != "POST" or request.path == "/sign-in":
        return {}
    posted = await request.post()
    return {name: value for name, value in posted.items() if isinstance(value, str)}
