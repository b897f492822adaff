# SPDX-License-Identifier: Apache-2.0
"""ProwJobs: made as the old controller makes them, followed, aborted, never made twice."""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rig import STREAM, Rig
from runners_rig import MakeContext, noted

from okd_payload.cluster.kinds import PROW_JOB
from okd_payload.controller.configuration.model import Input
from okd_payload.controller.configuration.openshift import read_openshift
from okd_payload.controller.model import Release, RunState
from okd_payload.controller.verification.cluster_runs import RUN_LABEL
from okd_payload.controller.verification.object_names import object_name
from okd_payload.controller.verification.planning import plan_runs
from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.runners.prowjob import ProwJobRunner
from okd_payload.controller.verification.runners.prowjob.definitions import JobDefinitions
from okd_payload.documents import parse_documents
from okd_payload.errors import Conflict, InputError, UnknownName
from okd_payload.testing.kubernetes import MemoryCluster
from okd_payload.testing.prow import Prow

JOB = "periodic-ci-okd-e2e-aws"
DEFINITION: dict[str, Any] = {
    "name": JOB,
    "agent": "kubernetes",
    "cluster": "build05",
    "labels": {"ci.test/kept": "yes"},
    "extra_refs": [{"org": "openshift", "repo": "release", "base_ref": "main"}],
    "spec": {
        "containers": [
            {
                "command": ["ci-operator"],
                "args": ["--target=e2e"],
                "env": [
                    {"name": "CLUSTER_TYPE", "value": "aws"},
                    {"name": "RELEASE_IMAGE_INITIAL", "value": "old"},
                    {"name": "IMAGE_FORMAT", "value": "old"},
                    {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "s"}}},
                ],
            }
        ]
    },
}


def write_jobs(folder: Path, *jobs: dict[str, Any], name: str = "okd-periodics.yaml") -> None:
    """A folder with definitions, as Prow has them: JSON is YAML."""
    folder.mkdir(exist_ok=True)
    entries = ["- " + "\n  ".join(f"{key}: {json.dumps(job[key])}" for key in job) for job in jobs]
    (folder / name).write_text("\n".join(["periodics:", *entries, ""]))


@pytest.fixture
def cluster(rig: Rig) -> MemoryCluster:
    """A cluster with Prow, which the controller knows."""
    made = MemoryCluster("ci")
    rig.surroundings = msgspec.structs.replace(rig.surroundings, cluster=made)
    return made


@pytest.fixture
def prow(cluster: MemoryCluster) -> Prow:
    """Prow in the cluster."""
    return Prow(cluster)


@pytest.fixture
def runner(rig: Rig, prow: Prow, tmp_path: Path) -> ProwJobRunner:
    """A runner that knows one job."""
    write_jobs(tmp_path / "jobs", DEFINITION)
    return ProwJobRunner(rig.surroundings, tmp_path / "jobs")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("success", (RunState.SUCCEEDED, "")),
        ("failure", (RunState.FAILED, "it broke")),
        ("error", (RunState.ERROR, "it broke")),
        ("aborted", (RunState.ABORTED, "it broke")),
    ],
)
async def test_a_job_is_made_followed_and_ends(
    runner: ProwJobRunner,
    prow: Prow,
    make_context: MakeContext,
    state: str,
    expected: tuple[RunState, str],
) -> None:
    """Its page and its end are those that Prow says."""
    context = make_context("prowjob", settings={"job": JOB})
    update = await runner.start(context)
    name = "4.20.0-0.test-2026-01-02-030405-e2e"
    assert (update.state, update.handle) == (RunState.RUNNING, f"ci/{name}")
    context = noted(context, update)
    await prow.begin(name)
    assert (await runner.poll(context)).url == f"https://prow.test/view/gs/results/logs/{JOB}/1"
    await prow.end(name, state, description="it\x1b broke")
    update = await runner.poll(context)
    assert (update.state, update.message) == expected


