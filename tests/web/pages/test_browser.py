# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser: no complaint, any width, keyboard alone, light and dark.

With ``OKD_PAYLOAD_SCREENSHOTS=DIR``, a picture of each is put there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from browser import (
    CHROMIUM,
    FIND_FAULTS,
    FIND_PALE,
    FIND_UNSEEN,
    listen_for_trouble,
    open_browser,
)
from past import MAIN
from prepared import (
    add_manual_run,
    give_up_a_webhook,
    mint_text,
    publish_two,
    wait_for_approvals,
    write_tools,
)

from okd_payload.controller import actions
from okd_payload.controller.records import releases, runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 780}


class Looker:
    """Looks at pages in one window, collects what is wrong with each, and takes its picture."""

    def __init__(self, page: Any, kind: str) -> None:
        self.page = page
        self.faults: dict[str, list[str]] = {}
        self._kind = kind
        self._trouble = listen_for_trouble(page)

    async def look(self, name: str) -> None:
        """Judge what the window shows, once all of it is there."""
        await self.page.wait_for_load_state("load")
        found = await self.page.evaluate(FIND_FAULTS) + await self.page.evaluate(FIND_PALE)
        found += self._trouble
        found += ["wider than the window"] * await self._is_too_wide()
        if pictures := os.environ.get("OKD_PAYLOAD_SCREENSHOTS"):
            path = Path(pictures) / f"{name}-{self._kind}.png"
            await self.page.screenshot(
                path=str(path), full_page=True, caret="initial", timeout=120_000
            )
        found += await self._look_elsewhere()
        if found:
            self.faults[name] = found
        self._trouble.clear()

    async def _look_elsewhere(self) -> list[str]:
        """Whether it also has room in the narrowest window, and on a sheet of A4."""
        size, found = self.page.viewport_size, []
        for media, width in (("screen", 320), ("print", 718)):
            await self.page.emulate_media(media=media)
            await self.page.set_viewport_size({"width": width, "height": size["height"]})
            found += [f"wider than {width} on {media}"] * await self._is_too_wide()
        await self.page.emulate_media(media="null")
        await self.page.set_viewport_size(size)
        return found

    async def _is_too_wide(self) -> bool:
        return bool(
            await self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )


@contextlib.asynccontextmanager
async def open_window(kind: str) -> AsyncIterator[Looker]:
    """A window of this kind: ``wide-light`` or ``phone-dark``, or crossed."""
    size, _, scheme = kind.partition("-")
    async with open_browser() as browser:
        context = await browser.new_context(
            viewport=PHONE if size == "phone" else WIDE, color_scheme=scheme
        )
        yield Looker(await context.new_page(), kind)


KINDS = ("wide-light", "phone-dark")


@pytest.mark.parametrize("kind", KINDS)
async def test_pages_have_no_faults(address, past, kind) -> None:
    """No errors, no refused loads; labelled, readable, and nothing beside the window or a sheet.

    Every stop of the keyboard is seen.
    """
    unseen = {}
    async with open_window(kind) as looker:
        for name, path in past.pages().items():
            await looker.page.goto(address + path, wait_until="load")
            await looker.look(name)
            unseen[name] = await looker.page.evaluate(FIND_UNSEEN)
    assert looker.faults == {}
    assert {name: found for name, found in unseen.items() if found} == {}


async def test_nothing_moves_for_who_wants_that(address, past) -> None:
    """No smooth scrolling, no animation and no transition; paper is white in the dark, too."""
    async with open_browser() as browser:
        context = await browser.new_context(reduced_motion="reduce", color_scheme="dark")
        page = await context.new_page()
        for name in ("overview", "stream", "build"):
            await page.goto(address + past.pages()[name], wait_until="load")
            moving = await page.evaluate(
                "[...document.querySelectorAll('*')].map((each) => getComputedStyle(each)).filter("
                "(style) => style.scrollBehavior !== 'auto' || style.animationName !== 'none'"
                " || parseFloat(style.transitionDuration) > 0).length"
            )
            assert moving == 0, name
        await page.emulate_media(media="print")
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"


async def test_no_width_scrolls_sideways(address, past) -> None:
    """Around the widths at which tables change their form, and far from them."""
    pages = past.pages()
    async with open_browser() as browser:
        page = await browser.new_page()
        for name in ("overview", "stream", "stream-hostile", "release-rejected"):
            await page.goto(address + pages[name], wait_until="load")
            for width in (320, 360, 600, 831, 834, 1000, 1119, 1122, 1920):
                await page.set_viewport_size({"width": width, "height": 900})
                seen = await page.evaluate(
                    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
                )
                assert seen[0] <= seen[1], f"{name} needs {seen[0]} of {width}"


