# SPDX-License-Identifier: Apache-2.0
"""What is shown is read alike from every database: pages, neighbours, histories, searches."""

from __future__ import annotations

import pytest

from okd_payload.controller.model import (
    Edge,
    FrozenInput,
    Phase,
    Release,
    RunState,
    VerificationRun,
)
from okd_payload.controller.records import releases, runs, streams
from okd_payload.controller.views.images import read_history, search
from okd_payload.controller.views.overview import read_overview
from okd_payload.controller.views.release import read_comparison, read_release
from okd_payload.controller.views.stream import ReleaseFilter, read_stream
from okd_payload.oci.digest import digest_of

STREAM, OTHER = "4.20.0-0.okd", "4.19.0-0.okd"
COUNT = 12


def name_of(number: int) -> str:
    """The name of a release."""
    return f"{STREAM}-{number:02}"


def commit_of(number: int) -> str:
    """The commit of etcd in a release: each is in three of them."""
    return f"{number // 3:x}".rjust(2, "a") * 20


@pytest.fixture
async def filled(database):
    """Twelve releases: every fourth is rejected, the last is ready, and two share a moment."""
    await database.write(_fill)
    return database


def _fill(connection) -> None:
    for number in range(COUNT):
        created = 1000.0 * max(1, number)
        release = Release(
            name=name_of(number),
            stream=STREAM,
            created=created,
            changed=created,
            input_hash=str(number),
            digest=digest_of(name_of(number).encode()),
        )
        images = [
            FrozenInput(
                tag=tag,
                digest=digest_of(content.encode()),
                reference="",
                source="https://github.com/openshift/etcd",
                commit=commit,
            )
            for tag, content, commit in (
                ("etcd", f"etcd {number // 3}", commit_of(number)),
                ("100%_cli", "cli", ""),
            )
        ]
        releases.create(connection, release, images)
        release = releases.move(connection, release, Phase.READY, time=created + 10)
        run = VerificationRun(
            id=f"run-{number}",
            release=release.name,
            verification="lint",
            runner="builtin",
            state=RunState.SUCCEEDED,
            queued=created,
        )
        runs.write(connection, run, time=created)
        if number:
            edge = Edge(
                source=name_of(number - 1),
                target=release.name,
                run=run.id,
                state=RunState.SUCCEEDED,
                time=created,
            )
            streams.add_edge(connection, edge)
        if number < COUNT - 1:
            end = Phase.REJECTED if number % 4 == 3 else Phase.ACCEPTED
            releases.move(connection, release, end, time=created + 20)


async def test_the_overview_has_the_newest(filled) -> None:
    """Of streams without releases, too."""
    found = await filled.read(lambda unit: read_overview(unit, [STREAM, OTHER], limit=3))
    assert [each.name for each in found[STREAM].newest] == [name_of(11), name_of(10), name_of(9)]
    assert found[STREAM].accepted is not None
    assert found[STREAM].accepted.name == name_of(10)
    assert [run.id for run in found[STREAM].runs[name_of(9)]] == ["run-9"]
    assert (found[OTHER].newest, found[OTHER].accepted) == ((), None)
    assert found[OTHER].state.name == OTHER


async def test_however_many_streams_there_are(filled) -> None:
    """All of them are answered, more than one question can have parts, too."""
    names = [*(f"stream-{number}" for number in range(1200)), STREAM]
    found = await filled.read(lambda unit: read_overview(unit, names, limit=3))
    assert list(found) == names
    assert found[STREAM].newest
    assert found[STREAM].accepted is not None
    assert not found["stream-0"].newest


