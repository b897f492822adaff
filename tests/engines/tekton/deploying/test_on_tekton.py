# SPDX-License-Identifier: Apache-2.0
"""Tekton's schemas and webhooks take what is deployed, and its accounts can do their work."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import click
import msgspec
import pytest
from deployed import EVERYTHING, NAMESPACE, deploy, desire

from okd_payload.build.plan import Plan
from okd_payload.cli.main import make_program
from okd_payload.cluster import kinds
from okd_payload.engines.pod.accounts import BUILDER, COORDINATOR, DEPLOYER, LISTENER, PULL_REQUEST
from okd_payload.engines.pod.rights import TEKTON
from okd_payload.engines.pod.tool import WORK_FOLDER
from okd_payload.engines.tekton.deploying.check import check_cluster
from okd_payload.engines.tekton.deploying.survey import survey
from okd_payload.engines.tekton.rendering import (
    RenderSettings,
    Variant,
    render_pipeline,
    render_run,
    render_tasks,
)
from okd_payload.errors import NotPermitted
from okd_payload.testing.kubernetes import MemoryCluster, SimulatedCluster
from okd_payload.testing.tekton.admission.plugin import add_tekton

VARIANT = Variant(name="small", plan=Plan(stream="small", nodes={}))
RENDERING = RenderSettings(tool=EVERYTHING.tool)
RENDERED = (*render_tasks((), EVERYTHING.tool), render_pipeline(VARIANT, RENDERING))


@pytest.fixture
def tekton(shared_data) -> SimulatedCluster:
    """A cluster with the definitions and webhooks of real releases."""
    cluster = SimulatedCluster()
    cluster.install(shared_data / "crds" / "tekton-pipelines")
    cluster.install(shared_data / "crds" / "tekton-triggers")
    add_tekton(cluster)
    return cluster


def user(account: str) -> str:
    """Who the pods of ``account`` are."""
    return f"system:serviceaccount:{NAMESPACE}:{account}"


def triggered(name: str) -> dict[str, Any]:
    """What an event makes, with its values in it."""
    for each in desire(EVERYTHING).objects:
        if each.kind == kinds.TRIGGER_TEMPLATE and each.name == name:
            (template,) = json.loads(each.content)["spec"]["resourcetemplates"]
            text = json.dumps(template)
            for parameter in ("components", "repository", "commit"):
                text = text.replace(f"$(tt.params.{parameter})", f"a-{parameter}")
            return json.loads(text)
    raise AssertionError(name)


async def test_tekton_takes_it_and_a_second_run_changes_nothing(tekton):
    """Defaults that webhooks fill in are no drift."""
    cluster = MemoryCluster(cluster=tekton)
    desired = desire(EVERYTHING, RENDERED)
    done = await deploy(cluster, desired)
    assert not done.issues
    changes = await survey(cluster, desired)
    assert changes.is_nothing, [each.difference for each in changes.changes]


async def test_the_job_that_follows_the_repository_can_deploy(tekton):
    """With the rights it was given, and with no others."""
    await deploy(MemoryCluster(cluster=tekton), desire(EVERYTHING, RENDERED))
    follower = MemoryCluster(cluster=tekton, user=user(DEPLOYER))
    own = msgspec.structs.replace(EVERYTHING, namespaced_only=True)
    wanted = desire(own, RENDERED[1:])
    assert await check_cluster(follower, wanted, admission_level="baseline") == []
    tekton.delete(kinds.ROLE, COORDINATOR, namespace=NAMESPACE)
    done = await deploy(follower, wanted)
    assert not done.issues
    assert (await survey(follower, wanted)).is_nothing
    assert tekton.find(kinds.CLUSTER_ROLE, f"{LISTENER}-{NAMESPACE}") is not None


async def test_the_job_needs_no_right_for_what_is_not_deployed(tekton):
    """Without a listener it may not even look at those of others."""
    own = msgspec.structs.replace(EVERYTHING, listener=None)
    await deploy(MemoryCluster(cluster=tekton), desire(own, RENDERED))
    follower = MemoryCluster(cluster=tekton, user=user(DEPLOYER))
    assert not await follower.may("list", kinds.EVENT_LISTENER, namespace=NAMESPACE)
    own = msgspec.structs.replace(own, namespaced_only=True)
    assert (await survey(follower, desire(own, RENDERED))).is_nothing


async def test_the_coordinator_has_the_rights_of_the_engine(tekton):
    """All of them, in its namespace only, and none on Secrets."""
    await deploy(MemoryCluster(cluster=tekton), desire(EVERYTHING, RENDERED))
    coordinator = MemoryCluster(cluster=tekton, user=user(COORDINATOR))
    for right in TEKTON:
        for verb in right.verbs:
            asked = {"subresource": right.subresource, "namespace": NAMESPACE}
            assert await coordinator.may(verb, right.kind, **asked)
            assert not await coordinator.may(
                verb, right.kind, subresource=right.subresource, namespace="default"
            )
    assert not await coordinator.may("get", kinds.SECRET, namespace=NAMESPACE)


@pytest.mark.parametrize("account", [BUILDER, PULL_REQUEST])
async def test_what_runs_code_of_others_has_no_right(tekton, account):
    """Not even to look."""
    await deploy(MemoryCluster(cluster=tekton), desire(EVERYTHING, RENDERED))
    pods = MemoryCluster(cluster=tekton, user=user(account))
    for kind in (kinds.SECRET, kinds.TASK_RUN, kinds.POD, kinds.CONFIG_MAP):
        with pytest.raises(NotPermitted):
            await pods.list(kind, namespace=NAMESPACE)
    made = tekton.find(kinds.SERVICE_ACCOUNT, account, namespace=NAMESPACE)
    assert made["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", ["okd-payload-push", "okd-payload-pull-request"])
async def test_the_listener_can_make_what_events_ask_for(tekton, name):
    """Tekton's webhooks take the runs, and the listener may create them."""
    await deploy(MemoryCluster(cluster=tekton), desire(EVERYTHING, RENDERED))
    listener = MemoryCluster(cluster=tekton, user=user(LISTENER))
    content = json.dumps(triggered(name)).encode()
    made = json.loads(await listener.create(kinds.TASK_RUN, content, namespace=NAMESPACE))
    assert made["metadata"]["name"].startswith(triggered(name)["metadata"]["generateName"])


