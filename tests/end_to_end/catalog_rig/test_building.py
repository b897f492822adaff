# SPDX-License-Identifier: Apache-2.0
"""A whole stream from git servers: built, locked, changed in one place, and mixed with another."""

from __future__ import annotations

import os
import signal

import pytest
from real_program import digests_of
from rig_stream import COMPONENTS, HUB
from rig_world import NEW

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def built_in(printed: dict) -> set[str]:
    """The components that a run built."""
    return {item["name"] for item in printed["components"] if item["action"] == "built"}


def in_release(printed: dict) -> dict[str, str]:
    """Pull specs in the release of a run, by the names of images."""
    return {image["name"]: image["reference"] for image in printed["release"]["images"]}


def change(rig, repository: str, branch: str, path: str, old: str, new: str) -> str:
    """Commit a change of one file to a branch; the commit."""
    files = rig.world[repository].files(branch)
    assert old in files[path]
    files[path] = files[path].replace(old, new)
    return rig.world[repository].commit(branch, files, "Change one file")


def test_everything_is_built_from_the_servers(published) -> None:
    """Every component is built from its branch, and the payload has operators and operands."""
    actions = {item["name"]: item["action"] for item in published.printed["components"]}

    assert actions == {**dict.fromkeys(COMPONENTS, "built"), "root": "imported"}
    assert published.printed["issues"] == []
    assert set(in_release(published.printed)) == {
        name for name in COMPONENTS if name not in {"base", "builder", "cli-artifacts"}
    } - {"haproxy-router-base"}
    assert published.program.leftovers() == []


def test_the_published_release_names_its_sources(published) -> None:
    """Whoever has the pull spec finds repository and commit of each image, and lint is content."""
    program, world = published.program, published.rig.world
    listed = program.run("release", "info", published.pull_spec, "--commits")
    linted = program.run("release", "lint", published.pull_spec)

    assert (listed.code, linted.code) == (0, 0), linted.out + linted.err
    for name, branch in (
        ("cluster-ingress-operator", f"release-{NEW}"),
        ("etcd", f"openshift-{NEW}"),
        ("kube-rbac-proxy", "main"),
    ):
        assert f"{HUB}/{name}" in listed.out
        assert world[name].find(branch) in listed.out


def test_a_lock_outlives_the_branches(rig, published, tmp_path) -> None:
    """What was locked is built from the locked commits when branches have moved on."""
    program = rig.program(like=published.program)
    stream = rig.stream(host=published.host)
    locked = program.run("lock", stream, "--to", tmp_path / "stream.lock")
    assert locked.code == 0, locked.err
    change(rig, "etcd", f"openshift-{NEW}", "cmd/etcd/main.go", "etcd 4.16", "etcd 4.16.1")

    kept = program.build(stream, "--lock", tmp_path / "stream.lock")
    moved = program.build(stream)

    assert built_in(kept) == set()
    assert digests_of(kept) == digests_of(published.printed)
    assert built_in(moved) == {"etcd"}


def test_a_pushed_commit_builds_what_stands_on_it(rig, published) -> None:
    """A commit to a branch builds its images, what copies from them, and nothing else."""
    program = rig.program(like=published.program)
    stream = rig.stream(host=published.host)
    change(rig, "oc", f"release-{NEW}", "cmd/oc/main.go", '"oc"', '"client"')

    assert built_in(program.build(stream)) == {"cli", "cli-artifacts"}


def test_a_pull_request_of_one_component(rig, published) -> None:
    """A component at a pull request, on a release: that one is built and the rest taken over."""
    program = rig.program(like=published.program)
    world = rig.world["kube-rbac-proxy"]
    files = world.files("main")
    files["cmd/kube-rbac-proxy/main.go"] = files["cmd/kube-rbac-proxy/main.go"].replace("4.16", "5")
    world.commit("refs/pull/5/head", files, on="main")
    stream = rig.stream(host=published.host)
    source = f"kube-rbac-proxy={HUB}/kube-rbac-proxy@refs/pull/5/head"

    printed = program.build(stream, "--from-release", published.pull_spec, "--component", source)

    before, after = in_release(published.printed), in_release(printed)
    assert built_in(printed) == {"kube-rbac-proxy"}
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {"kube-rbac-proxy"}


def test_a_killed_build_goes_on_where_it_was(rig, published) -> None:
    """After SIGKILL in the middle, the same command builds the rest, with the same digests."""
    program = rig.program()
    stream = rig.stream(host=published.host)
    run = program.start("build", stream, "-o", "json")
    assert run.stderr
    made = 0
    while made < 4:
        line = run.stderr.readline()
        assert line, "it ended before it was killed"
        made += " built " in f" {line} "
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()

    printed = program.build(stream)

    assert digests_of(printed) == digests_of(published.printed)
    assert 0 < len(built_in(printed)) < len(COMPONENTS)
    assert program.leftovers() == []
