# SPDX-License-Identifier: Apache-2.0
"""Tools are taken out once, told of meanwhile, and fetched with ranges."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from asking import add_release
from litestar import Litestar
from rig import INPUT, STREAM

from okd_payload.controller.creation.making import make_payload
from okd_payload.controller.inputs.reading import read_input
from okd_payload.controller.model import Phase, Release
from okd_payload.errors import ReleaseError
from okd_payload.progress import Noticed
from okd_payload.testing.small_stream import push_small_stream
from okd_payload.web.access.guard import make_guard
from okd_payload.web.downloads import store as storing
from okd_payload.web.downloads.extraction import ToolExtraction
from okd_payload.web.downloads.routes import routes
from okd_payload.web.downloads.store import ToolsState, ToolStore
from okd_payload.web.problems import answer_error

CONTENT = bytes(range(256)) * 1000
ARCHIVE = "openshift-client-linux.tar.gz"


class Extraction:
    """Takes out one archive, when it is let to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        self.done = asyncio.Event()
        self.tasks: list[asyncio.Task[Any]] = []
        self.count = 0
        self.at_once = 0
        self.error: Exception | None = None

    async def __call__(self, release, folder: Path, progress):
        """One archive and its sum."""
        self.count += 1
        self.tasks = [task for task in (asyncio.current_task(),) if task is not None]
        self.at_once += 1
        assert self.at_once == 1
        progress(Noticed(subject="cli-artifacts", message="Reading"))
        self.begun.set()
        await self.go_on.wait()
        self.at_once -= 1
        (folder / "half").write_bytes(b"")
        if self.error:
            raise self.error
        (folder / "half").unlink()
        (folder / ARCHIVE).write_bytes(CONTENT)
        digest = hashlib.sha256(CONTENT).hexdigest()
        (folder / "sha256sum.txt").write_text(f"{digest}  {ARCHIVE}\n")
        self.done.set()


@pytest.fixture
def extraction() -> Extraction:
    """Waits until a test lets it go on."""
    return Extraction()


@pytest.fixture
async def downloads(site, extraction):
    """A client of the downloads alone."""
    application = Litestar(
        routes(site, extraction),
        guards=[make_guard(site)],
        exception_handlers={Exception: answer_error},
    )
    transport = httpx.ASGITransport(application)  # in the loop of the test, as the extraction is
    async with httpx.AsyncClient(transport=transport, base_url="https://releases.test") as client:
        yield client


async def test_tools_are_taken_out_once_and_told_of_meanwhile(rig, downloads, extraction):
    """Everybody who asks while it goes on is told how far it is, and nobody begins it again."""
    release = await add_release(rig, phase=Phase.ACCEPTED)
    path = f"/api/v2/releases/{release.name}/tools"
    await downloads.get(path)
    await extraction.begun.wait()
    told = [(await downloads.get(path)).json() for _ in range(3)]
    assert {each["state"] for each in told} == {"extracting"}
    assert "cli-artifacts" in told[0]["message"]
    page = await downloads.get(f"/releases/{release.name}/tools")
    assert page.headers["refresh"] == "5"
    extraction.go_on.set()
    await extraction.done.wait()
    await asyncio.wait(extraction.tasks)
    answer = (await downloads.get(path)).json()
    assert answer["state"] == "ready"
    assert extraction.count == 1
    files = {each["name"]: each for each in answer["files"]}
    assert files[ARCHIVE]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (await downloads.get(files[ARCHIVE]["path"])).content == CONTENT
    sums = await downloads.get(files["sha256sum.txt"]["path"])
    assert ARCHIVE in sums.text
    assert ARCHIVE in (await downloads.get(f"/releases/{release.name}/tools")).text


async def test_an_address_that_another_instance_gave_leads_to_the_file(rig, downloads, extraction):
    """Whoever comes from its list is told to wait, and not that there is nothing."""
    release = await add_release(rig, phase=Phase.ACCEPTED)
    path = f"/releases/{release.name}/tools/{ARCHIVE}"
    answer = await downloads.get(path)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    extraction.go_on.set()
    await extraction.done.wait()
    await asyncio.wait(extraction.tasks)
    assert (await downloads.get(path)).content == CONTENT
    assert extraction.count == 1


