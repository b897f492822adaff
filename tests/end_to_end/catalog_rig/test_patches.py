# SPDX-License-Identifier: Apache-2.0
"""A folder of patches for one component: applied to its source, and tried at every new ref."""

from __future__ import annotations

from pathlib import Path

import pytest
from rig_stream import program_in
from rig_world import NEW, OLD

pytestmark = pytest.mark.integration


def make_patch(rig, repository: str, branch: str, path: str, old: str, new: str) -> str:
    """What ``git format-patch`` writes of a change of one file."""
    world = rig.world[repository]
    files = world.files(branch)
    assert old in files[path]
    files[path] = files[path].replace(old, new)
    world.commit("refs/patches/made", files, "Say what we say", on=branch)
    return world.git(
        "format-patch", "-1", "--full-index", "--binary", "--stdout", "refs/patches/made"
    )


def patch_component(stream: Path, component: str, patch: str) -> None:
    """Let the stream file patch a component."""
    folder = stream / "patches" / component
    folder.mkdir(parents=True)
    (folder / "0001-say-what-we-say.patch").write_text(patch + "\n")
    with (stream / "stream.yaml").open("a") as file:
        file.write(f"\ncomponents:\n  {component}: {{patches: patches/{component}}}\n")


@pytest.mark.slow
def test_a_patched_component_is_built(published, resumed, stream) -> None:
    """The patch is in the image, only that component is built, and the lock has its own commit."""
    patch = make_patch(
        published.rig, "oc", f"release-{NEW}", "cmd/oc/main.go", '"oc"', '"patched client"'
    )
    patch_component(stream, "cli", patch)

    printed = resumed.build(stream)
    locked = resumed.run("lock", stream, "--to", stream / "stream.lock")

    built = {item["name"] for item in printed["components"] if item["action"] == "built"}
    assert built == {"cli", "cli-artifacts"}
    cli = {image["name"]: image["reference"] for image in printed["release"]["images"]}["cli"]
    assert b"patched client" in program_in(resumed, cli)
    assert locked.code == 0, locked.err
    commit = published.rig.world["oc"].find(f"release-{NEW}")
    assert commit in (stream / "stream.lock").read_text()


def test_a_patch_that_fits_no_more_is_told(rig) -> None:
    """On a branch where the line is another one, plan names patch, file and hunk; others go on."""
    stream = rig.stream(branch=f"release-{OLD}", exceptions={})
    path = "cmd/etcd/main.go"
    patch = make_patch(rig, "etcd", f"release-{OLD}", path, "etcd 4.15", "our etcd 4.15")
    patch_component(stream, "etcd", patch)
    program = rig.program()
    assert program.run("plan", stream).code == 0

    assert program.run("catalog", "branch", f"release-{NEW}", stream, "--write").code == 0
    ended = program.run("plan", stream)

    assert ended.code == 2
    assert ended.err.count("[patch-conflict]") == 1
    told = ended.err.partition("etcd: 0001-say-what-we-say.patch does not apply")[2]
    assert path in told
    assert "patches/etcd/0001-say-what-we-say.patch" in told


def test_a_patch_is_merged_where_lines_have_moved(rig) -> None:
    """A patch whose surroundings changed on the new branch is merged, as by ``git am --3way``."""
    stream = rig.stream(branch=f"release-{OLD}", exceptions={})
    world, branch = rig.world["os"], f"release-{NEW}"
    patch = make_patch(rig, "os", f"release-{OLD}", "packages", "kernel\n", "kernel-rt\n")
    files = world.files(branch)
    files["packages"] = files["packages"].replace("bash\n", "bash 5\n")
    world.commit(branch, files, "Have another bash")
    patch_component(stream, "machine-os-content", patch)

    program = rig.program()
    assert program.run("catalog", "branch", branch, stream, "--write").code == 0
    ended = program.run("plan", stream)

    assert ended.code == 0, ended.err
