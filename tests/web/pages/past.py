# SPDX-License-Identifier: Apache-2.0
"""A site with everything that pages show: streams with a past, trouble, builds, hostile names."""

from __future__ import annotations

import functools
from pathlib import Path

from okd_payload.build.records import Action, ComponentRecord, RunFolder, start_run
from okd_payload.controller.configuration.model import StreamKind
from okd_payload.controller.model import (
    Edge,
    FrozenInput,
    Phase,
    Release,
    RunState,
    StreamState,
    VerificationRun,
)
from okd_payload.controller.records import releases, runs, streams
from okd_payload.oci.digest import Digest
from okd_payload.testing.release_data import make_configuration, write_past

MAIN, STABLE, EMPTY, BROKEN = (
    "4.20.0-0.okd-scos",
    "4-scos-stable",
    "4.21.0-0.okd-scos",
    "4.19.0-0.okd",
)
HOSTILE = "4.18.0-0.<script>alert(1)<script>\"'&"
HOSTILE_RELEASE = f"{HOSTILE}-2026-01-01"
BUILD_STREAM = "okd-scos"


def configure(rig) -> None:
    """The streams of the site."""
    rig.streams.clear()
    for name, title, jobs in ((MAIN, "OKD on CentOS Stream CoreOS", 10), (BROKEN, "", 4)):
        rig.streams[name] = make_configuration(rig.configure(name, title=title), jobs=jobs)
    stable = rig.configure(STABLE, kind=StreamKind.STABLE, channels=("stable-4",))
    rig.streams[STABLE] = make_configuration(stable, jobs=0)
    rig.configure(EMPTY, message="Begins when the branch does.")
    rig.configure(HOSTILE, title="<b>bold</b>", message='<img src=x onerror="alert(2)">')


async def fill(rig) -> dict[str, list[str]]:
    """Fill ``rig``; the names of the releases of each stream, the oldest first."""
    configure(rig)
    names = {
        name: await write_past(rig.surroundings, rig.streams[name], count=count, images=images)
        for name, count, images in ((MAIN, 60, 45), (STABLE, 4, 45), (BROKEN, 5, 20))
    }
    now = rig.clock.now()
    trouble = StreamState(
        name=BROKEN,
        seen=now - 7000,
        error="quay.test does not answer: connection refused",
        error_since=now - 7000,
    )
    await rig.database.write(lambda unit: streams.write(unit, trouble))
    await rig.database.write(functools.partial(_write_hostile, stream=HOSTILE, now=now))
    _write_hostile_log(rig.surroundings.state)
    return names


def _write_hostile(connection, *, stream: str, now: float) -> None:
    """A release whose every text is an attack."""
    words = '<script>alert("x")</script>\x1b[31m\x00\u202e' + "long" * 200
    release = Release(
        name=HOSTILE_RELEASE, stream=stream, created=now - 50, changed=now - 50, input_hash="h"
    )
    image = FrozenInput(
        tag='"><script>alert(3)</script>',
        digest=Digest("sha256:" + "e" * 64),
        reference="javascript:alert(4)",
        source="javascript:alert(5)",
        commit='"onmouseover="alert(6)',
    )
    releases.create(connection, release, [image], actor=words)
    release = releases.move(connection, release, Phase.READY, time=now - 40, reason="Created")
    run = VerificationRun(
        id="hostile-run?x=<i>",
        release=release.name,
        verification='<svg onload="alert(7)">',
        state=RunState.FAILED,
        runner="command",
        queued=now - 30,
        started=now - 30,
        ended=now - 20,
        url="javascript:alert(8)",
        message=words,
        log="verifications/hostile.log",
        artifacts=("verifications/junit_<b>.xml", "../../etc/passwd"),
    )
    runs.write(connection, run, time=now)
    edge = Edge(
        source="</title><script>alert(9)</script>",
        target=release.name,
        run=run.id,
        url="javascript:alert(10)",
        state=RunState.FAILED,
        time=now,
    )
    streams.add_edge(connection, edge)
    releases.move(connection, release, Phase.REJECTED, time=now, reason=words, message=words)


def _write_hostile_log(state: Path) -> None:
    folder = state / "verifications"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "hostile.log").open("wb") as log:
        log.write(b"<script>alert(11)</script>\x1b]0;title\x07\xff\xfe\n")
        log.write(b"x" * 3_000_000 + b"\n</pre><script>alert(12)</script>\n")
    (folder / "junit_<b>.xml").write_text(
        '<testsuite><testcase name="&lt;script&gt;alert(13)&lt;/script&gt;">'
        "<failure>&lt;/pre&gt;</failure></testcase></testsuite>",
        encoding="utf-8",
    )


def write_build(streams_folder: Path, *, moment: float) -> RunFolder:
    """A run of a build that goes on as long as somebody has its folder: some built, one failed."""
    folder = start_run(streams_folder / BUILD_STREAM / "runs", stream=BUILD_STREAM, moment=moment)
    parents: dict[str, tuple[str, ...]] = {
        "base": (),
        "builder": (),
        "etcd": ("base", "builder"),
        "etcd-operator": ("etcd", "builder"),
        "machine-config-operator": ("base", "builder"),
        "console-with-a-name-that-is-much-longer-than-boxes": ("base",),
        "cluster-version-operator": ("etcd-operator", "machine-config-operator"),
    }
    folder.remember_plan(parents)
    for name, action in (
        ("base", Action.IMPORTED),
        ("builder", Action.REUSED),
        ("etcd", Action.BUILT),
        ("machine-config-operator", Action.FAILED),
    ):
        log = folder.log_of(name)
        log.write_text(f"STEP 1/9: FROM base\nbuilding {name}\n", encoding="utf-8")
        folder.add(
            ComponentRecord(
                name=name,
                tag=name,
                action=action,
                seconds=12.5,
                started=moment,
                log=f"logs/{log.name}" if action in (Action.BUILT, Action.FAILED) else "",
                reason="exit status 2: make: *** [all] Error 2" if action is Action.FAILED else "",
                hint="read its log" if action is Action.FAILED else "",
            )
        )
    log = folder.log_of("etcd-operator")
    folder.begin("etcd-operator", moment + 13, log=log)
    log.write_text("STEP 1/9: FROM etcd\n", encoding="utf-8")
    return folder