async def test_pages_of_a_stream_have_no_gaps(filled) -> None:
    """Two releases of one moment are on different pages, each once."""
    found, before = [], ""
    while True:
        wanted = ReleaseFilter(before=before, limit=11)
        page = await filled.read(lambda unit, wanted=wanted: read_stream(unit, STREAM, wanted))
        found += [each.name for each in page.releases]
        before = page.following
        if not before:
            break
    assert found == [name_of(number) for number in reversed(range(COUNT))]
    assert page.counts == {Phase.ACCEPTED: 9, Phase.REJECTED: 2, Phase.READY: 1}
    assert [each.phase for each in page.decided][:4] == [
        Phase.ACCEPTED, Phase.ACCEPTED, Phase.ACCEPTED, Phase.REJECTED,
    ]  # fmt: skip


async def test_releases_are_filtered(filled) -> None:
    """By phase and by part of the name, in which no character means another."""
    wanted = ReleaseFilter(phases=(Phase.REJECTED,), text="-0")
    page = await filled.read(lambda unit: read_stream(unit, STREAM, wanted))
    assert [each.name for each in page.releases] == [name_of(7), name_of(3)]
    assert page.updates[name_of(7)][0].source == name_of(6)
    for text in ("%", "_", "\\"):
        wanted = ReleaseFilter(text=text)
        page = await filled.read(lambda unit, wanted=wanted: read_stream(unit, STREAM, wanted))
        assert page.releases == ()


async def test_a_release_is_compared_with_the_last_accepted(filled) -> None:
    """Not with one that was rejected; and it knows its neighbours and updates."""
    view = await filled.read(lambda unit: read_release(unit, name_of(8)))
    assert view is not None
    assert view.base is not None
    assert (view.base.name, view.older, view.newer) == (name_of(6), name_of(7), name_of(9))
    assert view.changes == ()
    assert [edge.source for edge in view.updates_in] == [name_of(7)]
    assert [edge.target for edge in view.updates_out] == [name_of(9)]
    assert [step.after for step in view.transitions][-1] is Phase.ACCEPTED
    assert await filled.read(lambda unit: read_release(unit, "gone")) is None


async def test_any_two_are_compared(filled) -> None:
    """By image; and nothing is compared with what is not there."""
    found = await filled.read(lambda unit: read_comparison(unit, name_of(0), name_of(11)))
    assert found is not None
    assert ([each.tag for each in found.changes], found.same) == (["etcd"], 1)
    assert await filled.read(lambda unit: read_comparison(unit, name_of(0), "gone")) is None


async def test_a_component_has_a_history(filled) -> None:
    """Each image once, with the releases that it was in."""
    found = await filled.read(lambda unit: read_history(unit, "etcd", [STREAM, OTHER]))
    assert [each.image.commit for each in found] == [commit_of(n) for n in (9, 6, 3, 0)]
    assert found[0].releases == (name_of(11), name_of(10), name_of(9))
    assert found[0].phases == (Phase.READY, Phase.ACCEPTED, Phase.ACCEPTED)


@pytest.mark.parametrize(
    ("text", "releases_found", "components", "images"),
    [
        ("okd-1", 2, (), 0),
        ("100%_", 0, ("100%_cli",), 0),
        ("%", 0, ("100%_cli",), 0),
        (commit_of(3)[:8], 0, (), 3),
        (commit_of(3)[:8].upper(), 0, (), 3),
        (commit_of(3)[:5], 0, (), 0),
        (digest_of(b"cli"), 0, (), 12),
        (digest_of(b"cli")[7:17], 0, (), 12),
        (digest_of(name_of(4).encode())[:20], 1, (), 0),
        ("nothing", 0, (), 0),
    ],
)
async def test_searches(filled, text, releases_found, components, images) -> None:
    """Names by any part, digests and commits by their beginning."""
    found = await filled.read(lambda unit: search(unit, text, [STREAM, OTHER]))
    assert len(found.releases) == releases_found
    assert found.components == components
    assert len(found.images) == images
    created = {each.name: each.created for each in await filled.read(releases.list_of)}
    assert [each.release for each in found.images] == sorted(
        (each.release for each in found.images), key=lambda name: -created[name]
    )