async def test_ranges_are_given(rig, site, downloads, extraction):
    """A download that broke off goes on; a range that is none is refused."""
    extraction.go_on.set()
    release = await add_release(rig, phase=Phase.ACCEPTED)
    store = ToolStore(site.surroundings, extraction)
    await store.look(release)
    await store.wait(release)
    path = f"/releases/{release.name}/tools/{ARCHIVE}"
    for wanted, expected in (
        ("bytes=10-19", CONTENT[10:20]),
        ("bytes=255990-", CONTENT[255990:]),
        ("bytes=-5", CONTENT[-5:]),
    ):
        answer = await downloads.get(path, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (206, expected)
        assert answer.headers["content-range"].endswith(f"/{len(CONTENT)}")
    for wrong in ("bytes=-", "bytes=9-1", "bytes=0-1,3-4"):
        assert (await downloads.get(path, headers={"Range": wrong})).status_code == 400
    whole = await downloads.get(path, headers={"Range": "lines=1-2"})
    assert (whole.status_code, whole.content) == (200, CONTENT)
    for beyond in (f"bytes={len(CONTENT)}-", "bytes=999999999-", "bytes=-0"):
        answer = await downloads.get(path, headers={"Range": beyond})
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"
    told = await downloads.head(path, headers={"Range": "bytes=1-2"})
    assert (told.status_code, told.content) == (200, b"")
    assert told.headers["content-length"] == str(len(CONTENT))
    assert told.headers["accept-ranges"] == "bytes"


async def test_no_path_leaves_the_tools(rig, site, downloads, extraction):
    """Only files that are listed are given."""
    extraction.go_on.set()
    release = await add_release(rig, phase=Phase.ACCEPTED)
    store = ToolStore(site.surroundings, extraction)
    await store.look(release)
    await store.wait(release)
    (rig.surroundings.state / "secret").write_text("secret")
    for name in ("..%2f..%2fsecret", "%2e%2e", "..", "secret", "%00", "half"):
        answer = await downloads.get(f"/releases/{release.name}/tools/{name}")
        assert answer.status_code in (400, 404), name
        assert "secret\n" not in answer.text


async def test_what_failed_is_told_and_tried_again_later(rig, site, extraction):
    """The reason stands there for five minutes; nothing half-done is left."""
    extraction.go_on.set()
    extraction.error = ReleaseError("image did not contain oc")
    release = await add_release(rig, phase=Phase.ACCEPTED)
    store = ToolStore(site.surroundings, extraction)
    await store.look(release)
    await store.wait(release)
    for _ in range(3):
        told = await store.look(release)
        assert (told.state, told.message) == (ToolsState.FAILED, "image did not contain oc")
    assert extraction.count == 1
    assert list((rig.surroundings.state / "tools").iterdir()) == []
    extraction.error = None
    rig.clock.advance(301)
    await store.look(release)
    await store.wait(release)
    assert (await store.look(release)).state is ToolsState.READY


async def test_what_nobody_foresaw_ends_as_well(rig, site, extraction, caplog):
    """Readers are told that it failed, and the log what it was; others get their turn."""
    extraction.go_on.set()
    extraction.error = ValueError("secret")
    release = await add_release(rig, phase=Phase.ACCEPTED)
    store = ToolStore(site.surroundings, extraction)
    await store.look(release)
    await store.wait(release)
    await asyncio.sleep(0)
    told = await store.look(release)
    assert told.state is ToolsState.FAILED
    assert "secret" not in told.message
    assert "secret" in caplog.text
    assert extraction.count == 1


async def test_a_full_disk_is_told(rig, site, extraction, monkeypatch):
    """Nothing is begun that would fill it."""
    monkeypatch.setattr(storing, "LEAST_FREE", 1 << 62)
    release = await add_release(rig, phase=Phase.ACCEPTED)
    store = ToolStore(site.surroundings, extraction)
    await store.look(release)
    await store.wait(release)
    told = await store.look(release)
    assert told.state is ToolsState.FAILED
    assert "too little room" in told.message
    assert extraction.count == 0


async def test_what_nobody_fetches_makes_room(rig, site, extraction, monkeypatch):
    """The oldest of what is kept goes first."""
    import os

    import msgspec

    monkeypatch.setattr(storing, "MOST_RELEASES", 2)
    extraction.go_on.set()
    release = await add_release(rig, phase=Phase.ACCEPTED)
    store = ToolStore(site.surroundings, extraction)
    each = [msgspec.structs.replace(release, digest=f"sha256:{number:064}") for number in range(3)]
    for age, one in enumerate(each):
        await store.look(one)
        await store.wait(one)
        folder = rig.surroundings.state / "tools" / f"{age:064}"
        os.utime(folder, (age, age))
    assert [store.file(one, ARCHIVE) is not None for one in each] == [False, True, True]


async def test_a_real_payload_without_tools_says_so(rig, tmp_path):
    """It is read from where it is: the two layouts of a stream have one name."""
    configuration = rig.configure(content_name="localhost/okd", releases_name="localhost/okd")
    await push_small_stream(rig.repository(INPUT))
    images = await read_input(rig.surroundings, configuration)
    release = Release(
        name="4.20.0-1", stream=STREAM, created=1.0, changed=1.0, input_hash=images.input_hash
    )
    payload = await make_payload(rig.surroundings, configuration, release, images.images)
    release = msgspec.structs.replace(release, digest=payload.digest, pull_spec=payload.pull_spec)
    assert release.pull_spec.startswith("localhost/okd@")
    with pytest.raises(ReleaseError, match="images are missing: cli, "):
        await ToolExtraction(rig.surroundings)(release, tmp_path, lambda event: None)
