"""The console in a browser: two agents, a customer, a keyboard and a phone."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from handoff.words import Customer, Place, Reason
from tests.support.browser import DESKTOP, PHONE, is_too_wide, open_browser, picture, watch
from tests.support.desk import PASSWORD, Office, open_office

pytestmark = pytest.mark.browser

YAN = Customer(id="5822", handle="yan_travels", name="Yan Li")
NORA = Customer(id="6933", handle="nora_b", name="")


@pytest.fixture
async def office(redis_url: str) -> AsyncIterator[Office]:
    async with open_office(redis_url) as opened:
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def signed_in(
    browser: Browser, office: Office, name: str, *, size: dict[str, int] = DESKTOP, dark: bool = False
) -> Page:
    """An agent's own browser window, at the queue; a script error or a refused resource fails the test."""
    context = await browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    page = await context.new_page()
    watch(page)
    await page.goto(str(office.server.make_url("/")))
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("body[data-ready]")).to_be_visible()
    return page


async def case_page(page: Page, case: str) -> None:
    await page.locator(f"#open-{case}").click()
    await expect(page.locator("body[data-ready][data-case]")).to_be_visible()


async def test_of_two_agents_who_press_take_one_reads_who_was_first(office: Office, browser: Browser) -> None:
    ana, ben = await signed_in(browser, office, "ana"), await signed_in(browser, office, "ben")
    case = await office.house.opens_case(rich=True)
    await expect(ana.locator(f"#row-{case}")).to_be_visible()  # arrived without reload
    await case_page(ben, case)
    await ben.context.set_offline(True)  # Ben's page hears nothing of Ana
    await ana.locator(f"#take-{case}").click()
    await expect(ana.locator("#text")).to_be_visible()
    await ben.route("**/live", lambda route: route.abort())
    await ben.route(f"**/cases/{case}", lambda route: route.abort())
    await ben.context.set_offline(False)
    await ben.locator("#take").click()
    await expect(ben.locator("#notice")).to_contain_text(re.compile(r"Taken by Ana Ruiz \d+ s ago"))
    await picture(ben, "taken")
    await expect(ben.locator("#composer")).to_contain_text("Ana Ruiz has this case.")


