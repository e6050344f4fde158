"""Headless Chromium for the browser tests, and the pictures they take."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_TROUBLES: list[str] = []
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A browser; skips the test where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is missing; install it with `sudo apt-get install chromium`.")
    _TROUBLES.clear()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
    if _TROUBLES:
        pytest.fail("\n".join(_TROUBLES))


def watch(page: Page) -> None:
    """A script error or a resource refused on this page fails the test when its browser closes.

    It is remembered, not raised: an exception in a listener would end the connection to the browser.
    """
    page.on("pageerror", lambda error: _TROUBLES.append(f"script error: {error}"))
    page.on("console", _remember_refusals)


def _remember_refusals(message: ConsoleMessage) -> None:
    if "Content Security Policy" in message.text:
        _TROUBLES.append(message.text)


async def picture(page: Page, name: str) -> None:
    """Keeps a picture of the page where FRONTDESK_SHOTS names a folder."""
    folder = os.environ.get("FRONTDESK_SHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)  # makes the folder itself


async def is_too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
