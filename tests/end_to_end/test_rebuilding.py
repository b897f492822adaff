# SPDX-License-Identifier: Apache-2.0
"""What is built again, and what comes out of it: only what changed, and always the same."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from real_program import EXAMPLE, Program, digests_of

from okd_payload.engines.buildah.program import is_privileged
from okd_payload.testing.yardstick import attempt_below, count_children

pytestmark = pytest.mark.integration

BECOME_ORDINARY = Path(__file__).parents[1] / "engines" / "buildah" / "as_ordinary_user.sh"
ON_THE_BASE = {
    "base",
    "builder",
    "cli",
    "cluster-dns-operator",
    "cluster-ingress-operator",
    "cluster-network-operator",
    "cluster-version-operator",
    "coredns",
    "haproxy-router",
    "haproxy-router-base",
    "kube-rbac-proxy",
    "multus-cni",
    "service-ca-operator",
}


def built_in(printed: dict) -> set[str]:
    """The components that a run built."""
    return {item["name"] for item in printed["components"] if item["action"] == "built"}


def change(path: Path, old: str, new: str) -> None:
    """Replace a text in a file that has it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_first_build_makes_everything(built) -> None:
    """Every component is built, the root imported, the stub given its reason."""
    actions = {item["name"]: item["action"] for item in built.printed["components"]}

    assert actions == {
        **dict.fromkeys(ON_THE_BASE, "built"),
        "root": "imported",
        "network-tools": "stub",
    }
    assert built.printed["issues"] == []
    assert built.program.leftovers() == []


def test_a_second_build_builds_nothing(built) -> None:
    """The same release comes out in less than two seconds."""
    for cost in attempt_below(2.0, clock=count_children):
        with cost:
            again = built.program.run("build", built.stream, "-o", "json")

    assert built_in(again.document()) == set()
    assert digests_of(again.document()) == built.digests
    assert again.err.splitlines()[:-1] == [
        line for line in again.err.splitlines() if line.startswith("stub network-tools: ")
    ]


def test_a_change_builds_its_component_only(resumed, quickstart, built) -> None:
    """After one line in a source that nothing is built on, one component is built."""
    change(quickstart / "sources/coredns/cmd/coredns.sh", "VERSION=1.0.0", "VERSION=1.0.1")

    printed = resumed.build(quickstart)

    assert built_in(printed) == {"coredns"}
    differing = {
        name for name, digest in digests_of(printed).items() if built.digests[name] != digest
    }
    assert differing == {"coredns", "release"}


def test_a_change_builds_what_stands_on_it(resumed, quickstart, built) -> None:
    """The dependants of what changed are built, and why is said."""
    change(quickstart / "sources/router/images/router-base/httpd.conf", "\n", "\n# changed\n")
    expected = {"haproxy-router-base", "haproxy-router"}

    planned = resumed.run("plan", quickstart, "-o", "json").document()
    printed = resumed.build(quickstart)

    assert {item["name"] for item in planned["images"] if item["intent"] == "build"} == expected
    assert built_in(printed) == expected
    reasons = {item["name"]: item["reason"] for item in printed["components"]}
    assert reasons["haproxy-router-base"].startswith("changed commit ")
    assert digests_of(printed)["cli"] == built.digests["cli"]


@pytest.mark.slow
def test_a_change_at_the_bottom_builds_everything_above(resumed, quickstart) -> None:
    """The base of everything is imported images' only child; all that stands on it is built."""
    change(quickstart / "sources/images/base/etc/os-release", "ID=", "VARIANT=x\nID=")

    assert built_in(resumed.build(quickstart)) == ON_THE_BASE


def test_a_contributor_builds_one_component(resumed, quickstart, built) -> None:
    """On top of a release only the named component is built, all else is taken over."""
    release = f"oci:{resumed.releases()}:{built.printed['release']['name']}"
    source = quickstart / "sources" / "coredns"
    change(source / "cmd" / "coredns.sh", "VERSION=1.0.0", "VERSION=1.0.1")
    on_top = ("--from-release", release, "--component", f"coredns={source}")

    printed = resumed.build(built.stream, *on_top)

    before = {image["name"]: image["reference"] for image in built.printed["release"]["images"]}
    after = {image["name"]: image["reference"] for image in printed["release"]["images"]}
    assert built_in(printed) == {"coredns"}
    assert {name for name in before if before[name] != after.get(name)} == {"coredns"}
    assert before.keys() == after.keys()
    assert printed["release"]["name"] != built.printed["release"]["name"]
    assert resumed.build(built.stream, *on_top)["release"] == printed["release"]


def test_a_contribution_leaves_the_stream_alone(resumed, quickstart, built) -> None:
    """After an override the plain stream is what it was, and nothing of it is built again."""
    source = quickstart / "sources" / "coredns"
    change(source / "cmd" / "coredns.sh", "VERSION=1.0.0", "VERSION=1.0.1")
    resumed.build(built.stream, "--component", f"coredns={source}")

    printed = resumed.build(built.stream)

    assert built_in(printed) == set()
    assert digests_of(printed) == built.digests


def test_a_lock_gives_the_same_release(resumed, built, tmp_path) -> None:
    """Building from a lock asks for nothing and makes nothing new."""
    locked = resumed.run("lock", built.stream, "--to", tmp_path / "stream.lock")
    assert (locked.code, locked.out) == (0, f"{tmp_path}/stream.lock\n")

    printed = resumed.build(built.stream, "--lock", tmp_path / "stream.lock")

    assert built_in(printed) == set()
    assert digests_of(printed) == built.digests


@pytest.mark.slow
def test_another_folder_and_no_state_give_the_same_digests(program, quickstart, built) -> None:
    """From a copy of the sources elsewhere, with other times and modes, the same comes out."""
    for path in quickstart.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(path.stat().st_mode & 0o700)
    program.state = program.home / ".local" / "State of mine"

    printed = program.build(
        quickstart, "--jobs", "3", OKD_PAYLOAD_STATE=str(program.state), TZ="Asia/Tokyo"
    )

    assert digests_of(printed) == built.digests


@pytest.mark.slow
def test_another_user_gets_the_same_digests(built) -> None:
    """An ordinary user, whom this machine does not know, makes the same release."""
    if not is_privileged():
        pytest.skip("only root can become another user; what we are is tested by all others")
    folder = Path(tempfile.mkdtemp(prefix="okd-payload-test-"))
    try:
        folder.chmod(0o755)
        program = Program(folder / "home")
        stream = shutil.copytree(EXAMPLE, program.home / "quickstart")

        ended = program.run(
            "build",
            stream,
            "-o",
            "json",
            within=("unshare", "--mount", "--", "sh", BECOME_ORDINARY, folder, sys.base_prefix),
        )

        assert digests_of(ended.document()) == built.digests
        assert program.leftovers() == []
        owners = {path.lstat().st_uid for path in (program.state / "streams").rglob("*")}
        assert owners == {23456}
    finally:
        shutil.rmtree(folder)
