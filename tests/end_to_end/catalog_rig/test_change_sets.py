# SPDX-License-Identifier: Apache-2.0
"""From one pull request of a shared library to a payload with it, and to what it breaks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import Any, NamedTuple

import msgspec
import pytest
from real_program import Ended, Program
from rig_components import API, CONFIG
from rig_stream import COMPONENTS, HUB, ON_API, program_in
from rig_world import CRD, HARMLESS, NEW, PULL_REQUEST

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CHANGE = f"openshift/api@{PULL_REQUEST}"
REACHED = ON_API | {"cli-artifacts", "installer-artifacts"}
BROKEN = "cluster-ingress-operator"


class Changed(NamedTuple):
    """A run with the pull request that breaks one component."""

    program: Program
    ended: Ended
    printed: dict[str, Any]
    report: dict[str, Any]


@pytest.fixture(scope="module")
def changed(published, tmp_path_factory) -> Changed:
    """The pull request, built over the published release."""
    folder = tmp_path_factory.mktemp("change")
    program = published.rig._replace(folder=folder).program(like=published.program)
    over = ("--change", CHANGE, "--from-release", published.pull_spec, "--keep-going")
    report = ("--report", folder / "report")
    ended = program.run("build", published.stream, *over, *report, "-o", "json")
    written = (folder / "report" / "report.json").read_bytes()
    return Changed(program, ended, msgspec.json.decode(ended.out), msgspec.json.decode(written))


def fates(printed: dict) -> dict[str, str]:
    """What became of each component that the change reached."""
    return {each["name"]: each["fate"] for each in printed["impact"]["components"]}


def reached(printed: dict, name: str) -> dict[str, Any]:
    """What is said of one component."""
    return next(each for each in printed["impact"]["components"] if each["name"] == name)


def specs(printed: dict) -> dict[str, str]:
    """Pull specs in the release of a run, by the names of images."""
    return {image["name"]: image["reference"] for image in printed["release"]["images"]}


def test_exactly_the_dependants_are_built(changed) -> None:
    """Direct and indirect users, one that replaces the library, and images with files of those."""
    assert fates(changed.printed) == {**dict.fromkeys(REACHED, "built"), BROKEN: "failed"}


def test_each_says_why_it_is_reached(changed) -> None:
    """Source, module or files: the reason names the file and line where it stands."""
    own = reached(changed.printed, "cluster-config-api")["reasons"]
    direct = reached(changed.printed, "cluster-etcd-operator")["reasons"]
    indirect = reached(changed.printed, "machine-config-operator")["reasons"]
    copied = reached(changed.printed, "cli-artifacts")["reasons"]

    assert [(each["way"], each["what"]) for each in own] == [("source", "openshift/api")]
    assert [(each["way"], each["what"]) for each in direct] == [("module", API)]
    assert (direct[0]["file"], "imports" in direct[0]["message"]) == ("go.mod", True)
    assert (indirect[0]["file"], "is built with" in indirect[0]["message"]) == ("go.mod", True)
    assert [(each["way"], each["what"]) for each in copied][-1] == ("files", "cli")
    assert all(reason["line"] for reason in (*own, *direct, *indirect, *copied))
    assert reached(changed.printed, "machine-config-operator")["packages"] == [CONFIG]


def test_what_breaks_is_told_with_its_first_error(changed) -> None:
    """The one that calls what the change takes away fails, and the compiler's words are there."""
    broken = reached(changed.printed, BROKEN)

    assert changed.ended.code == 1
    place = re.escape(f"cmd/{BROKEN}/main.go:10:23")
    assert re.fullmatch(rf"{place}: undefined: (config)?v1\.Describe", broken["error"]), broken
    assert BROKEN in changed.ended.err
    assert reached(changed.report, BROKEN)["error"] == broken["error"]


def test_the_payload_is_made_over_the_rest(changed, published) -> None:
    """What was built is new in it, what failed and what was not reached is as it was."""
    before, after = specs(published.printed), specs(changed.printed)

    assert before.keys() == after.keys()
    differing = {name for name in before if before[name] != after[name]}
    assert differing == (REACHED & before.keys()) - {BROKEN}


def test_the_payload_passes_lint_and_its_manifests_are_compared(changed) -> None:
    """Clusters would take it, and the definition that the library brings is among the changes."""
    release = changed.printed["release"]["name"]
    location = f"oci:{changed.program.releases('rig')}:{release}"
    linted = changed.program.run("release", "lint", location)
    shown = changed.program.run("release", "extract", location, "--file", CRD.rpartition("/")[2])

    assert linted.code == 0, linted.out
    assert "channel: {type: string}" in shown.out
    manifests = {each["name"]: each for each in changed.printed["impact"]["manifests"]}
    definition = manifests[CRD.rpartition("/")[2]]
    assert (definition["fate"], definition["added_lines"]) == ("changed", 1)
    assert "+              channel: {type: string}" in definition["diff"]


def test_the_change_is_in_what_was_built(changed, published) -> None:
    """The vendored copy is the changed one, and the module graph says which version it is."""
    specs_after = specs(changed.printed)
    text = program_in(changed.program, specs_after["machine-config-operator"])
    old = program_in(published.program, specs(published.printed)["machine-config-operator"])

    assert b" from a channel" in text
    assert b" from a channel" not in old