async def test_a_job_knows_its_release_and_keeps_what_is_its_own(
    rig: Rig, runner: ProwJobRunner, prow: Prow, make_context: MakeContext
) -> None:
    """What the definition declares is set, what every job needs is added, the rest stays."""
    context = make_context(
        "prowjob", settings={"job": JOB}, from_release="4.19.0", from_pull_spec="q/r:4.19.0"
    )
    await runner.start(context)
    (job,) = (await prow.jobs()).values()
    assert job["metadata"]["labels"]["ci.test/kept"] == "yes"
    assert job["metadata"]["annotations"]["release.openshift.io/from-tag"] == "4.19.0"
    assert job["spec"]["pod_spec"]["containers"][0]["env"] == [
        {"name": "CLUSTER_TYPE", "value": "aws"},
        {"name": "RELEASE_IMAGE_INITIAL", "value": "q/r:4.19.0"},
        {"name": "IMAGE_FORMAT", "value": "quay.test/okd/scos:${component}"},
        {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "s"}}},
        {"name": "RELEASE_IMAGE_LATEST", "value": context.release.pull_spec},
        {"name": "OPENSHIFT_INSTALL_AWS_PUBLIC_ONLY", "value": "false"},
    ]


async def test_a_job_is_made_once(
    runner: ProwJobRunner, prow: Prow, make_context: MakeContext
) -> None:
    """A kill between making it and noting it leads to the same one; others' are not taken."""
    context = make_context("prowjob", settings={"job": JOB})
    first = await runner.start(context)
    assert await runner.start(context) == first
    assert len(await prow.jobs()) == 1
    other = make_context("prowjob", settings={"job": JOB}, name="other")
    run = msgspec.structs.replace(other.run, handle=first.handle)
    with pytest.raises(Conflict, match="is somebody else's"):
        await runner.start(msgspec.structs.replace(other, run=run))


async def test_a_job_that_is_cancelled_is_aborted(
    runner: ProwJobRunner, prow: Prow, make_context: MakeContext
) -> None:
    """Prow ends it; one that has ended, or that never was, stays as it is."""
    context = make_context("prowjob", settings={"job": JOB})
    await runner.cancel(context)
    context = noted(context, await runner.start(context))
    await runner.cancel(context)
    assert (await runner.poll(context)).state is RunState.ABORTED
    name = context.run.handle.partition("/")[2]
    await prow.end(name, "success")
    await runner.cancel(context)
    assert (await runner.poll(context)).state is RunState.SUCCEEDED


async def test_many_runs_are_summed_up_and_ended_together(
    runner: ProwJobRunner, prow: Prow, make_context: MakeContext, tmp_path: Path
) -> None:
    """The job that sums up is made once, beside the first, and aborted with it."""
    write_jobs(tmp_path / "jobs", DEFINITION, {**DEFINITION, "name": "sums"})
    context = make_context(
        "prowjob",
        settings={"job": JOB, "aggregator": "sums"},
        verification={"runs": 3, "required": 2},
    )
    for number in (0, 1, 0):
        run = msgspec.structs.replace(context.run, number=number)
        await runner.start(msgspec.structs.replace(context, run=run))
    base = "4.20.0-0.test-2026-01-02-030405-e2e"
    sums = f"{base}-aggregator"
    assert (await prow.jobs()).keys() == {f"{base}-analysis-0", f"{base}-analysis-1", sums}
    await runner.cancel(context)
    states = {name: job["status"]["state"] for name, job in (await prow.jobs()).items()}
    assert states == {
        f"{base}-analysis-0": "aborted",
        f"{base}-analysis-1": "triggered",
        sums: "aborted",
    }


async def test_a_job_that_somebody_deleted_is_an_error(
    runner: ProwJobRunner, cluster: MemoryCluster, make_context: MakeContext
) -> None:
    """It says nothing of the release."""
    context = make_context("prowjob", settings={"job": JOB})
    context = noted(context, await runner.start(context))
    await cluster.delete(PROW_JOB, context.run.handle.partition("/")[2])
    update = await runner.poll(context)
    assert (update.state, update.message) == (
        RunState.ERROR,
        f"ProwJob {context.run.handle} was deleted",
    )


