"""The whole flow as a newcomer tries it: a customer on the sandbox page, two agents in the console, nothing faked."""

import re
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.own_stack import own_folder, own_settings, own_stack
from bot.settings import DEMO_PASSWORD, Settings
from bot.stack import Stack
from tests.support.browser import DESKTOP, PHONE, is_too_wide, open_browser, picture, watch

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]

REPO = Path(__file__).parents[2]
SOON_MS = 30_000


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    settings = Settings.read({"FRONTDESK_VAR": str(REPO / "var")})
    with (
        own_folder(settings, say=print) as folder,
        own_stack(own_settings(settings, folder, limits="off"), say=print, stop=threading.Event()) as started,
    ):
        yield started


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def window(browser: Browser, address: str, *, size: dict[str, int] = DESKTOP) -> Page:
    page = await (await browser.new_context(viewport=size)).new_page()
    watch(page)
    await page.goto(address)
    return page


async def as_customer(browser: Browser, stack: Stack, handle: str, *, size: dict[str, int] = DESKTOP) -> Page:
    """The sandbox page as a new customer."""
    shown_at = "people" if size == PHONE else "home"
    page = await window(browser, f"{stack.settings.sandbox_address}/#/{shown_at}", size=size)
    await page.locator("summary:visible", has_text="Somebody new").click()
    joining = page.locator("form.new-person:visible")
    await joining.get_by_label("Handle").fill(handle)
    await joining.get_by_role("button", name="Join").click()
    await expect(page.get_by_text(f"You are now @{handle}.")).to_be_visible()
    await page.goto(stack.settings.sandbox_address + "/#/home")
    return page


async def as_agent(browser: Browser, stack: Stack, name: str, *, size: dict[str, int] = DESKTOP) -> Page:
    page = await window(browser, stack.settings.desk_address, size=size)
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(DEMO_PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("body[data-ready]")).to_be_visible()
    return page


async def post(page: Page, text: str) -> None:
    await page.get_by_label("Your post").first.fill(text)
    await page.locator("form.composer").get_by_role("button", name="Post").first.click()


async def answers(page: Page, text: str | re.Pattern[str]) -> None:
    """The account says this, on the customer's page, without a reload."""
    said = page.locator("article[data-author=KestrelAir]").filter(has_text=text)
    await expect(said.first).to_be_visible(timeout=SOON_MS)


async def test_a_customer_is_answered_declined_and_handed_over_and_a_person_answers(
    stack: Stack, browser: Browser
) -> None:
    mia = await as_customer(browser, stack, "mia_flow")
    ana, ben = await as_agent(browser, stack, "ana"), await as_agent(browser, stack, "ben")

    await post(mia, "@KestrelAir how heavy may my cabin bag be?")
    await answers(mia, re.compile(r"automated assistant.*kg", re.DOTALL))
    await post(mia, "@KestrelAir lowest return fare from London to Paris?")
    await answers(mia, re.compile(r"£\d+"))
    await post(mia, "@KestrelAir where is my order KA-482913?")
    await answers(mia, "private")
    assert "KA-482913" not in "".join(await mia.locator("article[data-author=KestrelAir]").all_inner_texts()), (
        "an order number was repeated in public"
    )

    await post(mia, "@KestrelAir can I talk to a human please?")
    await answers(mia, "expect a reply")
    await picture(mia, "sandbox")
    row = ana.locator(".row, li, article, tr").filter(has_text="@mia_flow").first
    await expect(row).to_be_visible(timeout=SOON_MS)
    await row.get_by_role("button", name="Take").click()
    await expect(ana.locator("#reply-form")).to_be_visible()
    await expect(ben.get_by_text("Ana Ruiz").first).to_be_visible(timeout=SOON_MS)

    await ana.locator("#text").fill("Hello Mia, I have corrected your name.")
    await post(mia, "@KestrelAir my name is spelt wrong on the ticket")
    await expect(ana.locator("#transcript")).to_contain_text("spelt wrong", timeout=SOON_MS)
    await picture(ana, "console")
    await ana.locator("#have-read").click()
    await ana.locator("#send").click()
    await answers(mia, "I have corrected your name. ^AR")

    await ana.get_by_text("Give back to the bot").first.click()
    await ana.locator("form[action$=give-back]").get_by_role("button").click()
    await answers(mia, "looks after this conversation again")
    await post(mia, "@KestrelAir can I take my dog on board?")
    await answers(mia, re.compile("dog|pet", re.IGNORECASE))


async def test_an_order_is_told_in_private_to_whoever_can_prove_it_is_theirs(stack: Stack, browser: Browser) -> None:
    tom = await as_customer(browser, stack, "tom_flow", size=PHONE)
    await tom.goto(stack.settings.sandbox_address + "/#/messages")
    messages = tom.get_by_role("log", name="Messages")

    async def says(text: str) -> None:
        await tom.get_by_label("Your message").fill(text)
        await tom.get_by_label("Send").click()

    await says("where is my order?")
    await expect(messages).to_contain_text("order number", timeout=SOON_MS)
    await says("KA-482913 someone.else@example.com")
    await expect(messages).to_contain_text("can't find an order", timeout=SOON_MS)
    await says("KA-482913 ana.silva@example.com")
    await expect(messages).to_contain_text("Order KA-482913 is on its way", timeout=SOON_MS)
    assert not await is_too_wide(tom)
    await picture(tom, "sandbox-private-phone")
