# SPDX-License-Identifier: Apache-2.0
"""The pages of webhooks in a real browser, and the buttons of one that is in trouble.

With ``OKD_PAYLOAD_SCREENSHOTS=DIR``, a picture of each is put there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from asking import add_release, token_for
from browser import CHROMIUM, FIND_FAULTS, FIND_PALE, listen_for_trouble, open_browser
from page_server import serve
from rig import Rig

from okd_payload.controller.model import Phase
from okd_payload.controller.records import webhooks
from okd_payload.controller.records.webhooks import Webhook, WebhookProgress, WebhookTry
from okd_payload.testing.clock import StandingClock
from okd_payload.web.site import Site

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

LOOKS = (
    ({"width": 1280, "height": 900}, "light"),
    ({"width": 1280, "height": 900}, "dark"),
    ({"width": 375, "height": 780}, "dark"),
)
TROUBLE = "ci.example.com does not answer within 10 s"


async def fill(rig: Rig) -> None:
    """One webhook in each condition, the address of one too long for a phone."""
    await add_release(rig, 0, phase=Phase.ACCEPTED)
    now = rig.clock.now()
    conditions = {
        "announcements": WebhookProgress(name="announcements", position=3, delivered=2),
        "lab": WebhookProgress(
            name="lab", position=2, attempts=4, retry_at=now + 600, message=TROUBLE
        ),
        "old-ci": WebhookProgress(
            name="old-ci", position=1, attempts=28, disabled=now - 7200, message=TROUBLE
        ),
    }

    def unit(connection: Any) -> None:
        for name in (*conditions, "fresh"):
            url = f"https://ci.example.com/hooks/{name}/{'0123456789' * 8}"
            webhook = Webhook(
                name=name, url=url, secret="0123456789abcdef", created=now - 86400, created_by="ada"
            )
            webhooks.write(connection, webhook)
        for progress in conditions.values():
            before = WebhookProgress(name=progress.name)
            webhooks.write_progress(connection, before)
            for attempt in range(1, 4):
                tried = WebhookTry(
                    name=progress.name,
                    event=progress.position + 1,
                    kind="release.phase",
                    attempt=attempt,
                    time=now - 600 / attempt,
                    seconds=10.0,
                    message=progress.message,
                    status=None if progress.message else 204,
                )
                assert webhooks.advance(connection, before, before, tried)
            webhooks.write_progress(connection, progress)

    await rig.database.write(unit)


async def test_pages_of_webhooks_have_no_faults_and_do_what_they_say(tmp_path: Path) -> None:
    """In any width, light and dark; what was given up is told again by its button."""
    rig = Rig(tmp_path, clock=StandingClock())
    await fill(rig)
    token = (await token_for(rig, "administrator"))["Authorization"].removeprefix("Bearer ")
    pages = {"webhooks": "/webhooks"} | {
        f"webhook-{name}": f"/webhooks/{name}"
        for name in ("announcements", "lab", "old-ci", "fresh")
    }
    pictures = os.environ.get("OKD_PAYLOAD_SCREENSHOTS")
    faults = {}
    async with serve(Site(surroundings=rig.surroundings)) as address, open_browser() as browser:
        for viewport, scheme in LOOKS:
            context = await browser.new_context(viewport=viewport, color_scheme=scheme)
            page = await context.new_page()
            trouble = listen_for_trouble(page)
            await page.goto(f"{address}/sign-in?next=/webhooks", wait_until="load")
            await page.locator("input[name=token]").fill(token)
            await page.locator("main button").click()
            await page.wait_for_url("**/webhooks")
            for name, path in pages.items():
                trouble.clear()
                await page.goto(address + path, wait_until="load")
                found = await page.evaluate(FIND_FAULTS) + await page.evaluate(FIND_PALE)
                if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    found.append("wider than the window")
                if found + trouble:
                    faults[f"{name}, {scheme}, {viewport['width']}"] = found + trouble
                if pictures:
                    kind = f"{name}-{viewport['width']}-{scheme}.png"
                    await page.screenshot(
                        path=str(Path(pictures) / kind), full_page=True, timeout=120_000
                    )
        await page.goto(f"{address}/webhooks/old-ci", wait_until="load")
        await page.get_by_role("button", name="Tell it again").click()
        await page.get_by_text("It is told again, from where it was.").wait_for(timeout=120_000)
        assert await page.get_by_role("button", name="Tell it again").count() == 0
        await page.goto(f"{address}/webhooks/lab", wait_until="load")
        await page.get_by_role("checkbox").check()
        await page.get_by_role("button", name="Pass over event 3").click()
        await page.get_by_text("That is passed over").wait_for(timeout=120_000)
    assert faults == {}
    known = await rig.database.read(webhooks.read_progress)
    assert (known["old-ci"].disabled, known["old-ci"].position) == (None, 1)
    assert (known["lab"].attempts, known["lab"].position) == (0, 3)
    await rig.database.close()
