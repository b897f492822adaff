# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser: no complaint, any width, keyboard alone, light and dark.

With ``OKD_PAYLOAD_SCREENSHOTS=DIR``, a picture of each is put there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import CHROMIUM, FIND_FAULTS, FIND_PALE, listen_for_trouble, open_browser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 780}


async def look_at_all(address, past, **options) -> dict[str, list[str]]:
    """What is wrong with each page, in a browser with these ``options``."""
    faults: dict[str, list[str]] = {}
    pictures = os.environ.get("OKD_PAYLOAD_SCREENSHOTS")
    phone = options["viewport"] is PHONE
    async with open_browser() as browser:
        context = await browser.new_context(**options)
        page = await context.new_page()
        trouble = listen_for_trouble(page)
        for name, path in past.pages().items():
            trouble.clear()
            await page.goto(address + path, wait_until="load")
            found = await page.evaluate(FIND_FAULTS) + await page.evaluate(FIND_PALE) + trouble
            if await page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            ):
                found.append("wider than the window")
            if found:
                faults[name] = found
            if pictures:
                kind = f"{'phone' if phone else 'wide'}-{options.get('color_scheme', 'light')}"
                path_of = Path(pictures) / f"{name}-{kind}.png"
                await page.screenshot(path=str(path_of), full_page=name not in ("compare",))
    return faults


async def test_pages_have_no_faults(address, past) -> None:
    """In a wide window, light: no errors, no refused loads, labelled, readable."""
    assert await look_at_all(address, past, viewport=WIDE) == {}


async def test_pages_fit_phones_in_the_dark(address, past) -> None:
    """No page scrolls sideways on a phone, and dark colours are readable, too."""
    assert await look_at_all(address, past, viewport=PHONE, color_scheme="dark") == {}