def test_a_pull_request_is_built_with_nothing_worth_having():
    """No credentials, no token, an account without rights, and a network of its own."""
    run = triggered("okd-payload-pull-request")
    assert run["spec"]["serviceAccountName"] == PULL_REQUEST
    assert run["spec"]["podTemplate"]["automountServiceAccountToken"] is False
    assert "secret" not in json.dumps(run).lower()
    assert "REGISTRY_AUTH_FILE" not in json.dumps(run)
    assert run["metadata"]["labels"]["okd-payload.io/role"] == "pull-request"
    (build,) = (each for each in run["spec"]["taskSpec"]["steps"] if each["name"] == "build")
    assert "--repository" not in build["args"]
    assert "--from-release" in build["args"]


def containers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every container and step of everything that is rendered or deployed, by where it stands."""
    documents = [json.loads(each.content) for each in desire(EVERYTHING, RENDERED).objects]
    run = render_run(VARIANT, RENDERING)
    documents.append(msgspec.to_builtins(run))
    for document in documents:
        yield from _containers(document, f"{document['kind']}/{document['metadata'].get('name')}")


def _containers(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        for name, below in value.items():
            if name in ("containers", "initContainers", "steps", "sidecars"):
                for number, each in enumerate(below):
                    yield f"{where}.{name}[{number}]", each
            else:
                yield from _containers(below, f"{where}.{name}")
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _containers(below, f"{where}[{number}]")


CONTAINERS = dict(containers())


def test_the_walk_finds_pods_of_every_kind():
    """Tasks, jobs, templates of runs, the listener."""
    kinds_found = {where.partition("/")[0] for where in CONTAINERS}
    assert kinds_found == {"Task", "CronJob", "TriggerTemplate", "EventListener"}


@pytest.mark.parametrize("where", CONTAINERS)
def test_every_container_is_limited_and_has_no_more_than_it_needs(where):
    """Requests and limits, no privilege beyond the list with reasons, no secret in clear."""
    container = CONTAINERS[where]
    resources = container.get("resources") or container["computeResources"]
    for kind in ("requests", "limits"):
        assert {"cpu", "memory"} <= set(resources[kind]), kind
    security = container["securityContext"]
    assert "privileged" not in security
    assert security["capabilities"]["drop"] == ["ALL"]
    builds = bool(security["capabilities"].get("add"))
    words = container.get("args", [])
    is_build = words[:2] == ["step", "component"] or words[:2] == ["step", "batch"]
    is_trial = "pull-request" in where and words[:1] == ["build"]
    assert builds == (is_build or is_trial), where
    if not builds:
        assert security["allowPrivilegeEscalation"] is False
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for variable in container.get("env", []):
        assert set(variable) == {"name", "value"}
        assert not any(word in variable["name"] for word in ("PASSWORD", "TOKEN", "SECRET"))


def test_no_pod_reaches_the_node():
    """No folder, network, process or port of the node, and no writable Secret."""
    text = json.dumps([json.loads(each.content) for each in desire(EVERYTHING, RENDERED).objects])
    for field in ("hostPath", "hostNetwork", "hostPID", "hostIPC", "hostPort"):
        assert field not in text


@pytest.mark.parametrize("where", [each for each in CONTAINERS if "args" in CONTAINERS[each]])
def test_every_command_exists_with_its_options(where):
    """What pods run is what this program takes."""
    container = CONTAINERS[where]
    if container["command"] == ["git"]:
        assert container["args"][0] == "clone"
    elif container["command"] == ["okd-payload"]:
        check_words(container["args"])
    else:
        assert container["command"] == ["sh", "-c"]
        (script,) = container["args"]
        first, *lines = script.splitlines()
        assert first == "set -eu"
        called = [shlex.split(line) for line in lines if line.startswith("okd-payload ")]
        assert [words[1] for words in called] == ["step", "build", "step"]
        for words in called:
            check_words(words[1:])


def check_words(given_words: list[str]) -> None:
    """The command that is called takes every option of it."""
    command: click.Command = make_program()
    words = list(given_words)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    known = {name for item in command.params for name in (*item.opts, *item.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")} - {"--"}
    assert given <= known


def test_the_script_of_the_coordinator_hands_the_snapshot_over(tmp_path):
    """In a shell, with the tool replaced by something that shows its words."""
    (script,) = CONTAINERS[
        "TriggerTemplate/okd-payload-push.spec.resourcetemplates[0].spec.taskSpec.steps[1]"
    ]["args"]
    tool = tmp_path / "okd-payload"
    tool.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >>{tmp_path}/called\n'
        f"printf quay.test/small/content@sha256:1 >{tmp_path}/snapshot\n"
        'test "$1" != build || exit "${FAILS:-0}"\n'
    )
    tool.chmod(0o755)
    script = script.replace(f"{WORK_FOLDER}/snapshot", f"{tmp_path}/snapshot")
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], env=environment, check=True)
    called = (tmp_path / "called").read_text().splitlines()
    assert len(called) == 3
    for line in called[1:]:
        assert line.endswith("--snapshot quay.test/small/content@sha256:1")
    (tmp_path / "called").unlink()
    failed = subprocess.run(["sh", "-c", script], env=environment | {"FAILS": "1"}, check=False)
    assert failed.returncode == 1
    assert len((tmp_path / "called").read_text().splitlines()) == 2
