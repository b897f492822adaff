# SPDX-License-Identifier: Apache-2.0
"""The pages of builds in a real browser: small and large plans, in every condition, live.

With ``OKD_PAYLOAD_SCREENSHOTS=DIR``, a picture of each is put there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser import CHROMIUM, FIND_FAULTS, FIND_PALE, listen_for_trouble, open_browser
from page_server import serve
from rig import Rig
from written_builds import SMALL, large_plan, write_run

from okd_payload.build.records import Action, ComponentRecord
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
FAILED = "cluster-component-007-operator"


@pytest.fixture
async def site(tmp_path: Path):
    """A site with builds and nothing else."""
    made = Rig(tmp_path / "state", clock=StandingClock())
    yield Site(surroundings=made.surroundings, builds=tmp_path / "streams")
    await made.database.close()


async def test_pages_of_builds_have_no_faults(site: Site, tmp_path: Path) -> None:
    """In any width, light and dark: no errors, labelled, readable, nothing wider than a window."""
    streams, now = tmp_path / "streams", site.now()
    runs = {
        "small-running": write_run(streams, SMALL, moment=now - 90, ended=2, building=1),
        "small-done": write_run(streams, SMALL, moment=now - 900, ended=5),
        "small-failed": write_run(streams, SMALL, moment=now - 1900, ended=5, failed="etcd"),
        "large-running": write_run(streams, large_plan(), moment=now - 400, ended=120, building=4),
        "large-failed": write_run(
            streams, large_plan(), moment=now - 4000, ended=190, failed=FAILED
        ),
        "large-done": write_run(streams, large_plan(), moment=now - 9000, ended=190),
    }
    for name, folder in runs.items():
        if "running" not in name:
            folder.finish(folder.record.started + 500)
    paths = {name: f"/runs/okd-scos/{each.record.id}" for name, each in runs.items()}
    pages = paths | {
        "list": "/runs",
        "log-open": paths["small-running"] + "/log/etcd",
        "log-failed": paths["large-failed"] + f"/log/{FAILED}",
        "log-none": paths["small-done"] + "/log/builder",
    }
    pictures = os.environ.get("OKD_PAYLOAD_SCREENSHOTS")
    faults = {}
    async with serve(site) as address, open_browser() as browser:
        for viewport, scheme in LOOKS:
            context = await browser.new_context(viewport=viewport, color_scheme=scheme)
            page = await context.new_page()
            trouble = listen_for_trouble(page)
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
            await context.close()
    assert faults == {}


async def test_the_page_of_a_run_follows_it(site: Site, tmp_path: Path) -> None:
    """What another process writes appears without a reload, also the end."""
    folder = write_run(tmp_path / "streams", SMALL, moment=site.now(), ended=2, building=1)
    async with serve(site) as address, open_browser() as browser:
        page = await browser.new_page()
        trouble = listen_for_trouble(page)
        await page.goto(f"{address}/runs/okd-scos/{folder.record.id}", wait_until="load")
        await page.evaluate("window.mark = document.querySelector('h1')")
        assert await page.locator(".plan .building").count() == 1
        for name in ("etcd", "etcd-operator", "cluster-version-operator"):
            folder.add(ComponentRecord(name=name, tag=name, action=Action.BUILT, seconds=5.0))
        folder.finish(site.now())
        await page.locator("[data-part=state] .state.accepted").wait_for(timeout=120_000)
        assert await page.locator(".plan .building").count() == 0
        assert await page.evaluate("window.mark === document.querySelector('h1')")
        assert await page.evaluate("document.body.dataset.live") == ""
        assert trouble == []


async def test_the_log_of_a_build_streams(site: Site, tmp_path: Path) -> None:
    """Lines appear as they are logged, markup in them stays text, and the end is told."""
    folder = write_run(tmp_path / "streams", SMALL, moment=site.now(), ended=2, building=1)
    async with serve(site) as address, open_browser() as browser:
        page = await browser.new_page()
        trouble = listen_for_trouble(page)
        await page.goto(f"{address}/runs/okd-scos/{folder.record.id}/log/etcd", wait_until="load")
        log = folder.log_of("etcd")
        with log.open("a") as file:
            file.write("<img src=x onerror=alert(1)> \x1b[31mgoes on\x1b[0m\n")
        await page.get_by_text("<img src=x onerror=alert(1)> goes on").wait_for(timeout=120_000)
        with log.open("a") as file:
            file.write("the last line\n")
        folder.add(
            ComponentRecord(name="etcd", tag="etcd", action=Action.BUILT, log=f"logs/{log.name}")
        )
        await page.locator("[data-part=state] .state.accepted").wait_for(timeout=120_000)
        await page.get_by_text("the last line").wait_for(timeout=120_000)
        text = await page.locator("pre.log").inner_text()
        assert text.count("goes on") == text.count("the last line") == 1
        assert trouble == []


async def test_a_run_is_read_without_scripts(site: Site, tmp_path: Path) -> None:
    """From the picture to a log and back, and the page says how to see more."""
    folder = write_run(tmp_path / "streams", SMALL, moment=site.now(), ended=2, building=1)
    async with serve(site) as address, open_browser() as browser:
        context = await browser.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"{address}/runs/okd-scos/{folder.record.id}", wait_until="load")
        await page.get_by_text("load it again").click()
        await page.locator(".plan a .building").click()
        await page.wait_for_url("**/log/etcd")
        assert await page.locator("h1").inner_text() == "etcd"
        with folder.log_of("etcd").open("a") as file:
            file.write("more\n")
        await page.get_by_text("load it again").click()
        await page.get_by_text("more").wait_for()