async def test_definitions_are_read_again_when_they_change(
    rig: Rig, runner: ProwJobRunner, make_context: MakeContext, tmp_path: Path
) -> None:
    """New files and changed ones; what is no job, or has no cluster, is said."""
    later = make_context("prowjob", settings={"job": "later"})
    with pytest.raises(UnknownName):
        await runner.start(later)
    job = {**DEFINITION, "name": "later", "cluster": "default"}
    write_jobs(tmp_path / "jobs", job, name="later.yaml")
    with pytest.raises(InputError, match="names no cluster"):
        await runner.start(later)
    write_jobs(tmp_path / "jobs", job | {"cluster": "build01"}, name="later.yaml")
    assert (await runner.start(later)).state is RunState.RUNNING
    nowhere = ProwJobRunner(rig.surroundings, None)
    with pytest.raises(InputError, match="none are known here"):
        await nowhere.start(make_context("prowjob", name="x", settings={"job": JOB}))
    absent = ProwJobRunner(rig.surroundings, tmp_path / "absent")
    with pytest.raises(InputError, match="there is no folder"):
        await absent.start(make_context("prowjob", name="x", settings={"job": JOB}))


async def test_what_prow_adds_to_jobs_is_added(
    rig: Rig, runner: ProwJobRunner, prow: Prow, make_context: MakeContext, tmp_path: Path
) -> None:
    """From its configuration beside the jobs; what a job says itself counts more."""
    job = {**DEFINITION, "name": "d", "decorate": True, "decoration_config": {"timeout": "2h"}}
    write_jobs(tmp_path / "jobs", job, name="d.yaml")
    (tmp_path / "jobs/config.yaml").write_text(
        "pod_namespace: test-pods\n"
        "plank:\n"
        "  default_decoration_config_entries:\n"
        "  - config: {timeout: 1h, grace_period: 15s}\n"
        "  - {repo: o/r, config: {timeout: 3h}}\n"
    )
    await runner.start(make_context("prowjob", settings={"job": "d"}))
    (made,) = (await prow.jobs()).values()
    assert made["spec"]["namespace"] == "test-pods"
    assert made["spec"]["decoration_config"] == {"timeout": "2h", "grace_period": "15s"}


def test_long_names_are_cut_by_the_old_controllers_rule() -> None:
    """The hash is of the name without what tells attempts apart; the end stays."""
    name = "4.21.0-0.okd-scos-2026-11-22-134748-aggregated-aws-ovn-upgrade-4.21-micro"
    cut = object_name(name, "analysis-10")
    assert cut == "4.21.0-0.okd-scos-2026-11-22-134748-aggrega-dcs3ghk-analysis-10"
    assert len(cut) <= 63
    assert object_name(name)[-7:] == cut[-19:-12]
    assert object_name("short", "1") == "short-1"
    assert object_name("a" * 61, "1") == "a" * 61 + "-1"


DIFFERENT = {
    "RELEASE_IMAGE_LATEST": "releases are named by digest, not by tag",
    "RELEASE_IMAGE_INITIAL": "the same",
    "IMAGE_FORMAT": "there is no repository with a tag for each image of a release",
    "IMAGE_CLUSTER_VERSION_OPERATOR": "images are named by digest, where they are known",
    RUN_LABEL: "says whose job it is, so that nobody else's is taken for ours",
}
"""What differs from the old controller's ProwJobs on purpose, and why."""


async def test_jobs_are_those_of_the_old_controller(
    rig: Rig, prow: Prow, make_context: MakeContext, shared_data: Path, tmp_path: Path
) -> None:
    """Field by field, for every job that it made in the recordings, analyses and sums too."""
    compared = set()
    folder = shared_data / "release-controller-recordings/controller"
    for path in sorted(folder.glob("4*.json")):
        recording = json.loads(path.read_text())
        made = {
            entry["name"]: entry["object"]
            for entry in recording["timeline"]
            if entry.get("verb") == "create" and entry.get("kind") == "ProwJob"
        }
        if not made:
            continue
        (document,) = parse_documents(json.dumps(recording["config"]).encode(), path=path.name)
        configuration, _ = read_openshift(document)
        ours = await _make_all(rig, prow, make_context, tmp_path, configuration, made)
        for name, theirs in made.items():
            assert _comparable(ours[name]) == _comparable(theirs), name
            compared.add(name)
        assert ours.keys() >= made.keys()
    assert len(compared) >= 19
    assert any("analysis" in name for name in compared)
    assert any("aggregator" in name for name in compared)


