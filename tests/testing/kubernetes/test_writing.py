# SPDX-License-Identifier: Apache-2.0
"""Making and changing objects: names, generations, statuses, patches."""

from __future__ import annotations

import pytest

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import CONFIG_MAP, NAMESPACE, POD, SECRET, SERVICE_ACCOUNT
from okd_payload.testing.kubernetes import Refusal, SimulatedCluster
from okd_payload.testing.kubernetes import changes as api_changes
from okd_payload.testing.kubernetes.admission import Operation
from okd_payload.testing.kubernetes.requests import PatchType, WriteOptions
from okd_payload.testing.kubernetes.statuses import denied_by_webhook

THING = ObjectKind("example.com/v1", "Thing", "things")


@pytest.fixture
def cluster():
    """A cluster with a kind that takes everything."""
    simulated = SimulatedCluster()
    simulated.serve(THING)
    return simulated


def _thing(name="x", **rest):
    return {"metadata": {"name": name, "namespace": "default"}, **rest}


def _patch(cluster, kind, change, *, of=THING, name="x"):
    target = cluster.target(of, namespace="default", name=name)
    return api_changes.patch(
        cluster.state, target, kind, change, options=WriteOptions(manager="test")
    ).document


def test_names_are_made_from_their_beginning(cluster):
    """Long beginnings are cut, so that a name has at most 63 characters; all differ."""
    metadata = {"generateName": "a" * 80 + "-", "namespace": "default"}
    names = {cluster.create(THING, {"metadata": metadata})["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20
    assert {len(name) for name in names} == {63}


def test_the_same_seed_gives_the_same_names_and_uids():
    """A test that fails fails again."""
    made = []
    for _ in range(2):
        simulated = SimulatedCluster(seed=7)
        simulated.serve(THING)
        metadata = {"generateName": "x-", "namespace": "default"}
        found = simulated.create(THING, {"metadata": metadata})["metadata"]
        made.append((found["name"], found["uid"]))
    assert made[0] == made[1]


def test_the_generation_counts_what_is_wanted(cluster):
    """Neither labels nor the status move it; a change of nothing moves nothing."""
    cluster.create(THING, _thing(spec={"a": 1}))
    cluster.patch(THING, "x", {"metadata": {"labels": {"l": "1"}}}, namespace="default")
    after = cluster.set_status(THING, "x", {"phase": "Busy"}, namespace="default")
    assert after["metadata"]["generation"] == 1
    same = cluster.patch(THING, "x", {"spec": {"a": 1}}, namespace="default")
    assert same["metadata"]["resourceVersion"] == after["metadata"]["resourceVersion"]
    after = cluster.patch(THING, "x", {"spec": {"a": 2}}, namespace="default")
    assert after["metadata"]["generation"] == 2
    assert after["status"] == {"phase": "Busy"}


def test_the_status_is_written_apart(cluster):
    """A status at creation is dropped, and the main resource does not change it."""
    made = cluster.create(THING, _thing(status={"phase": "Done"}))
    assert "status" not in made
    cluster.patch(THING, "x", {"status": {"phase": "Done"}}, namespace="default")
    assert "status" not in cluster.find(THING, "x", namespace="default")
    change = {"status": {"phase": "Done"}, "spec": {"a": 1}}
    after = cluster.patch(THING, "x", change, namespace="default", subresource="status")
    assert (after["status"], "spec" in after) == ({"phase": "Done"}, False)


def test_places_must_be_there(cluster):
    """An absent namespace is 404, another one than that of the request 400."""
    with pytest.raises(Refusal, match='namespaces "nowhere" not found'):
        cluster.create(THING, {"metadata": {"name": "x", "namespace": "nowhere"}})
    with pytest.raises(Refusal, match="does not match the namespace sent on the request"):
        cluster.create(THING, _thing(), namespace="kube-system")


def test_new_namespaces_have_an_account(cluster):
    """The service account ``default`` is there at once, and pods run as it."""
    cluster.create(NAMESPACE, {"metadata": {"name": "fresh"}})
    assert cluster.find(SERVICE_ACCOUNT, "default", namespace="fresh") is not None
    container = {"name": "c", "image": "quay.test/x"}
    metadata = {"name": "p", "namespace": "fresh"}
    pod = cluster.create(POD, {"metadata": metadata, "spec": {"containers": [container]}})
    assert pod["spec"]["serviceAccountName"] == "default"
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_patches_of_json(cluster):
    """Operations apply in order, and none when one does not fit."""
    cluster.create(THING, _thing(spec={"a": [1, 2], "b/c": 1}))
    after = _patch(
        cluster,
        PatchType.JSON,
        [
            {"op": "test", "path": "/spec/a/0", "value": 1},
            {"op": "add", "path": "/spec/a/-", "value": 3},
            {"op": "add", "path": "/spec/a/0", "value": 0},
            {"op": "remove", "path": "/spec/b~1c"},
            {"op": "copy", "from": "/spec/a", "path": "/spec/d"},
            {"op": "move", "from": "/spec/d", "path": "/spec/e"},
            {"op": "replace", "path": "/spec/a", "value": []},
        ],
    )
    assert after["spec"] == {"a": [], "e": [0, 1, 2, 3]}
    for wrong in (
        {"op": "replace", "path": "/spec/nosuch", "value": 1},
        {"op": "add", "path": "/spec/a/7", "value": 1},
        {"op": "dance", "path": "/spec"},
        {"path": "/spec"},
        {"op": "remove", "path": "spec"},
    ):
        with pytest.raises(Refusal) as refused:
            _patch(cluster, PatchType.JSON, [{"op": "remove", "path": "/spec/e"}, wrong])
        assert refused.value.code == 422
    assert cluster.find(THING, "x", namespace="default")["spec"] == after["spec"]


def test_strategic_patches_merge_lists_by_their_keys(cluster):
    """Containers are known by name, tolerations are replaced, and directives are followed."""
    containers = [{"name": name, "image": f"quay.test/{name}"} for name in ("a", "b")]
    cluster.create(POD, _thing(spec={"containers": containers}))
    after = _patch(
        cluster,
        PatchType.STRATEGIC,
        {"spec": {"containers": [{"name": "b", "image": "quay.test/other"}]}},
        of=POD,
    )
    assert [each["image"] for each in after["spec"]["containers"]] == [
        "quay.test/a",
        "quay.test/other",
    ]
    with pytest.raises(Refusal, match="pod updates may not change fields other than"):
        _patch(
            cluster,
            PatchType.STRATEGIC,
            {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}},
            of=POD,
        )


def test_what_is_immutable_stays(cluster):
    """The type of a Secret, and the data of one that says so."""
    cluster.create(SECRET, _thing(type="Opaque", immutable=True, data={"a": "YQ=="}))
    with pytest.raises(Refusal, match="type: Invalid value"):
        cluster.patch(SECRET, "x", {"type": "example.com/other"}, namespace="default")
    with pytest.raises(Refusal, match="field is immutable when `immutable` is set"):
        cluster.patch(SECRET, "x", {"data": {"a": "Yg=="}}, namespace="default")


def test_admission_changes_and_refuses(cluster):
    """Functions see operation, old object and user, and their refusals end the request."""
    seen = []

    def mutate(document, request):
        seen.append((request.operation, request.resource.kind, request.old is None))
        document["spec"] = {**document.get("spec", {}), "filled": True}
        return document

    def validate(document, request):
        if document.get("spec", {}).get("bad"):
            raise denied_by_webhook("check.example.com", "it is bad")

    cluster.mutating.append(mutate)
    cluster.validating.append(validate)
    assert cluster.create(THING, _thing())["spec"] == {"filled": True}
    with pytest.raises(
        Refusal, match=r'admission webhook "check\.example\.com" denied the request: it is bad'
    ):
        cluster.patch(THING, "x", {"spec": {"bad": 1}}, namespace="default")
    assert seen == [(Operation.CREATE, "Thing", True), (Operation.UPDATE, "Thing", False)]


def test_owners_of_fields_are_kept(cluster):
    """Whoever changes a field owns it from then on."""
    cluster.create(CONFIG_MAP, _thing(data={"a": "1", "b": "2"}))
    _patch(cluster, PatchType.MERGE, {"data": {"a": "3"}}, of=CONFIG_MAP)
    managed = cluster.find(CONFIG_MAP, "x", namespace="default")["metadata"]["managedFields"]
    owned = {each["manager"]: each["fieldsV1"] for each in managed}
    assert owned["test"] == {"f:data": {"f:a": {}}}
    assert owned["okd-payload-simulator"] == {"f:data": {".": {}, "f:b": {}}}


def test_texts_of_secrets_become_data(cluster):
    """Whoever reads a Secret finds data only, and the type it has by default."""
    cluster.create(SECRET, _thing(stringData={"a": "b"}, data={"c": "ZA=="}))
    found = cluster.find(SECRET, "x", namespace="default")
    assert (found["data"], found["type"]) == ({"a": "Yg==", "c": "ZA=="}, "Opaque")
    assert "stringData" not in found
