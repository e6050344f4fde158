"""The control plane under /_sim: faults, limits, rules, and the record of everything written."""

import re
from dataclasses import asdict

from aiohttp import web

from bot.sandbox.api import WORLD
from bot.sandbox.limits import PROFILES
from bot.sandbox.people import RefusedError
from bot.sandbox.records import MAX_ID
from bot.sandbox.wishes import wish_of

routes = web.RouteTableDef()


@routes.get("/_sim/faults")
async def list_faults(request: web.Request) -> web.Response:
    """The faults that are switched on."""
    faults = request.app[WORLD].faults
    return web.json_response({"faults": [asdict(f) for f in faults.all()], "dm_lag_s": faults.dm_lag_s})


@routes.post("/_sim/faults")
async def add_fault(request: web.Request) -> web.Response:
    """Switch a fault on: kind, path, method, probability, times, status, latency_ms."""
    world, wish = request.app[WORLD], await wish_of(request)
    for name in ("probability", "times", "status", "latency_ms"):
        if wish.values.get(name) is not None:
            wish.number(name)
    for name in ("kind", "path", "method"):
        wish.maybe_text(name)
    fault = world.faults.add(wish.values)
    world.live.publish({"type": "faults"})
    return web.json_response(asdict(fault), status=201)


@routes.delete("/_sim/faults")
async def clear_faults(request: web.Request) -> web.Response:
    """Switch all faults off, the lag of the DM list too."""
    world = request.app[WORLD]
    world.faults.clear()
    world.live.publish({"type": "faults"})
    return web.json_response({})


@routes.delete("/_sim/faults/{id:[0-9]+}")
async def clear_fault(request: web.Request) -> web.Response:
    """Switch one fault off."""
    world = request.app[WORLD]
    world.faults.clear(int(request.match_info["id"]))
    world.live.publish({"type": "faults"})
    return web.json_response({})


@routes.post("/_sim/dm_lag")
async def lag_dms(request: web.Request) -> web.Response:
    """Let GET /2/dm_events lag behind by `seconds`."""
    world, wish = request.app[WORLD], await wish_of(request)
    world.faults.lag_dms(wish.number("seconds"))
    world.live.publish({"type": "faults"})
    return web.json_response({"dm_lag_s": world.faults.dm_lag_s})


@routes.post("/_sim/limits")
async def use_limits(request: web.Request) -> web.Response:
    """Choose the rate limits: `profile` "off" or "ppu", `overrides` such as {"POST /2/tweets": 3}."""
    world, wish = request.app[WORLD], await wish_of(request)
    profile, overrides = wish.text("profile", world.limits.profile), wish.values.get("overrides", {})
    if profile not in PROFILES:
        raise RefusedError(f"`profile` is one of {', '.join(PROFILES)}.")
    if not isinstance(overrides, dict) or not all(isinstance(limit, int) for limit in overrides.values()):
        raise RefusedError("`overrides` should map endpoints to numbers.")
    world.limits.use(profile, overrides)
    return web.json_response({"profile": profile})


@routes.post("/_sim/rules")
async def change_rules(request: web.Request) -> web.Response:
    """Change `duplicate_window_s` or `summons_required`."""
    world, wish = request.app[WORLD], await wish_of(request)
    window = wish.number("duplicate_window_s") if "duplicate_window_s" in wish.values else None
    summons = wish.flag("summons_required") if "summons_required" in wish.values else None
    world.rule(duplicate_window_s=window, summons_required=summons)
    return web.json_response(
        {"duplicate_window_s": world.duplicate_window_s, "summons_required": world.summons_required}
    )


@routes.post("/_sim/reset")
async def reset(request: web.Request) -> web.Response:
    """Begin anew with the account and the demo customers."""
    request.app[WORLD].reset()
    return web.json_response({})


@routes.get("/_sim/export")
async def export(request: web.Request) -> web.Response:
    """All posts and DMs after `after`, in the order of writing."""
    world, after_id = request.app[WORLD], _after(request)
    posts = [world.on_page(post) for post in world.timeline.export(after_id=after_id)]
    messages = [world.dm_on_page(message) for message in world.direct.export(after_id=after_id)]
    return web.json_response({"posts": posts, "dms": messages})


@routes.get("/_sim/sent")
async def sent(request: web.Request) -> web.Response:
    """What the account wrote through the API after `after`, public and private together, in order."""
    world, after_id = request.app[WORLD], _after(request)
    posts = world.timeline.export(after_id=after_id, author=world.account, via_api=True)
    messages = world.direct.export(after_id=after_id, sender=world.account, via_api=True)
    everything = [{"kind": "post", **world.on_page(post)} for post in posts]
    everything += [{"kind": "dm", **world.dm_on_page(message)} for message in messages]
    return web.json_response({"sent": sorted(everything, key=lambda item: int(item["id"]))})


def _after(request: web.Request) -> int:
    value = request.query.get("after", "0")
    if not re.fullmatch(r"[0-9]{1,19}", value):
        raise RefusedError("`after` should be an id.")
    return min(int(value), MAX_ID)
