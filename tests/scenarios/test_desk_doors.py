"""Who gets into the desk, and what is refused at its door."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.web.roles import Role
from tests.support.desk import PASSWORD, Office, open_office


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as opened:
        yield opened


async def test_strangers_are_asked_to_sign_in_and_then_led_where_they_wanted(office: Office) -> None:
    case = await office.house.opens_case()
    ana = office.somebody("ana")
    page = await ana.opens(f"/console/cases/{case}")
    assert page.path == f"/sign-in?next=/console/cases/{case}"
    assert "My suitcase" not in page.text
    page = await ana.posts("/sign-in", name="ana", password=PASSWORD, next=page.field("next", "/sign-in"))
    assert page.path == f"/console/cases/{case}"
    assert (await office.somebody().opens("/console/queue.json")).status == 401
    assert (await office.somebody().opens("/live")).status == 401


async def test_nobody_is_led_away_to_another_site(office: Office) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        page = await office.somebody().posts("/sign-in", name="ana", password=PASSWORD, next=elsewhere)
        assert page.path == "/console/"


async def test_wrong_passwords_are_limited(office: Office) -> None:
    ana = office.somebody("ana")
    for _ in range(5):
        page = await ana.signs_in("not-the-password")
        assert page.status == 401
        assert "do not fit together" in page.text
    limited = await ana.signs_in(PASSWORD)
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) > 0
    assert (await ana.opens("/console/")).path.startswith("/sign-in")
    assert (await office.somebody("ben").signs_in()).status == 200


async def test_an_unknown_name_and_a_wrong_password_read_the_same(office: Office) -> None:
    wrong = await office.somebody("ana").signs_in("not-the-password")
    unknown = await office.somebody("mallory").signs_in("not-the-password")
    assert (wrong.status, wrong.text) == (unknown.status, unknown.text)


async def test_a_post_without_its_origin_is_refused(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case()
    epoch = (await ana.case(case)).field("epoch", "/take")
    foreign = (
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": ana.origin, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ana.origin, "Sec-Fetch-Site": "same-site"},
    )
    for headers in foreign:
        page = await ana.posts(f"/console/cases/{case}/take", headers=headers, epoch=epoch)
        assert page.status == 403
    assert await office.house.owner() == "queue"
    headers = {"Origin": ana.origin, "Sec-Fetch-Site": "same-origin"}
    assert (await ana.posts(f"/console/cases/{case}/take", headers=headers, epoch=epoch)).status == 200


async def test_signing_out_ends_the_session_itself(office: Office) -> None:
    ana = await office.agent("ana")
    [cookie] = [cookie for cookie in ana.session.cookie_jar if cookie.key == "frontdesk"]
    assert (await ana.posts("/sign-out")).path == "/sign-in"
    thief = office.somebody()
    thief.session.cookie_jar.update_cookies({"frontdesk": cookie.value})
    assert (await thief.opens("/console/queue.json")).status == 401


async def test_a_session_ends_by_itself_and_with_the_password(office: Office) -> None:
    ana, ben = await office.agent("ana"), await office.agent("ben")
    await office.agents.add(
        name="ben", display_name="Ben Okafor", initials="BO", role=Role.AGENT, password="another-password"
    )
    assert (await ben.opens("/console/queue.json")).status == 401
    assert (await ana.opens("/console/queue.json")).status == 200
    office.house.set_clock(office.house.now() + timedelta(hours=25))
    assert (await ana.opens("/console/queue.json")).status == 401


async def test_the_cookie_is_kept_from_scripts_and_other_sites_and_redis_knows_no_token(office: Office) -> None:
    ana = office.somebody("ana")
    url = office.server.make_url("/sign-in")
    form = {"name": "ana", "password": PASSWORD}
    async with ana.session.post(url, data=form, headers={"Origin": ana.origin}, allow_redirects=False) as answer:
        cookie = answer.cookies["frontdesk"]
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    keys = [key async for key in office.house.redis.scan_iter("{desk}:session:*")]
    assert len(keys) == 1
    assert cookie.value not in keys[0]


async def test_editors_do_not_enter_the_console(office: Office) -> None:
    await office.agents.add(name="eva", display_name="Eva", initials="EV", role=Role.EDITOR, password="write-the-truth")
    eva = office.somebody("eva")
    await eva.signs_in("write-the-truth")
    page = await eva.opens("/console/")
    assert page.status == 403
    assert "Your role does not include this" in page.text


async def test_editors_are_sent_to_a_page_that_exists(office: Office) -> None:
    await office.agents.add(name="eva", display_name="Eva", initials="EV", role=Role.EDITOR, password="write-the-truth")
    eva = office.somebody("eva")
    for page in (await eva.signs_in("write-the-truth"), await eva.opens("/"), await eva.opens("/sign-in")):
        assert (page.status, page.path) == (200, "/")
        assert "frontdesk knowledge publish" in page.text
        assert "/console" not in page.html
        assert "studio" not in page.text


async def test_every_answer_carries_the_security_headers(office: Office) -> None:
    ana = await office.agent("ana")
    for path in ("/console/", "/nowhere", "/static/shell.css", "/console/queue.json"):
        headers = (await ana.opens(path)).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_pages_hold_no_inline_script_or_style(office: Office) -> None:
    ana = await office.agent("ana")
    case = await office.house.opens_case(rich=True)
    for page in (await ana.opens("/console/"), await ana.takes(case), await office.somebody().opens("/sign-in")):
        assert "<style" not in page.html
        assert " style=" not in page.html
        assert " onclick=" not in page.html
        assert page.html.count("<script") == page.html.count('<script type="module" src="/')


async def test_a_role_changed_today_counts_today(office: Office) -> None:
    ana = await office.agent("ana")
    await office.house.redis.hset("{desk}:agent:ana", "role", "editor")
    assert (await ana.opens("/console/")).status == 403


async def test_passwords_are_kept_as_argon2(office: Office) -> None:
    stored = await office.house.redis.hgetall("{desk}:agent:ana")
    assert stored["argon2"].startswith("$argon2id$")
    assert PASSWORD not in str(stored)
    assert await office.agents.verify("ana", PASSWORD) is not None
    assert await office.agents.verify("ana", "x" * 5000) is None


async def test_health_is_told_without_signing_in(office: Office) -> None:
    anybody = office.somebody()
    assert (await anybody.opens("/healthz")).status == 200
    assert (await anybody.opens("/readyz")).status == 200
    metrics = await anybody.opens("/metrics")
    assert (metrics.status, "frontdesk_ready" in metrics.text) == (200, True)


async def test_a_whole_office_behind_one_address_may_sign_in(office: Office) -> None:
    for _ in range(60):
        assert (await office.somebody("ana").signs_in()).status == 200


async def test_guessing_many_names_from_one_address_is_limited(office: Office) -> None:
    statuses = [(await office.somebody(f"guess{number}").signs_in("wrong-password")).status for number in range(51)]
    assert statuses == [401] * 50 + [429]