@pytest.mark.parametrize("kind", KINDS)
async def test_forms_have_no_faults(address, past, rig, kind) -> None:
    """Those of every deed, open one after the other, and what they lead to."""
    accepted, older = past.names[MAIN][-3], past.names[MAIN][-4]
    wait_for_approvals(rig)
    await publish_two(rig, older, accepted)
    manual = await add_manual_run(rig, past.names[MAIN][-1])
    await give_up_a_webhook(rig)
    text = await mint_text(rig, "administrator")
    async with open_window(kind) as looker:
        page = looker.page
        await page.goto(f"{address}/sign-in?next=/releasetag/{accepted}", wait_until="load")
        await looker.look("sign-in")
        await page.get_by_label("Token").fill("okdp_wrong")
        await page.get_by_role("button", name="Sign in").click()
        await looker.look("sign-in-refused")
        await page.get_by_label("Token").fill(text)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{address}/releasetag/{accepted}")
        await looker.look("release-signed-in")
        await open_each(looker, "release")
        await page.locator("#reason-withdraw").fill("it is old")
        await page.locator("details[open] input[name=sure]").check()
        await page.locator("details[open] button").click()
        await looker.look("release-withdrawn")
        await page.goto(f"{address}/releasestream/{MAIN}", wait_until="load")
        await open_each(looker, "stream")
        await page.goto(f"{address}/run/{manual}", wait_until="load")
        await open_each(looker, "run")
        for name, path in (("webhooks", "/webhooks"), ("webhook", "/webhooks/ci")):
            await page.goto(address + path, wait_until="load")
            await looker.look(name)
    assert looker.faults == {}


async def open_each(looker: Looker, name: str) -> None:
    """Look at each form of the page, one open at a time; the last stays open."""
    for each in await looker.page.locator(".deeds details").all():
        if await each.get_attribute("open") is None:
            await each.locator("summary").click()
        word = str(await each.get_attribute("id")).removeprefix("act-")
        await looker.look(f"{name}-form-{word}")


@pytest.mark.parametrize("kind", KINDS)
async def test_pages_of_tools_have_no_faults(address, past, rig, kind) -> None:
    """With all files, and where the images cannot be read."""
    name, other = past.names[MAIN][-3], past.names[MAIN][-4]
    found = await rig.database.read(lambda unit: releases.find(unit, name))
    write_tools(rig.surroundings.state, found.digest)
    async with open_window(kind) as looker:
        await looker.page.goto(f"{address}/releases/{name}/tools", wait_until="load")
        await looker.look("tools")
        await looker.page.goto(f"{address}/releases/{other}/tools", wait_until="load")
        await looker.page.get_by_text("could not be taken out").wait_for(timeout=120_000)
        await looker.look("tools-failed")
    assert looker.faults == {}


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
        await page.get_by_text("it <b>breaks</b> etcd").first.wait_for(timeout=120_000)
        assert await page.locator("[data-part=state] .state").inner_text() == "✕ Rejected"
        assert await page.evaluate("window.mark === document.querySelector('#images')")
        assert await page.evaluate("document.querySelector('details.images').open") is was_open
        assert trouble == []


async def test_people_sign_in_act_and_sign_out(address, past, rig) -> None:
    """With a token, by keyboard and without scripts: not without a reason, and it is said once."""
    text = await mint_text(rig, "administrator")
    name = past.names[MAIN][-1]
    async with open_browser() as browser:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        trouble = listen_for_trouble(page)
        await page.goto(f"{address}/releasetag/{name}?a=b", wait_until="load")
        await page.get_by_role("link", name="Sign in").click()
        await page.get_by_label("Token").fill(text)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{address}/releasetag/{name}?a=b")
        (cookie,) = await context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        await page.locator("#act-reject > summary").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        assert await page.locator("[data-part=state] .state").inner_text() == "◐ Ready"
        await page.keyboard.type("etcd loses members")
        await page.keyboard.press("Enter")
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
        await page.get_by_text("<img src=x onerror=alert(1)> goes on").wait_for(timeout=120_000)
        assert trouble == []


async def test_pages_are_used_by_keyboard_alone(address, past) -> None:
    """The first stop skips to the content, every stop is seen, and forms are sent with Enter."""
    async with open_browser() as browser:
        page = await browser.new_page(viewport=WIDE)
        await page.goto(f"{address}/releasestream/{MAIN}", wait_until="load")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        await page.wait_for_function("document.activeElement.id === 'content'")
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
        assert await page.locator(".releases tbody tr").count() == 1


async def test_pages_are_whole_without_scripts(address, past) -> None:
    """Everything can be read, followed and filtered."""
    async with open_browser() as browser:
        context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
        page = await context.new_page()
        await page.goto(f"{address}/releasestream/{MAIN}", wait_until="load")
        await page.get_by_label("Rejected").check()
        await page.get_by_role("button", name="Filter").click()
        await page.wait_for_url("**phase=Rejected**")
        await page.locator("tbody th a").first.click()
        await page.wait_for_url(f"**/{past.names[MAIN][-2]}")
        assert await page.locator("h1").inner_text() == past.names[MAIN][-2]
        assert await page.get_by_text("3 of 214 tests failed").first.is_visible()
