# SPDX-License-Identifier: Apache-2.0
"""Server-side apply: who owns what, what conflicts, and what goes."""

from __future__ import annotations

import pytest

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.kinds import CONFIG_MAP, DEPLOYMENT
from okd_payload.testing.kubernetes import Refusal, SimulatedCluster, applying
from okd_payload.testing.kubernetes.requests import WriteOptions

THING = ObjectKind("example.com/v1", "Thing", "things")


@pytest.fixture
def cluster():
    """A cluster with a kind that takes everything."""
    simulated = SimulatedCluster()
    simulated.serve(THING)
    return simulated


def _apply(cluster, content, *, manager="one", force=False, kind=CONFIG_MAP, subresource=""):
    target = cluster.target(kind, namespace="default", name="x", subresource=subresource)
    document = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": "x", **content.pop("metadata", {})},
        **content,
    }
    options = WriteOptions(manager=manager, force=force)
    return applying.apply(cluster.state, target, document, options).document


def _managers(document):
    return {each["manager"]: each["fieldsV1"] for each in document["metadata"]["managedFields"]}


def test_what_is_no_longer_wanted_goes(cluster):
    """A field that was applied before and is not any more is removed."""
    _apply(cluster, {"data": {"a": "1", "b": "2"}})
    after = _apply(cluster, {"data": {"a": "1"}})
    assert after["data"] == {"a": "1"}
    assert _managers(after) == {"one": {"f:data": {"f:a": {}}}}


def test_what_somebody_else_wants_too_stays(cluster):
    """A field with the same value has several owners, and stays while one of them wants it."""
    _apply(cluster, {"data": {"a": "1", "b": "2"}})
    _apply(cluster, {"data": {"b": "2"}}, manager="two")
    after = _apply(cluster, {"data": {"a": "1"}})
    assert after["data"] == {"a": "1", "b": "2"}
    after = _apply(cluster, {"data": {}}, manager="two")
    assert after["data"] == {"a": "1"}


def test_another_value_is_a_conflict_unless_forced(cluster):
    """The refusal names the owner and the field; force takes the field over."""
    _apply(cluster, {"data": {"a": "1"}})
    with pytest.raises(Refusal) as refused:
        _apply(cluster, {"data": {"a": "2"}}, manager="two")
    assert refused.value.message == ('Apply failed with 1 conflict: conflict with "one": .data.a')
    after = _apply(cluster, {"data": {"a": "2"}}, manager="two", force=True)
    assert _managers(after) == {"two": {"f:data": {"f:a": {}}}}


def test_what_is_written_otherwise_is_owned_too(cluster):
    """A patch by somebody else makes a conflict for whoever applied the field."""
    _apply(cluster, {"data": {"a": "1"}})
    cluster.patch(CONFIG_MAP, "x", {"data": {"a": "9"}}, namespace="default")
    with pytest.raises(Refusal, match='conflict with "okd-payload-simulator"'):
        _apply(cluster, {"data": {"a": "1"}})


def test_lists_merge_by_their_keys(cluster):
    """Each applies its own container; the conflict about another's names it."""
    selector = {"matchLabels": {"a": "b"}}

    def wanted(name, image):
        template = {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": name, "image": image}]},
        }
        return {"spec": {"selector": dict(selector), "template": template}}

    _apply(cluster, wanted("a", "quay.test/a"), kind=DEPLOYMENT)
    after = _apply(cluster, wanted("b", "quay.test/b"), kind=DEPLOYMENT, manager="two")
    containers = after["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers] == ["a", "b"]
    with pytest.raises(
        Refusal, match=r'conflict with "one": \.spec\.template\.spec\.containers\[name="a"\]\.image'
    ):
        _apply(cluster, wanted("a", "quay.test/z"), kind=DEPLOYMENT, manager="two")
    after = _apply(cluster, wanted("c", "quay.test/c"), kind=DEPLOYMENT, manager="two")
    containers = after["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in containers] == ["a", "c"]


def test_nothing_new_is_no_change(cluster):
    """The resource version stays, however often the same is applied, and by a dry run too."""
    first = _apply(cluster, {"data": {"a": "1"}, "metadata": {"labels": {"l": "m"}}})
    again = _apply(cluster, {"data": {"a": "1"}, "metadata": {"labels": {"l": "m"}}})
    assert again == first


def test_the_status_is_applied_apart(cluster):
    """What is applied to the main resource leaves the status alone, and the other way round."""
    _apply(cluster, {"spec": {"a": 1}, "status": {"b": 2}}, kind=THING)
    after = _apply(
        cluster, {"status": {"b": 3}}, kind=THING, subresource="status", manager="controller"
    )
    assert (after["spec"], after["status"]) == ({"a": 1}, {"b": 3})
    after = _apply(cluster, {"spec": {"a": 2}}, kind=THING)
    assert (after["spec"], after["status"]) == ({"a": 2}, {"b": 3})


def test_a_stale_resource_version_is_refused(cluster):
    """Apply checks it where it is given."""
    made = _apply(cluster, {"data": {"a": "1"}})
    _apply(cluster, {"data": {"a": "2"}})
    stale = {"resourceVersion": made["metadata"]["resourceVersion"]}
    with pytest.raises(Refusal, match="the object has been modified"):
        _apply(cluster, {"data": {"a": "3"}, "metadata": stale})