async def test_new_words_arrive_without_reload_and_without_losing_the_focus(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    first = await office.house.opens_case("Where is my bag?")
    second = await office.house.opens_case("You lost my pram!", customer=YAN, priority=60)
    await expect(ana.locator(".row")).to_have_count(2)
    await ana.keyboard.press("j")
    await ana.keyboard.press("j")
    await expect(ana.locator(f"#open-{first}")).to_be_focused()
    third = await office.house.opens_case("I fear for my life", customer=NORA, priority=98, reason=Reason.SAFETY)
    await expect(ana.locator(".row").first).to_have_attribute("id", f"row-{third}")
    await expect(ana.locator(f"#open-{first}")).to_be_focused()
    await expect(ana.locator("#announce")).to_have_text("1 new in the queue")
    await case_page(ana, second)
    await ana.evaluate("window.untouched = true")
    await office.house.writes("It is the blue one.", customer=YAN)
    await expect(ana.locator("#transcript")).to_contain_text("It is the blue one.")
    assert await ana.evaluate("window.untouched") is True


async def test_a_reply_overtaken_by_the_customer_is_refused_and_the_draft_kept(
    office: Office, browser: Browser
) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case(rich=True)
    await ana.locator(f"#take-{case}").click()
    await ana.locator("#text").fill("We are still looking for it.")
    await office.house.writes("Forget it, I have it back!")
    await expect(ana.locator("#meanwhile")).to_be_visible()
    await picture(ana, "meanwhile")
    await expect(ana.locator("#text")).to_have_value("We are still looking for it.")
    await ana.locator("#send").click()
    await expect(ana.locator("#notice")).to_contain_text("something new was said")
    await expect(ana.locator("#notice")).to_contain_text("Forget it, I have it back!")
    await expect(ana.locator("#text")).to_have_value("We are still looking for it.")
    await picture(ana, "refused")
    assert await office.house.by_agents() == []
    await ana.locator("#text").fill("Wonderful!")
    await ana.locator("#send").click()
    await expect(ana.locator("#transcript")).to_contain_text("Wonderful! ^AR")
    await expect(ana.locator("#text")).to_have_value("")
    assert await office.house.by_agents() == ["Wonderful! ^AR"]


async def test_words_once_read_do_not_refuse_the_reply(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case()
    await ana.locator(f"#take-{case}").click()
    await ana.locator("#text").fill("One moment, please.")
    await office.house.writes("Are you there?")
    await ana.get_by_role("button", name="I have read them").click()
    await expect(ana.locator("#meanwhile")).to_be_hidden()
    await ana.locator("#send").click()
    await expect(ana.locator("#transcript")).to_contain_text("One moment, please. ^AR")


async def test_a_draft_outlives_a_reload_and_a_second_click_sends_nothing_more(
    office: Office, browser: Browser
) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case()
    await ana.locator(f"#take-{case}").click()
    await expect(ana.locator("body[data-mode=mine][data-ready]")).to_be_visible()
    await ana.locator("#text").fill("Half a sentence")
    await ana.reload()
    await expect(ana.locator("#text")).to_have_value("Half a sentence")
    await ana.locator("#send").dblclick()
    await expect(ana.locator("#transcript")).to_contain_text("Half a sentence ^AR")
    await ana.reload()
    await expect(ana.locator("#text")).to_have_value("")
    assert await office.house.by_agents() == ["Half a sentence ^AR"]


async def test_the_counter_counts_as_x_does(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case()
    await ana.locator(f"#take-{case}").click()
    await ana.locator("#text").fill("見て https://example.com/a/very/long/address/that/counts/less")
    await expect(ana.locator("#counter")).to_have_text("248 characters left, signed")
    await ana.locator("#text").fill("長" * 139)
    await expect(ana.locator("#counter")).to_have_text("2 characters too long, signed")
    await expect(ana.locator("#problems")).to_contain_text("Too long: 282 of 280")
    await ana.locator("#way-private").click()
    await expect(ana.locator("#counter")).to_have_text("9857 characters left, signed")


async def test_everything_works_with_the_keyboard_alone(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case(rich=True)
    await expect(ana.locator(f"#row-{case}")).to_be_visible()
    await ana.keyboard.press("?")
    await expect(ana.locator("#help")).to_be_visible()
    await picture(ana, "keys")
    await ana.keyboard.press("Escape")
    await expect(ana.locator("#help")).to_be_hidden()
    await ana.keyboard.press("j")
    await expect(ana.locator(f"#open-{case}")).to_be_focused()
    await ana.keyboard.press("Enter")
    await expect(ana.locator("body[data-mode=queue][data-ready]")).to_be_visible()
    await ana.keyboard.press("t")
    await expect(ana.locator("body[data-mode=mine][data-ready]")).to_be_visible()
    await ana.keyboard.press("r")
    await expect(ana.locator("#text")).to_be_focused()
    await ana.keyboard.type("We found it. j k t")
    await ana.keyboard.press("Control+Enter")
    await expect(ana.locator("#transcript")).to_contain_text("We found it. j k t ^AR")
    await expect(ana.locator("body[data-ready]")).to_be_visible()
    await ana.keyboard.press("n")
    await ana.keyboard.type("Called Lisbon.")
    await ana.keyboard.press("Tab")
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#transcript")).to_contain_text("Called Lisbon.")
    await ana.get_by_role("button", name="Resolve").focus()
    await ana.keyboard.press("Enter")
    await expect(ana.locator("#notice")).to_contain_text("The case is resolved.")
    assert await office.house.owner() == "bot"


async def test_a_suggestion_goes_into_the_composer(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case(rich=True)
    await ana.locator(f"#take-{case}").click()
    await ana.locator(".use").first.click()
    await expect(ana.locator("#text")).to_have_value(re.compile("reference on your tag"))
    await expect(ana.locator("#text")).to_be_focused()


async def test_what_was_taken_away_while_writing_is_kept_to_copy(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case()
    await ana.locator(f"#take-{case}").click()
    await ana.locator("#text").fill("Long and careful words")
    snapshot = await office.house.ledger.snapshot("x:4711")
    assert snapshot is not None
    await office.house.desk.transfer(case, "ana", "ben", snapshot.conversation.epoch, office.house.now())
    await expect(ana.locator("#composer")).to_contain_text("Ben Okafor has this case.")
    await expect(ana.locator("#kept")).to_have_value("Long and careful words")


async def test_markup_from_customers_stays_text_when_it_arrives_live(office: Office, browser: Browser) -> None:
    ana = await signed_in(browser, office, "ana")
    case = await office.house.opens_case()
    await case_page(ana, case)
    await office.house.writes("<img src=x onerror=\"document.title='owned'\"><b>bold</b>")
    await expect(ana.locator("#transcript")).to_contain_text("<b>bold</b>")
    assert await ana.locator("#transcript img").count() == 0
    assert await ana.title() != "owned"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_no_page_scrolls_sideways(office: Office, browser: Browser, size: dict[str, int], dark: bool) -> None:
    shot = f"{'phone' if size is PHONE else 'desktop'}-{'dark' if dark else 'light'}"
    await _a_busy_morning(office)
    context = await browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    stranger = await context.new_page()
    await stranger.goto(str(office.server.make_url("/")))
    await picture(stranger, f"sign-in-{shot}")
    assert not await is_too_wide(stranger)
    ana = await signed_in(browser, office, "ana", size=size, dark=dark)
    await picture(ana, f"queue-{shot}")
    assert not await is_too_wide(ana)
    await ana.locator("#mine .row-link").first.click()
    await expect(ana.locator("#text")).to_be_visible()
    await ana.locator("#text").fill("We found your suitcase in Lisbon. It flies to you tonight.")
    await expect(ana.locator("#counter")).to_contain_text("left")
    await picture(ana, f"case-{shot}")
    assert not await is_too_wide(ana)


async def _a_busy_morning(office: Office) -> None:
    house = office.house
    await house.opens_case("Someone used my card on your site!!! " + "w" * 120, customer=YAN, priority=95,
                           reason=Reason.FRAUD)  # fmt: skip
    await house.opens_case("my order is late", customer=NORA, place=Place.PRIVATE, reason=Reason.UNVERIFIED)
    await house.writes("Hi! What can I bring in my hand luggage?")
    await house.bot_turn(says="One bag of 55 x 40 x 20 cm and a small one that fits under the seat.")
    case = await house.opens_case("And my suitcase never came. Nobody answers the phone 😡", rich=True)
    snapshot = await house.ledger.snapshot("x:4711")
    assert snapshot is not None
    await house.desk.take(case, "ana", snapshot.conversation.epoch, house.now())
    await house.desk.note(case, "ben", "Tag KA 4711 was scanned in Lisbon at 9.", house.now())
    await house.writes("Here is my phone number for the courier, call me", place=Place.PRIVATE)
