# SPDX-License-Identifier: Apache-2.0
"""Following another branch: who has it, who not, and what servers in trouble change about that."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest
from rig_stream import COMPONENTS, EXCEPTIONS, HUB
from rig_world import NEW, OLD

pytestmark = pytest.mark.integration

TO = f"release-{NEW}"


@pytest.fixture
def old(rig) -> Path:
    """The stream as it was one release ago."""
    return rig.stream("old", branch=f"release-{OLD}", exceptions={})


def outcomes(printed: dict) -> dict[str, str]:
    """What became of each component that has not simply the branch."""
    return {
        each["component"]: each["outcome"]
        for each in printed["components"]
        if each["outcome"] != "found"
    }


def test_a_branch_is_written_once(rig, old) -> None:
    """The ref stands once, those that lack it are exceptions, and nothing else is touched."""
    program, file = rig.program(), old / "stream.yaml"
    before = file.read_text()

    looked = program.run("catalog", "branch", TO, old)
    assert file.read_text() == before
    written = program.run("catalog", "branch", TO, old, "--write", "-o", "json")

    assert looked.code == 0, looked.err
    assert outcomes(written.document()) == {"etcd": "fallback", "kube-rbac-proxy": "fallback"}
    expected = before.replace(f"branch: release-{OLD}", f"branch: {TO}").replace(
        "# what everybody builds",
        "# what everybody builds\n  exceptions:\n"
        + "\n".join(f"    {name}: {ref}" for name, ref in EXCEPTIONS.items()),
    )
    assert file.read_text() == expected
    assert f"lacks {TO}" in looked.out


def test_a_second_run_changes_nothing(rig, old) -> None:
    """What is written already stays, byte for byte."""
    program = rig.program()
    assert program.run("catalog", "branch", TO, old, "--write").code == 0
    written = (old / "stream.yaml").read_bytes()

    again = program.run("catalog", "branch", TO, old, "--write")

    assert (again.code, (old / "stream.yaml").read_bytes()) == (0, written)
    assert again.err.endswith("as it was\n")


def test_a_repository_without_any_branch_is_named(rig, old) -> None:
    """Where nothing can stand in for the branch, the component and what to write are told."""
    for branch in ("main", f"release-{OLD}"):
        rig.world["kube-rbac-proxy"].git("update-ref", "-d", f"refs/heads/{branch}")
    rig.world["kube-rbac-proxy"].commit("develop", {"README": "moved\n"})

    ended = rig.program().run("catalog", "branch", TO, old)

    assert ended.code == 1
    assert "1 component without any branch to build from: kube-rbac-proxy" in ended.err
    assert "git.exceptions" in ended.err


def test_servers_in_trouble_hold_up_nobody_else(rig, old) -> None:
    """A refusing and a silent repository are told, the others found; a rerun asks only these."""
    rig.http.refusals["openshift/etcd"] = 403
    rig.http.slow["openshift/os"] = threading.Event()
    program = rig.program()

    first = program.run("catalog", "branch", TO, old, "--write", "--patience", "10")
    text = (old / "stream.yaml").read_text()
    rig.http.refusals.clear()
    rig.http.slow.pop("openshift/os").set()
    rig.http.requests.clear()
    second = program.run("catalog", "branch", TO, old, "--write", "-o", "json")

    assert first.code == 3, first.err
    assert "2 components of unanswered repositories: etcd, machine-os-content" in first.err
    assert "returned error: 403" in first.out
    assert f"etcd: release-{OLD}" in text
    assert f"machine-os-content: release-{OLD}" in text
    assert outcomes(second.document()) == {"etcd": "fallback", "kube-rbac-proxy": "fallback"}
    asked = {line.split()[1].split("/")[2] for line in rig.http.requests}
    assert asked == {"etcd", "os"}
    assert f"machine-os-content: release-{OLD}" not in (old / "stream.yaml").read_text()


def test_a_rewritten_history_is_followed(rig, old) -> None:
    """A branch that was forced to another history means its new commit, also for the next plan."""
    program = rig.program()
    planned = program.run("plan", old, "-o", "json").document()
    world = rig.world["etcd"]
    files = world.files(f"release-{OLD}")
    rewritten = world.commit(f"release-{OLD}", files, "Begin anew", on="")

    again = program.run("plan", old, "-o", "json").document()

    commits = [
        {image["name"]: image.get("commit") for image in document["images"]}
        for document in (planned, again)
    ]
    assert commits[1]["etcd"] == rewritten != commits[0]["etcd"]
    assert commits[0] | {"etcd": rewritten} == commits[1]


def test_a_rewritten_history_is_told_beside_a_lock(rig, old) -> None:
    """With the lock, the branch that lacks the locked commit is named; one that grew is not."""
    program, lock = rig.program(), old / "stream.lock"
    assert program.run("lock", old, "--to", lock).code == 0
    world, branch = rig.world, f"release-{OLD}"
    world["etcd"].commit(branch, world["etcd"].files(branch), "Begin anew", on="")
    world["os"].commit(branch, world["os"].files(branch), "Go on")

    told = program.run("catalog", "branch", branch, old, "--lock", lock, "-o", "json").document()
    planned = program.run("plan", old, "--lock", lock)

    rewritten = [each["component"] for each in told["components"] if each.get("rewritten")]
    assert rewritten == ["etcd"]
    assert planned.code == 0, planned.err


def test_the_next_branch_comes_from_what_there_is(rig, old) -> None:
    """``--next`` finds what most repositories have next, and says so when there is nothing."""
    program = rig.program()

    found = program.run("catalog", "branch", "--next", old, "--write", "-o", "json").document()
    at_the_end = program.run("catalog", "branch", "--next", old)

    assert found["branch"] == TO
    components = {each["component"] for each in found["components"]}
    assert components >= set(COMPONENTS) - {"base", "builder"}
    assert at_the_end.code == 2
    assert f"no branch after {TO}" in at_the_end.err


def test_a_plan_tells_of_what_it_cannot_read(rig, old) -> None:
    """A repository that refuses is an issue of its component; the rest is read."""
    rig.http.refusals["openshift/etcd"] = 403
    program = rig.program()

    ended = program.run("plan", old, "-o", "json")
    rig.http.refusals.clear()
    again = program.run("plan", old, "-o", "json").document()

    printed = msgspec.json.decode(ended.out)
    assert ended.code == 1
    assert [(issue["code"], issue["component"]) for issue in printed["issues"]] == [
        ("source-unavailable", "etcd")
    ]
    assert f"{HUB}/etcd" in ended.err
    assert {name for wave in printed["waves"] for name in wave} == {*COMPONENTS, "root"}
    needing = {edge["image"] for edge in printed["edges"]}
    assert needing == set(COMPONENTS) - {"etcd"}
    assert again["issues"] == []
    assert {edge["image"] for edge in again["edges"]} == set(COMPONENTS)
