# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser: no complaint, any width, keyboard alone, light and dark.

With ``OKD_PAYLOAD_SCREENSHOTS=DIR``, a picture of each is put there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import CHROMIUM, FIND_FAULTS, FIND_PALE, listen_for_trouble, open_browser
from past import MAIN

from okd_payload.controller import actions
from okd_payload.controller.records import releases, runs
from okd_payload.web.access.tokens import mint_token

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
                await page.screenshot(path=str(path_of), full_page=name != "compare")
    return faults


async def test_pages_have_no_faults(address, past) -> None:
    """In a wide window, light: no errors, no refused loads, labelled, readable."""
    assert await look_at_all(address, past, viewport=WIDE) == {}


async def test_pages_fit_phones_in_the_dark(address, past) -> None:
    """No page scrolls sideways on a phone, and dark colours are readable, too."""
    assert await look_at_all(address, past, viewport=PHONE, color_scheme="dark") == {}


async def test_the_page_of_an_open_release_follows_it(address, past, rig) -> None:
    """A verdict appears without a reload, nothing else moves, and what was opened stays open."""
    name = past.names[MAIN][-1]
    async with open_browser() as browser:
        page = await browser.new_page(viewport=WIDE)
        trouble = listen_for_trouble(page)
        await page.goto(f"{address}/releasetag/{name}", wait_until="load")
        await page.evaluate("window.mark = document.querySelector('#images')")
        await page.locator("details.images > summary").click()
        was_open = await page.evaluate("document.querySelector('details.images').open")
        await actions.reject(rig.surroundings, name, actor="ada", reason="it <b>breaks</b> etcd")
        await page.get_by_text("it <b>breaks</b> etcd").first.wait_for(timeout=30_000)
        assert await page.locator("[data-part=state] .state").inner_text() == "✕ Rejected"
        assert await page.evaluate("window.mark === document.querySelector('#images')")
        assert await page.evaluate("document.querySelector('details.images').open") is was_open
        assert trouble == []


async def test_people_sign_in_act_and_sign_out(address, past, rig) -> None:
    """With a token and without scripts: not without a reason, what was done is said once."""
    minted = await mint_token(
        rig.surroundings, "ada", roles=["administrator"], seconds=None, actor="tests"
    )
    name = past.names[MAIN][-1]
    async with open_browser() as browser:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        trouble = listen_for_trouble(page)
        await page.goto(f"{address}/releasetag/{name}?a=b", wait_until="load")
        await page.get_by_role("link", name="Sign in").click()
        await page.get_by_label("Token").fill(minted.text)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{address}/releasetag/{name}?a=b")
        (cookie,) = await context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        await page.locator("#act-reject > summary").click()
        reject = page.locator("#act-reject").get_by_role("button", name="Reject")
        await reject.click()
        assert await page.locator("[data-part=state] .state").inner_text() == "◐ Ready"
        await page.get_by_label("Reason", exact=True).fill("etcd loses members")
        await reject.click()
        await page.get_by_text("It is rejected, for the reason that you gave.").wait_for()
        assert await page.locator("[data-part=state] .state").inner_text() == "✕ Rejected"
        await page.reload()
        assert await page.get_by_text("It is rejected, for").count() == 0
        await page.get_by_role("button", name="Sign out").click()
        await page.get_by_role("link", name="Sign in").wait_for()
        assert trouble == []
    steps = await rig.database.read(lambda unit: releases.read_transitions(unit, name))
    assert (steps[-1].actor, steps[-1].message) == ("ada", "etcd loses members")


async def test_logs_grow_while_they_are_read(address, past, rig) -> None:
    """What a run prints appears; markup in it stays text."""
    run = await rig.database.read(lambda unit: runs.find(unit, f"{past.names[MAIN][-1]}-aws-e2e-0"))
    async with open_browser() as browser:
        page = await browser.new_page(viewport=WIDE)
        trouble = listen_for_trouble(page)
        await page.goto(f"{address}/run/{run.id}", wait_until="load")
        with (rig.surroundings.state / run.log).open("a") as log:
            log.write("<img src=x onerror=alert(1)> \x1b[31mgoes on\x1b[0m\n")
        await page.get_by_text("<img src=x onerror=alert(1)> goes on").wait_for(timeout=30_000)
        assert trouble == []


async def test_pages_are_used_by_keyboard_alone(address, past) -> None:
    """The first stop skips to the content, every stop is seen, and forms are sent with Enter."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport=WIDE)
        await page.goto(f"{address}/releasestream/{MAIN}", wait_until="load")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "content"
        for _ in range(12):
            await page.keyboard.press("Tab")
            seen = await page.evaluate(
                "(() => { const each = document.activeElement, box = each.getBoundingClientRect();"
                " return getComputedStyle(each).outlineStyle !== 'none' && box.width > 0; })()"
            )
            assert seen, await page.evaluate("document.activeElement.outerHTML")
        await page.locator("#text").focus()
        await page.keyboard.type(past.names[MAIN][5][-10:])
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=**")
        assert await page.locator("tbody tr").count() == 1


async def test_pages_are_whole_without_scripts(address, past) -> None:
    """Everything can be read, followed and filtered."""
    async with open_browser() as browser:
        context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
        page = await context.new_page()
        await page.goto(f"{address}/releasestream/{MAIN}", wait_until="load")
        await page.get_by_label("Rejected").check()
        await page.get_by_role("button", name="Filter").click()
        await page.locator("tbody th a").first.click()
        assert await page.locator("h1").inner_text() == past.names[MAIN][-2]
        assert await page.get_by_text("3 of 214 tests failed").first.is_visible()