async def _make_all(
    rig: Rig,
    prow: Prow,
    make_context: MakeContext,
    folder: Path,
    configuration: Any,
    made: dict[str, Any],
) -> dict[str, Any]:
    """The ProwJobs that we make for the same releases."""
    write_jobs(folder / "jobs", *_definitions(made).values())
    runner = ProwJobRunner(rig.surroundings, folder / "jobs")
    source = next(iter(made.values()))["metadata"]["annotations"]["release.openshift.io/source"]
    configuration = msgspec.structs.replace(configuration, input=Input(image_stream=source))
    for theirs in made.values():
        annotations = theirs["metadata"]["annotations"]
        name = annotations["release.openshift.io/tag"]
        release = Release(
            name=name, stream=STREAM, created=0, changed=0, input_hash="", pull_spec=f"q/r@{name}"
        )
        attempt = re.search(r"(?<!analysis)-([0-9])$", theirs["metadata"]["name"])
        for needed in plan_runs(configuration, release, [], now=1.0).needed:
            base = make_context("prowjob", release)
            run = msgspec.structs.replace(
                base.run,
                id=needed.identity(name),
                verification=needed.verification.name,
                number=needed.number,
                attempt=int(attempt.group(1)) if attempt else 0,
                from_release=annotations.get("release.openshift.io/from-tag", ""),
            )
            context = RunContext(
                configuration=configuration,
                verification=needed.verification,
                release=release,
                run=run,
                folder=base.folder,
            )
            if _is_meant(context, theirs):
                await runner.start(context)
    return await prow.jobs()


def _is_meant(context: RunContext, theirs: dict[str, Any]) -> bool:
    """Whether the recorded job is of this verification."""
    job = theirs["spec"]["job"]
    settings = context.verification.runner.settings
    sums = f"{context.verification.name}-{settings.get('aggregator', '')}"
    name = theirs["metadata"]["name"]
    tested = f"{context.run.release}-{context.verification.name}"
    return job in (settings.get("job"), sums) and name.startswith(tested)


def _definitions(made: dict[str, Any]) -> dict[str, Any]:
    """The definitions that the recorded jobs were made of: without what was added to them."""
    found = {}
    for theirs in made.values():
        spec = copy.deepcopy(theirs["spec"])
        for container in spec["pod_spec"]["containers"]:
            container["args"] = container["args"][:-1]
            container["env"].pop()
            while container["env"][-1]["name"].startswith("RELEASE_IMAGE_"):
                container["env"].pop()
        name = spec["job"].removeprefix("agg-")
        found[name] = {
            "name": name,
            "cluster": spec["cluster"],
            "namespace": spec["namespace"],
            "extra_refs": spec["extra_refs"],
            "spec": spec["pod_spec"],
        }
    return found


def _comparable(job: dict[str, Any]) -> dict[str, Any]:
    """The job without moments, what the server adds, and what differs on purpose."""
    job = copy.deepcopy(job)
    job["metadata"] = {key: job["metadata"][key] for key in ("name", "labels", "annotations")}
    job["metadata"]["labels"].pop(RUN_LABEL, None)
    del job["status"]["startTime"]
    for container in job["spec"]["pod_spec"]["containers"]:
        for variable in container["env"]:
            if variable["name"] in (*DIFFERENT, "JOB_START_TIME"):
                variable["value"] = ""
    return job


def test_a_folder_is_searched_again_only_when_a_file_has_changed(tmp_path: Path) -> None:
    """A job that is nowhere is asked for every few seconds, and a configuration is large."""
    definitions = JobDefinitions(tmp_path)
    write_jobs(tmp_path, DEFINITION | {"name": "periodic-other"})
    file = tmp_path / "okd-periodics.yaml"
    before = file.stat()
    with pytest.raises(UnknownName):
        definitions.find("periodic-anew1")
    file.write_text(file.read_text().replace("periodic-other", "periodic-anew1"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UnknownName):
        definitions.find("periodic-anew1")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert definitions.find("periodic-anew1").name == "periodic-anew1"
    file.unlink()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnknownName):
        definitions.find("periodic-anew1")
