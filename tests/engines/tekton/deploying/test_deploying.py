# SPDX-License-Identifier: Apache-2.0
"""A deployment makes what is missing, mends what is off, and leaves alone what others made."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from deployed import EVERYTHING, NAMESPACE, PLAIN, RENDERED, deploy, desire, make

from okd_payload.cluster import kinds
from okd_payload.engines.tekton.deploying.carry_out import remove
from okd_payload.engines.tekton.deploying.changes import Action
from okd_payload.engines.tekton.deploying.check import check_cluster
from okd_payload.engines.tekton.deploying.survey import survey, survey_removal
from okd_payload.errors import ClusterUnavailable, PartlyDone
from okd_payload.testing.kubernetes import MemoryCluster, Refusal


def contents(simulated) -> dict[str, str]:
    """Everything in the cluster with its resource version, but what every namespace has."""
    return {
        f"{stored.key.resource} {stored.key.name}": stored.document["metadata"]["resourceVersion"]
        for stored in simulated.state.store.everything()
        if stored.key.name not in ("default", "kube-system", "kube-public")
    }


async def test_a_first_run_makes_everything(cluster, simulated):
    """The namespace, accounts, rights, tasks, and all that starts by itself."""
    desired = desire(EVERYTHING)
    before = await survey(cluster, desired)
    assert before.makes_namespace
    assert {each.action for each in before.changes} == {Action.CREATE}
    assert contents(simulated) == {}
    done = await deploy(cluster, desired)
    assert done.issues == ()
    for each in desired.objects:
        found = simulated.find(each.kind, each.name, namespace=NAMESPACE)
        assert found is not None, str(each)
        assert found["metadata"]["labels"]["okd-payload.io/deployment"] == "small"


async def test_a_second_run_changes_nothing(cluster, simulated):
    """Nothing is even written."""
    desired = desire(EVERYTHING)
    await deploy(cluster, desired)
    before = contents(simulated)
    changes = await survey(cluster, desired)
    assert changes.is_nothing
    assert not changes.issues
    await deploy(cluster, desired)
    assert contents(simulated) == before


async def test_what_was_lost_comes_back(cluster, simulated):
    """A deleted object and a removed label are drift, and are mended."""
    await deploy(cluster, desire())
    simulated.delete(kinds.TASK, "build", namespace=NAMESPACE)
    labels = {"labels": {"app.kubernetes.io/managed-by": "okd-payload", "okd-payload.io/role": "x"}}
    simulated.patch(kinds.TASK, "release", {"metadata": labels}, namespace=NAMESPACE)
    removed = {"metadata": {"annotations": None}}
    simulated.patch(kinds.ROLE, "okd-payload-coordinator", removed, namespace=NAMESPACE)
    changes = await survey(cluster, desire())
    assert {
        str(each.object): each.action for each in changes.changes if each.action is not Action.KEEP
    } == {
        "Task build": Action.CREATE,
        "Role okd-payload-coordinator": Action.CHANGE,
    }
    await deploy(cluster, desire())
    assert (await survey(cluster, desire())).is_nothing
    kept = simulated.find(kinds.TASK, "release", namespace=NAMESPACE)
    assert kept["metadata"]["labels"]["okd-payload.io/role"] == "x"


async def test_the_difference_is_shown_before_it_is_made(cluster):
    """Only what somebody decides about, line by line."""
    await deploy(cluster, desire())
    changed = desire(rendered=(make("Task", "build", "something"), *RENDERED[1:]))
    changes = await survey(cluster, changed)
    (change,) = changes.of(Action.CHANGE)
    lines = change.difference.splitlines()
    assert lines[:2] == ["--- Task build", "+++ Task build"]
    assert [line for line in lines[2:] if line[0] in "+-"] == [
        "-  description: nothing",
        "+  description: something",
    ]


async def test_what_is_no_longer_rendered_is_removed(cluster, simulated):
    """Tasks, and all that started by itself, accounts and rights included."""
    await deploy(cluster, desire(EVERYTHING))
    smaller = desire(PLAIN, rendered=RENDERED[1:])
    changes = await survey(cluster, smaller)
    removed = {str(each.object) for each in changes.of(Action.REMOVE)}
    assert {
        "Task build",
        "EventListener okd-payload",
        "CronJob okd-payload-build",
        "ClusterRole okd-payload-listener-builds",
        "ServiceAccount okd-payload-listener",
    } <= removed
    await deploy(cluster, smaller)
    assert (await survey(cluster, smaller)).is_nothing
    assert simulated.find(kinds.TASK, "build", namespace=NAMESPACE) is None
    assert simulated.find(kinds.CLUSTER_ROLE, "okd-payload-listener-builds") is None


async def test_what_others_made_is_never_touched(cluster, simulated):
    """Neither removed although it has our labels, nor changed although it has our name."""
    await deploy(cluster, desire())
    ours = simulated.find(kinds.TASK, "build", namespace=NAMESPACE)
    copied = {"name": "copied", "namespace": NAMESPACE, "labels": ours["metadata"]["labels"]}
    simulated.create(kinds.TASK, {"metadata": copied, "spec": {}})
    foreign = {"name": "another", "namespace": NAMESPACE}
    simulated.create(kinds.TASK, {"metadata": foreign, "spec": {}})
    assert (await survey(cluster, desire())).is_nothing
    wanted = desire(rendered=(*RENDERED, make("Task", "another"), make("Task", "copied")))
    changes = await survey(cluster, wanted)
    assert [issue.code for issue in changes.issues] == ["deploy-foreign-object"] * 2
    assert "Task another" in changes.issues[0].message


async def test_another_stream_in_the_same_namespace_is_left_alone(cluster):
    """Each stream prunes its own objects only."""
    await deploy(cluster, desire(rendered=(make("Task", "one"),)))
    other = msgspec.structs.replace(PLAIN, stream="other", namespace="others")
    await deploy(cluster, desire(other, rendered=(make("Task", "two"),)))
    assert (await survey(cluster, desire(rendered=(make("Task", "one"),)))).is_nothing


async def test_somebody_who_changed_a_field_is_named(cluster, simulated):
    """Nothing is taken from anybody without being asked to."""
    await deploy(cluster, desire())
    edit = {"spec": {"description": "mine"}}
    simulated.patch(kinds.TASK, "build", edit, namespace=NAMESPACE)
    changes = await survey(cluster, desire())
    (issue,) = changes.issues
    assert issue.code == "deploy-field-conflict"
    assert "okd-payload-simulator" in issue.message
    assert "description" in issue.message
    forced = await survey(cluster, desire(), overrule=True)
    (change,) = forced.of(Action.CHANGE)
    assert "-  description: mine" in change.difference
    await deploy(cluster, desire(), overrule=True)
    assert (await survey(cluster, desire())).is_nothing
    task = simulated.find(kinds.TASK, "build", namespace=NAMESPACE)
    assert task["spec"]["description"] == "nothing"


async def test_removal_leaves_nothing(cluster, simulated):
    """The namespace goes last; what belongs to the whole cluster goes too."""
    await deploy(cluster, desire(EVERYTHING))
    await remove(cluster, await survey_removal(cluster, desire(EVERYTHING)))
    assert contents(simulated) == {}
    assert (await survey_removal(cluster, desire(EVERYTHING))).is_nothing


async def test_a_namespace_of_somebody_else_is_used_as_it_is(cluster, simulated):
    """It gets no label, and stays when the deployment goes."""
    simulated.add_namespace(NAMESPACE, {"team": "a"})
    await deploy(cluster, desire())
    await remove(cluster, await survey_removal(cluster, desire()))
    namespace = simulated.find(kinds.NAMESPACE, NAMESPACE)
    assert namespace["metadata"]["labels"].get("team") == "a"
    assert "okd-payload.io/deployment" not in namespace["metadata"]["labels"]
    assert simulated.objects(kinds.TASK) == []


def refuse(kind, name, status=400, reason="BadRequest"):
    """Admission that does not have one object."""

    def check(document, request):
        if request.resource.kind == kind.kind and document["metadata"].get("name") == name:
            raise Refusal(status, reason, 'admission webhook "policy" denied the request: no')

    return check


@pytest.mark.parametrize("is_there", [False, True], ids=["new namespace", "namespace is there"])
async def test_an_object_that_is_refused_leaves_nothing(cluster, simulated, is_there):
    """Everything is tried before anything is made, as far as the cluster lets us."""
    if is_there:
        simulated.add_namespace(NAMESPACE)
    before = contents(simulated)
    simulated.validating.append(refuse(kinds.PIPELINE, "small"))
    changes = await survey(cluster, desire(EVERYTHING))
    if is_there:
        (issue,) = changes.issues
    else:
        done = await deploy(cluster, desire(EVERYTHING))
        (issue,) = done.issues
    assert issue.code == "deploy-object-refused"
    assert "policy" in issue.message
    assert set(contents(simulated)) == set(before)


class Failing(MemoryCluster):
    """A cluster that is gone at the nth request that would store something."""

    left = 0
    error: BaseException = ClusterUnavailable("the cluster cannot be reached")

    async def apply(self, kind, content, *, namespace="", dry_run=False):
        if not dry_run:
            self.left -= 1
            if self.left < 0:
                raise self.error
        return await super().apply(kind, content, namespace=namespace, dry_run=dry_run)


@pytest.mark.parametrize("error", [Failing.error, asyncio.CancelledError()], ids=["cut", "^C"])
@pytest.mark.parametrize("left", range(0, 30, 3))
async def test_a_run_that_cannot_go_on_takes_back_what_it_made(simulated, left, error):
    """Wherever it is cut off, the same command does all of it later."""
    cluster = Failing(cluster=simulated)
    cluster.left, cluster.error = left, error
    desired = desire(EVERYTHING)
    with pytest.raises(type(error)):
        await deploy(cluster, desired)
    assert contents(simulated) == {}
    cluster.left = 1000
    await deploy(cluster, desired)
    assert (await survey(cluster, desired)).is_nothing


async def test_what_stays_changed_is_named(simulated):
    """Who was cut off half-way hears which objects are as wanted already, and what to do."""
    cluster = Failing(cluster=simulated)
    cluster.left = 1000
    await deploy(cluster, desire())
    cluster.left = 2
    wanted = desire(
        rendered=(
            make("Task", "new"),
            make("Task", "build", "more"),
            make("Task", "release", "more"),
            RENDERED[2],
        )
    )
    with pytest.raises(PartlyDone, match="cannot be reached") as caught:
        await deploy(cluster, wanted)
    assert "what was changed stays so: Task build" in caught.value.message
    assert "Task release" not in caught.value.message
    assert "the same command" in caught.value.hint
    assert simulated.find(kinds.TASK, "new", namespace=NAMESPACE) is None
    assert simulated.find(kinds.TASK, "build", namespace=NAMESPACE)["spec"]["description"] == "more"


class Gone(Failing):
    """The same, and what was made cannot be removed any more either."""

    async def delete(self, kind, name, *, namespace="", wait=False):
        raise ClusterUnavailable("the cluster cannot be reached")


async def test_what_cannot_be_taken_back_is_named(simulated):
    """And the way on is told."""
    cluster = Gone(cluster=simulated)
    cluster.left = 2
    with pytest.raises(PartlyDone, match=r"could not be undone: ServiceAccount.*Namespace") as left:
        await deploy(cluster, desire())
    assert "--remove" in left.value.hint


async def test_a_kind_that_is_missing_is_told_once(simulated):
    """A cluster that is too old for something, and cannot say it better."""
    cluster = MemoryCluster(cluster=simulated)
    served = cluster.serves

    async def serves(kind):
        return kind != kinds.CRON_JOB and await served(kind)

    cluster.serves = serves
    issues = await check_cluster(cluster, desire(EVERYTHING), admission_level="baseline")
    assert [issue.code for issue in issues] == ["deploy-kind-missing"]
    assert "CronJob of batch/v1" in issues[0].message
    assert "1.36" in issues[0].hint


async def test_a_binding_whose_role_is_not_there_yet_is_made(cluster, simulated):
    """Who is no administrator cannot try a binding before its role is there."""
    simulated.add_namespace(NAMESPACE)

    def need_role(document, request):
        role = document.get("roleRef", {}).get("name", "")
        key = "roles.rbac.authorization.k8s.io"
        if request.resource.kind == "RoleBinding" and not request.objects.find(
            key, request.namespace, role
        ):
            raise Refusal(404, "NotFound", f'roles.rbac.authorization.k8s.io "{role}" not found')

    simulated.validating.append(need_role)
    done = await deploy(cluster, desire())
    assert not done.issues
    assert (await survey(cluster, desire())).is_nothing


def test_every_object_says_why_it_is_there():
    """Whoever finds it on a cluster need not ask."""
    for each in desire(EVERYTHING).objects:
        document = json.loads(each.content)
        if each.kind.group not in ("tekton.dev", "triggers.tekton.dev"):
            assert document["metadata"]["annotations"]["okd-payload.io/reason"], str(each)
