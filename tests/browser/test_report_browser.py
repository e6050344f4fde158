"""The report's page in a browser: light and dark, desk and phone, by keyboard and on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browser import DESKTOP, PHONE, is_too_wide, open_browser, picture
from tests.support.desk import PASSWORD, Office, open_office
from tests.support.journal import a_busy_day

pytestmark = pytest.mark.browser

MORNING = datetime.fromisoformat("2026-11-20T06:30:00+00:00")
NIGHT = datetime.fromisoformat("2026-11-20T22:30:00+00:00")


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as opened:
        opened.house.set_clock(NIGHT)
        await a_busy_day(MORNING).is_stored(opened.house.redis, opened.house.ledger.partitions[0])
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def reading(browser: Browser, office: Office, *, size: dict[str, int] = DESKTOP, dark: bool = False) -> Page:
    """A lead's browser at the report; anything the page's policy refuses fails the test."""
    context = await browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    page = await context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.on("console", lambda message: pytest.fail(message.text) if "Content Security" in message.text else None)
    page.on("requestfailed", lambda request: pytest.fail(f"failed: {request.url}"))
    await page.goto(str(office.server.make_url("/sign-in?next=/report/")))
    await page.get_by_label("Name").fill("ana")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#messages")).to_have_text("180")
    return page


@pytest.mark.parametrize(
    ("size", "dark"),
    [(DESKTOP, False), (PHONE, True), ({"width": 320, "height": 640}, False)],
    ids=["desk-light", "phone-dark", "small-phone-light"],
)
async def test_the_report_fits_every_screen(office: Office, browser: Browser, size: dict[str, int], dark: bool) -> None:
    page = await reading(browser, office, size=size, dark=dark)

    assert not await is_too_wide(page)
    shown = "for-wide" if size is DESKTOP else "for-narrow"
    await expect(page.locator(f".chart.stacked.{shown} svg")).to_be_visible()
    drawn = page.locator(f".chart.stacked.{shown} .chart-rect").first
    assert await drawn.evaluate("bar => getComputedStyle(bar).fill") not in ("rgb(0, 0, 0)", "none")
    await picture(page, f"report-{size['width']}-{'dark' if dark else 'light'}")
    await page.evaluate("document.querySelectorAll('details').forEach(part => (part.open = true))")
    assert not await is_too_wide(page)


async def test_the_keyboard_leads_from_a_number_to_its_meaning(office: Office, browser: Browser) -> None:
    page = await reading(browser, office)
    await page.locator(".tiles a", has_text="Containment").focus()
    await page.keyboard.press("Enter")

    meaning = page.locator("#means-containment")
    await expect(meaning).to_be_in_viewport()
    await expect(meaning).to_contain_text("as a share of the contained")
    await expect(page.locator("#means-containment:target")).to_have_count(1)


async def test_another_day_is_chosen_by_form_and_by_link(office: Office, browser: Browser) -> None:
    page = await reading(browser, office)
    await page.get_by_role("link", name="Before").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Thursday 19 November 2026")
    await expect(page.locator("#messages")).to_have_text("0")
    await page.get_by_label("From").fill("2026-11-18")
    await page.get_by_label("to", exact=True).fill("2026-11-20")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#messages")).to_have_text("180")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("to Friday 20 November 2026")
    await picture(page, "report-three-days")


async def test_on_paper_there_are_the_numbers_and_no_buttons(office: Office, browser: Browser) -> None:
    page = await reading(browser, office, dark=True)
    await page.emulate_media(media="print", color_scheme="light")

    await expect(page.locator(".ways")).to_be_hidden()
    await expect(page.get_by_role("banner")).to_be_hidden()
    await expect(page.locator("#messages")).to_be_visible()
    await expect(page.locator(".meanings")).to_be_visible()
    assert await page.pdf(format="A4")
