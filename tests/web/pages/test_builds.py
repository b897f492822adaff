# SPDX-License-Identifier: Apache-2.0
"""A run of a build is told while it goes on, whoever runs it, and its logs stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from page_server import PARTS
from written_builds import SMALL, large_plan, write_run

from okd_payload.build.records import Action, ComponentRecord, RunFolder
from okd_payload.testing.clock import ManualClock, StandingClock
from okd_payload.web.application import make_application
from okd_payload.web.pages.build_pages import look_at_run
from okd_payload.web.pages.builds import find_critical_path, find_run
from okd_payload.web.pages.following import Mark, tell_changes, tell_log
from okd_payload.web.pages.logs import find_file
from okd_payload.web.site import Site

NOW = 1_700_000_000.0


@pytest.fixture
def streams(tmp_path: Path) -> Path:
    """The folder of all streams."""
    return tmp_path / "streams"


@pytest.fixture
async def client(streams: Path, tmp_path: Path) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """Asks a site that has builds and nothing else."""
    from rig import Rig

    made = Rig(tmp_path / "state", clock=StandingClock())
    site = Site(surroundings=made.surroundings, builds=streams)
    async with AsyncTestClient[Any](make_application(site, parts=PARTS)) as opened:
        yield opened
    await made.database.close()


def path_of(folder: RunFolder) -> str:
    """The page of the run."""
    return f"/runs/okd-scos/{folder.record.id}"


async def test_a_run_that_goes_on_tells_what_runs_and_what_waits_for_what(
    client, streams: Path
) -> None:
    """With the waves, and a box for each image that leads to its log."""
    folder = write_run(streams, SMALL, moment=NOW, ended=2, building=1)
    page = (await client.get(path_of(folder))).text
    assert f'data-live="{path_of(folder)}/events"' in page
    assert "1 built, 1 reused, 1 building, 2 waiting" in page
    now = page.split("Being built now")[1].split("</section>")[0]
    assert re.findall(r'class="mono" href="[^"]*/log/([^"]*)"', now) == ["etcd"]
    assert 'waits for <span class="mono">etcd</span>' in page
    picture = page.split("<svg")[1].split("</svg>")[0]
    assert picture.count("<a href=") == len(SMALL)
    assert "etcd-operator: waiting; on the critical path; waits for etcd" in picture
    assert 'class="node building on-path"' in picture
    assert 'class="edge held"' not in picture, "the only such edge is on the critical path"
    assert "Wave 3: 0 of 2 ended" in picture


async def test_a_run_whose_process_is_gone_is_told_as_cut_off(client, streams: Path) -> None:
    """It is not said to go on for ever, and nobody keeps asking."""
    folder = write_run(streams, SMALL, moment=NOW, ended=2, building=1)
    path = path_of(folder)
    del folder
    page = (await client.get(path)).text
    assert "1 cut off, 2 not reached" in page
    assert "data-live" not in page.split("<body")[1].split(">")[0]
    assert (await client.get(f"{path}/events")).status_code == 204


async def test_failures_stand_on_top_with_the_end_of_their_logs(client, streams: Path) -> None:
    """And what was skipped for them."""
    folder = write_run(streams, SMALL, moment=NOW, ended=5, failed="etcd")
    folder.finish(NOW + 100)
    page = (await client.get(path_of(folder))).text
    assert page.index("What went wrong") < page.index("<svg")
    wrong = page.split("What went wrong")[1].split("</section>")[0]
    assert "buildah ended with exit code 2" in wrong
    assert "end of etcd" in wrong
    assert "STEP 1/9" not in wrong
    assert "1 image was skipped for that" in wrong
    assert 'class="edge broken"' in page


async def test_of_many_images_only_edges_are_drawn_that_say_something(
    client, streams: Path
) -> None:
    """Waves are folded into columns, so that nobody scrolls through thousands of pixels."""
    folder = write_run(streams, large_plan(), moment=NOW, ended=150, building=4)
    page = (await client.get(path_of(folder))).text
    picture = page.split("<svg")[1].split("</svg>")[0]
    ((width, height),) = re.findall(r'width="(\d+)" height="(\d+)" viewBox', picture)
    assert picture.count("<rect") == 190
    assert int(height) < 1000
    assert int(width) < 3500
    assert picture.count('class="edge') < 20


def test_the_critical_path_of_a_run_goes_by_what_builds_took_before(streams: Path) -> None:
    """Until an image of it has ended here."""
    before = write_run(streams, SMALL, moment=NOW - 100, ended=0)
    for name, seconds in (("etcd", 5.0), ("cluster-version-operator", 90.0)):
        before.add(ComponentRecord(name=name, action=Action.BUILT, tag=name, seconds=seconds))
    before.finish(NOW - 50)
    folder = write_run(streams, SMALL, moment=NOW, ended=1)

    def path() -> str:
        run = find_run(streams, "okd-scos", folder.record.id)
        assert run is not None
        return find_critical_path(run)[-1]

    assert path() == "cluster-version-operator"
    folder.add(
        ComponentRecord(
            name="cluster-version-operator",
            tag="cluster-version-operator",
            action=Action.REUSED,
        )
    )
    assert path() == "etcd-operator"


async def test_logs_are_read_from_their_end_and_backwards(client, streams: Path) -> None:
    """Of 50 MB a page has the last piece and a way to what is before it, and all can be stored."""
    folder = write_run(streams, SMALL, moment=NOW, ended=2, building=1)
    log = folder.log_of("etcd")
    with log.open("wb") as file:
        for number in range(1000):
            file.write(b"%06d " % number + b"x" * 50_000 + b"\n")
        file.write(b"\x1b[31mred\x1b[0m <script>alert(1)</script>\n")
    answer = await client.get(f"{path_of(folder)}/log/etcd")
    assert len(answer.content) < 200_000
    assert "red &lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "\x1b" not in answer.text
    assert "000999 " in answer.text
    assert "000900 " not in answer.text
    (earlier,) = re.findall(r'href="([^"]*\?before=\d+)"', answer.text)
    before = (await client.get(earlier)).text
    assert "000996 " in before
    assert "data-stream" not in before
    stored = await client.get(f"{path_of(folder)}/log/etcd/whole.txt")
    assert len(stored.content) == log.stat().st_size
    assert stored.headers["content-disposition"].startswith("attachment")


async def test_an_image_without_a_log_says_where_it_was_built(client, streams: Path) -> None:
    """What is reused was built in an earlier run."""
    before = write_run(streams, SMALL, moment=NOW - 100, ended=5)
    before.log_of("builder").write_text("built then\n")
    before.finish(NOW - 50)
    folder = write_run(streams, SMALL, moment=NOW, ended=2)
    page = (await client.get(f"{path_of(folder)}/log/builder")).text
    assert f"{path_of(before)}/log/builder" in page
    assert "built then" not in page


async def test_nothing_outside_of_the_folder_is_shown(client, streams: Path, tmp_path) -> None:
    """Whatever an address or a record says, and whatever images are called."""
    (tmp_path / "secret.log").write_text("secret")
    folder = write_run(streams, SMALL, moment=NOW, ended=0)
    odd = ("..", "../../../../secret", "a" * 5000, "<b>", 'x" onload="y', "\u0000")
    folder.remember_plan(SMALL | dict.fromkeys(odd, ()))
    folder.add(
        ComponentRecord(name="base", tag="base", action=Action.BUILT, log="../../../../secret.log")
    )
    folder.add(
        ComponentRecord(name="builder", tag="builder", action=Action.FAILED, log="/etc/passwd")
    )
    page = await client.get(path_of(folder))
    assert page.status_code == 200
    assert "<b>" not in page.text
    assert 'onload="y' not in page.text
    for name in ("base", "builder"):
        log = await client.get(f"{path_of(folder)}/log/{name}")
        assert "secret" not in log.text
        assert "root:" not in log.text
        assert (await client.get(f"{path_of(folder)}/log/{name}/whole.txt")).status_code == 404
    for path in (
        "/runs/..%2F..%2Fstate/x",
        f"/runs/okd-scos/{'a' * 3000}",
        f"{path_of(folder)}/log/..%2F..%2Frun.json",
        f"{path_of(folder)}/log/nothing",
        f"{path_of(folder)}/log/nothing/events",
        "/runs/okd-scos/nothing/events",
    ):
        assert (await client.get(path)).status_code == 404, path


async def take(events: AsyncIterator[bytes], count: int) -> list[bytes]:
    """The next so many events, comments left out."""
    taken: list[bytes] = []
    async with asyncio.timeout(60):
        async for event in events:
            if not event.startswith(b":"):
                taken.append(event)
            if len(taken) == count:
                break
    return taken


async def test_a_change_is_told_and_so_is_the_end() -> None:
    """The first event covers what happened while the page was on its way."""
    looks = [Mark("a"), Mark("a"), Mark("b"), Mark("b", is_open=False)]
    events = tell_changes(lambda: looks.pop(0), clock=ManualClock())
    told = await take(events, 4)
    assert told[:3] == [b"data: changed\n\n"] * 3
    assert told[3].startswith(b"event: ended")
    assert looks == []


async def test_a_log_streams_whole_lines_until_it_has_ended(tmp_path: Path) -> None:
    """Whoever comes back says how far it was, and misses and repeats nothing."""
    log, is_open = tmp_path / "log", True

    def find() -> tuple[Path | None, bool]:
        return find_file(tmp_path, "log"), is_open

    events = tell_log(find, clock=ManualClock(), offset=0)
    first = asyncio.create_task(take(events, 1))
    await asyncio.sleep(0)
    log.write_bytes(b"one\ntw")
    assert await first == [b'id: 4\ndata: "one\\n"\n\n']
    log.write_bytes(b"one\ntwo\n\xe2\x82")
    again = tell_log(find, clock=ManualClock(), offset=4)
    assert await take(again, 1) == [b'id: 8\ndata: "two\\n"\n\n']
    is_open = False
    assert await take(again, 2) == [
        'id: 10\ndata: "\ufffd"\n\n'.encode(),
        b"event: ended\ndata: ended\n\n",
    ]


async def test_a_log_is_followed_over_http(client, streams: Path) -> None:
    """From where the page ended; what has ended tells browsers to stop asking."""
    folder = write_run(streams, SMALL, moment=NOW, ended=2, building=1)
    page = (await client.get(f"{path_of(folder)}/log/etcd")).text
    (address,) = re.findall(r'data-stream="([^"]*)"', page)
    with folder.log_of("etcd").open("a") as log:
        log.write("compiled\n")
    folder.add(ComponentRecord(name="etcd", tag="etcd", action=Action.BUILT, log="logs/etcd.log"))
    answer = await client.get(address)
    assert 'data: "compiled\\n"' in answer.text
    assert answer.text.endswith("event: ended\ndata: ended\n\n")
    (number,) = re.findall(r"id: (\d+)", answer.text)
    known = await client.get(address, headers={"Last-Event-ID": number})
    assert known.status_code == 204


async def test_the_end_of_a_run_is_told_to_whoever_looks(client, streams: Path) -> None:
    """Also when its process is killed; and the list of runs knows the state of each."""
    ending = write_run(streams, SMALL, moment=NOW, ended=5)
    killed = write_run(streams, SMALL, moment=NOW + 1, ended=2, building=1)
    looks = [look_at_run(each.path) for each in (ending, killed)]
    assert [look().is_open for look in looks] == [True, True]
    assert (await client.get("/runs")).text.count("> Running</span>") == 2
    ending.finish(NOW + 9)
    del killed
    for look in looks:
        assert (await take(tell_changes(look, clock=ManualClock()), 2))[-1].startswith(
            b"event: ended"
        )
    listed = (await client.get("/runs")).text
    assert listed.count("> Cut off</span>") == listed.count("> Done</span>") == 1


def test_states_are_counted_by_wave(streams: Path) -> None:
    """For the table of waves."""
    folder = write_run(streams, SMALL, moment=NOW, ended=2, building=1)
    run = find_run(streams, "okd-scos", folder.record.id)
    assert run is not None
    told = [(each.number, each.ended, each.total, each.counts) for each in run.waves()]
    assert told == [
        (1, 1, 1, {"built": 1}),
        (2, 1, 1, {"reused": 1}),
        (3, 0, 2, {"building": 1, "waiting": 1}),
        (4, 0, 1, {"waiting": 1}),
    ]
    assert msgspec.structs.asdict(run.waves()[0])["seconds"] == 0.0
