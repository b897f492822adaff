# SPDX-License-Identifier: Apache-2.0
"""Limit ranges, service accounts and quantities, beyond the transcripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cluster.kinds import LIMIT_RANGE, POD, RESOURCE_QUOTA, SERVICE_ACCOUNT
from okd_payload.testing.kubernetes import Refusal, SimulatedCluster
from okd_payload.testing.kubernetes.quantities import PATTERN, Quantity, read_quantity


@pytest.fixture
def cluster():
    """A cluster with nothing but what every cluster has."""
    return SimulatedCluster()


def _pod(cluster, resources=None, **spec):
    container = {"name": "c", "image": "quay.test/x:1", "resources": resources or {}}
    metadata = {"generateName": "p-", "namespace": "default"}
    return cluster.create(POD, {"metadata": metadata, "spec": {"containers": [container], **spec}})


def _limit(cluster, **item):
    metadata = {"name": "l", "namespace": "default"}
    limits = [{"type": "Container", **item}]
    cluster.create(LIMIT_RANGE, {"metadata": metadata, "spec": {"limits": limits}})


def test_containers_get_the_limits_of_their_namespace(cluster):
    """Where they have none of their own; a limit is a request too."""
    _limit(cluster, default={"memory": "1Gi"}, defaultRequest={"cpu": "100m"})
    container = _pod(cluster)["spec"]["containers"][0]
    assert container["resources"] == {
        "limits": {"memory": "1Gi"},
        "requests": {"cpu": "100m", "memory": "1Gi"},
    }
    own = _pod(cluster, {"limits": {"memory": "2Gi"}})["spec"]["containers"][0]["resources"]
    assert own["limits"] == {"memory": "2Gi"}


def test_who_says_nothing_is_out_of_bounds(cluster):
    """Bounds without defaults ask for limits and requests."""
    _limit(cluster, max={"memory": "1Gi"}, min={"memory": "1Mi"})
    with pytest.raises(Refusal) as refused:
        _pod(cluster)
    assert refused.value.message.endswith(
        "is forbidden: [minimum memory usage per Container is 1Mi.  No request is specified, "
        "maximum memory usage per Container is 1Gi.  No limit is specified]"
    )


def test_quotas_know_short_names_and_init_containers(cluster):
    """``cpu`` is ``requests.cpu``, and the greatest init container counts when it is greater."""
    metadata = {"name": "q", "namespace": "default"}
    cluster.create(RESOURCE_QUOTA, {"metadata": metadata, "spec": {"hard": {"cpu": "2"}}})
    first = [{"name": "i", "image": "x", "resources": {"requests": {"cpu": "1500m"}}}]
    _pod(cluster, {"requests": {"cpu": "1"}}, initContainers=first)
    quota = cluster.find(RESOURCE_QUOTA, "q", namespace="default")
    assert quota["status"]["used"] == {"cpu": "1500m"}
    with pytest.raises(Refusal, match="requested: cpu=1, used: cpu=1500m, limited: cpu=2"):
        _pod(cluster, {"requests": {"cpu": "1"}})
    with pytest.raises(Refusal, match="failed quota: q: must specify cpu for: c"):
        _pod(cluster)


def test_pods_take_what_their_account_pulls_with(cluster):
    """Unless they name secrets of their own."""
    metadata = {"name": "puller", "namespace": "default"}
    secrets = [{"name": "s"}]
    cluster.create(SERVICE_ACCOUNT, {"metadata": metadata, "imagePullSecrets": secrets})
    assert _pod(cluster, serviceAccountName="puller")["spec"]["imagePullSecrets"] == secrets


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
    ],
)
def test_the_quality_of_service_is_told(cluster, resources, quality):
    """By requests and limits."""
    assert _pod(cluster, resources)["status"]["qosClass"] == quality


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0"),
        ("1.5", "1500m"),
        ("1e3", "1k"),
        ("2Gi", "2Gi"),
        ("2048Mi", "2Gi"),
        ("1500Mi", "1500Mi"),
        ("100m", "100m"),
        (".5", "500m"),
        (2, "2"),
    ],
)
def test_quantities_are_read_and_shown(text, shown):
    """In the largest unit that has a whole number."""
    assert str(read_quantity(text)) == shown


@pytest.mark.parametrize("text", ["", "12XB", "Gi", "1 Gi", "--1", "1e", True, None])
def test_what_is_no_quantity(text):
    """Nothing is read."""
    assert read_quantity(text) is None


@given(st.text(alphabet="0123456789.eEinumkKMGTP+-", max_size=8))
def test_any_text_is_a_quantity_or_not(text):
    """Nothing else comes of it, and what is shown is read as the same."""
    found = read_quantity(text)
    if found is not None:
        again = read_quantity(str(found))
        assert isinstance(again, Quantity)
        assert abs(again.amount) >= abs(found.amount)


@given(st.from_regex(PATTERN, fullmatch=True) | st.text(max_size=12))
def test_any_quantity_is_written_or_is_none(text: str) -> None:
    """However many digits it has, adding and writing it loses none."""
    quantity = read_quantity(text)
    if quantity is not None and quantity.amount == quantity.amount.to_integral_value():
        again = read_quantity(str(quantity + Quantity(quantity.amount * 0)))
        assert again is not None
        assert again.amount == quantity.amount