def test_nothing_of_the_stream_moves(changed, published) -> None:
    """After the change, building the stream itself builds nothing."""
    printed = changed.program.build(published.stream)

    assert {it["action"] for it in printed["components"]} <= {"reused", "imported"}
    assert changed.program.leftovers() == []


def test_a_dry_run_shows_the_set_and_builds_nothing(resumed, published) -> None:
    """``--dry-run`` says what would be built; depth and selection make it smaller."""
    command = ("build", published.stream, "--change", CHANGE, "--from-release", published.pull_spec)

    whole = resumed.run(*command, "--dry-run", "-o", "json").document()
    near = resumed.run(*command, "--dry-run", "--depth", "0", "-o", "json").document()
    some = resumed.run(
        *command, "--dry-run", "--only", "cluster-*", "--skip", BROKEN, "-o", "json"
    ).document()

    assert set(fates(whole)) == REACHED
    assert {name for name, fate in fates(near).items() if fate == "planned"} == {
        "cluster-config-api"
    }
    assert {name for name, fate in fates(some).items() if fate == "planned"} == {
        name for name in REACHED if name.startswith("cluster-") and name != BROKEN
    }
    assert whole["release"] is None


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("library-go", {"cluster-etcd-operator", "machine-config-operator"}),
        ("client-go", {"cli", "cli-artifacts"}),
        ("router", {"haproxy-router", "haproxy-router-base"}),
        ("images", set(COMPONENTS)),
    ],
)
def test_any_repository_may_be_changed(published, resumed, repository, expected) -> None:
    """Other libraries, a component with two images, and what everything is built on."""
    world = published.rig.world[repository]
    ref = f"refs/pull/{len(repository)}/head"
    files = world.files(f"release-{NEW}")
    changed = next(name for name in sorted(files) if name.endswith((".go", "Dockerfile")))
    comment = "//" if changed.endswith(".go") else "#"
    files[changed] += f"{comment} Changed.\n"
    world.commit(ref, files, "Change something", on=f"release-{NEW}")
    change = ("--change", f"openshift/{repository}@{ref}", "--from-release", published.pull_spec)

    printed = resumed.run("build", published.stream, *change, "--dry-run", "-o", "json").document()

    assert set(fates(printed)) == expected


def test_a_folder_and_a_second_change_at_once(published, resumed, tmp_path) -> None:
    """A checkout is taken with what is not committed, beside a pull request of another one."""
    world = published.rig.world
    checkout = tmp_path / "api"
    subprocess.run(
        ["git", "clone", "--quiet", "--branch", f"release-{NEW}", world["api"].path, checkout],
        check=True,
    )
    types = checkout / "config/v1/types.go"
    types.write_text(types.read_text().replace('" at "', '" uncommitted at "'))
    changes = ("--change", f"openshift/api={checkout}")
    changes += ("--change", f"{HUB}/etcd@openshift-{NEW}")
    over = ("--from-release", published.pull_spec, "--only", "cluster-etcd-operator")

    printed = resumed.build(published.stream, *changes, *over, "--only", "etcd")

    assert fates(printed)["cluster-etcd-operator"] == "built"
    assert b" uncommitted at " in program_in(resumed, specs(printed)["cluster-etcd-operator"])
    assert [change["dirty"] for change in printed["impact"]["changes"]] == [True, False]


def test_a_conflict_of_modules_spoils_nothing_else(rig, published, tmp_path) -> None:
    """A change that needs a package nobody has is told of each component that would need it."""
    program = rig.program(like=published.program)
    files = rig.world["api"].files(HARMLESS)
    files["config/v1/types.go"] = files["config/v1/types.go"].replace(
        "package v1\n", 'package v1\n\nimport _ "example.com/nowhere/absent"\n'
    )
    files["go.mod"] += "\nrequire example.com/nowhere v1.0.0\n"
    rig.world["api"].commit("refs/pull/8/head", files, "Need what nobody has", on=HARMLESS)

    ended = program.run(
        "build",
        published.stream,
        *("--change", "openshift/api@refs/pull/8/head", "--from-release", published.pull_spec),
        *("--keep-going", "-o", "json"),
    )

    printed = msgspec.json.decode(ended.out)
    assert ended.code == 1
    assert fates(printed)["cluster-config-api"] == "built"
    assert fates(printed)["cluster-etcd-operator"] == "conflict"
    assert "example.com/nowhere/absent" in reached(printed, "cluster-etcd-operator")["error"]
    assert printed["release"] is not None


def test_a_killed_change_set_goes_on(resumed, published, changed) -> None:
    """After SIGKILL in the middle the same command ends with the same release."""
    over = ("--change", CHANGE, "--from-release", published.pull_spec, "--keep-going")
    run = resumed.start("build", published.stream, *over)
    assert run.stderr
    while " built " not in f" {(line := run.stderr.readline())} ":
        assert line, "it ended before it was killed"
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()

    ended = resumed.run("build", published.stream, *over, "-o", "json")

    printed = msgspec.json.decode(ended.out)
    assert printed["release"]["digest"] == changed.printed["release"]["digest"]
    assert "reused" in fates(printed).values()
