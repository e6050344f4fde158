"""The account: whether X (or the sandbox) takes the keys, what they allow, and what time it is there; only read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from bot.channels.channel import Halted
from bot.channels.x.problems import Answer
from bot.channels.x.transport import Transport, data_of
from bot.doctor.finding import Finding, bad, ok, warn
from bot.doctor.store import clock

ENOUGH = "read-write-directmessages"
SIGNATURE_TOLERANCE_S = 240.0
"""X refuses signatures that are five minutes off."""
DATE_STEP_S = 2.0
"""A Date header has whole seconds, and the answer takes its time."""
LIMIT_S = 5.0


async def keys(transport: Transport, *, account: str, is_sandbox: bool) -> Finding:
    """Whose keys these are and what they may do."""
    answer = await transport.me()
    if isinstance(answer, Halted):
        remedy = "Make new keys in X's developer portal and set all four; a clock that is wrong has the same effect."
        return bad("keys", f"The keys are refused: {answer.detail}.", remedy)
    if not isinstance(answer, Answer):
        if is_sandbox:
            return warn("keys", "The sandbox does not answer.", "`frontdesk up` starts it, or `frontdesk sandbox`.")
        return bad("keys", f"X does not answer: {answer.detail}.", "Look at the network, X_BASE_URL and X's status.")
    handle, level = f"@{data_of(answer).get('username', '')}", answer.headers.get("x-access-level")
    if handle.casefold() != f"@{account.removeprefix('@')}".casefold():
        return bad("keys", f"The keys belong to {handle}, not to {account}.", "Correct FRONTDESK_ACCOUNT or the keys.")
    return allowed(handle, level, whose="the sandbox" if is_sandbox else "X")


def allowed(handle: str, level: str | None, *, whose: str) -> Finding:
    """What the access level of the keys lets us do."""
    again = "Raise the app's permission to `Read and write and Direct message`, then make new access tokens."
    if level == ENOUGH:
        return ok("keys", f"{whose} takes the keys of {handle}: posts and direct messages.")
    if level == "read-write":
        return warn("keys", f"The keys of {handle} may not read or write direct messages.", again)
    if level == "read":
        return bad("keys", f"The keys of {handle} may only read: nothing can be answered.", again)
    return warn("keys", f"{whose} takes the keys of {handle}, but does not say what they allow.", again)


async def platform_clock(address: str, *, is_sandbox: bool) -> Finding:
    """The Date header of the platform against this machine's clock."""
    what, whose = "platform clock", "The sandbox's" if is_sandbox else "X's"
    try:
        began = time.perf_counter()
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=not is_sandbox) as client,
            client.head(address, allow_redirects=False) as response,
        ):
            date = response.headers.get("Date")
        took_s = time.perf_counter() - began
    except (aiohttp.ClientError, TimeoutError) as error:
        if is_sandbox:
            return warn(what, "The sandbox does not answer.", "`frontdesk up` starts it, or `frontdesk sandbox`.")
        remedy = "Look at the network, a proxy (HTTPS_PROXY) and X_BASE_URL."
        return bad(what, f"{address} does not answer ({type(error).__name__}).", remedy)
    try:
        there = parsedate_to_datetime(date or "").timestamp() + 0.5
    except ValueError:
        return warn(what, f"{address} does not say what time it is there.", "Look at X_BASE_URL.")
    ahead_s = there - (datetime.now(UTC).timestamp() - took_s / 2)
    return clock(what, whose, ahead_s, warn_s=DATE_STEP_S + took_s, bad_s=SIGNATURE_TOLERANCE_S)
