# SPDX-License-Identifier: Apache-2.0
"""A real client against a small server of the API, and its errors."""

from __future__ import annotations

import json

import pytest
from scripted_api import kubeconfig

from okd_payload.cluster import ObjectKind
from okd_payload.cluster.configuration import find_cluster
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.errors import (
    ClusterError,
    ClusterUnavailable,
    InputError,
    NoSuchObject,
    NotPermitted,
)
from okd_payload.testing.document_server import Answer, DocumentServer

STREAMS = ObjectKind("image.openshift.io/v1", "ImageStream", "imagestreams")
MAPS = ObjectKind("v1", "ConfigMap", "configmaps")
VERSIONS = ObjectKind(
    "config.openshift.io/v1", "ClusterVersion", "clusterversions", namespaced=False
)
PATH = "/apis/image.openshift.io/v1/namespaces/okd/imagestreams/release"


def answer(document):
    """What an API server says."""
    body = json.dumps(document).encode()
    return Answer(body=body, headers={"Content-Type": "application/json"})


@pytest.fixture
def server():
    """An API server."""
    with DocumentServer() as server:
        yield server


@pytest.fixture
async def cluster(server, tmp_path):
    """The cluster behind the server."""
    path = kubeconfig(tmp_path / "kubeconfig", server.url, namespace="okd")
    async with open_cluster(path, patience=0) as cluster:
        yield cluster


async def test_objects_come_as_they_are(cluster, server):
    """Fields that nobody here knows are kept, and the context's namespace is meant."""
    document = {"kind": "ImageStream", "metadata": {"name": "release"}, "spec": {"odd": [1, None]}}
    server.documents[PATH] = answer(document)
    assert json.loads(await cluster.get(STREAMS, "release")) == document
    assert cluster.namespace == "okd"


async def test_other_namespaces_and_none(cluster, server):
    """Kinds of the core group and of the whole cluster have paths of their own."""
    server.documents["/api/v1/namespaces/x/configmaps/a"] = answer({"data": {"b": "c"}})
    server.documents["/apis/config.openshift.io/v1/clusterversions/version"] = answer({"a": 1})
    assert json.loads(await cluster.get(MAPS, "a", namespace="x")) == {"data": {"b": "c"}}
    assert json.loads(await cluster.get(VERSIONS, "version")) == {"a": 1}


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, NoSuchObject, "ImageStream release in namespace okd of http.* is not there"),
        (401, NotPermitted, "does not know us"),
        (403, NotPermitted, r"get imagestreams\.image\.openshift\.io in namespace okd is missing"),
        (503, ClusterUnavailable, "cluster answers"),
        (400, ClusterError, "cluster answers"),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_refusals(status, error, words, kind, cluster, server):
    """The status decides about the error, whether the server or a proxy before it says it."""
    said = {"kind": "Status", "code": status, "message": "said"}
    headers = {"Content-Type": kind} if kind else {}
    server.documents[PATH] = Answer(status=status, body=json.dumps(said).encode(), headers=headers)
    with pytest.raises(error, match=words):
        await cluster.get(STREAMS, "release")


async def test_what_is_no_api_server(cluster, server):
    """A page instead of an object is an error of the cluster."""
    server.documents[PATH] = b"<html>"
    with pytest.raises(ClusterError, match="no object of an API"):
        await cluster.get(STREAMS, "release")


async def test_nobody_there(tmp_path):
    """A cluster that cannot be reached says so, with its address."""
    async with open_cluster(
        kubeconfig(tmp_path / "k", "http://127.0.0.1:1"), patience=0
    ) as cluster:
        with pytest.raises(ClusterUnavailable, match=r"127\.0\.0\.1:1: the cluster cannot be"):
            await cluster.get(STREAMS, "release")


def test_which_cluster(monkeypatch, tmp_path):
    """A named file beats the variable, the variable beats the home, and contexts are looked for."""
    home, first, second = (tmp_path / name for name in (".kube", "first", "second"))
    home.mkdir()
    kubeconfig(home / "config", "https://home.test")
    assert find_cluster().cluster.server == "https://home.test"
    kubeconfig(first, "https://first.test")
    kubeconfig(second, "https://second.test")
    second.write_text(second.read_text().replace("name: it", "name: other"))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{first}:{second}")
    assert find_cluster().cluster.server == "https://first.test"
    assert find_cluster(context="other").cluster.server == "https://second.test"
    assert find_cluster(second, "other").cluster.server == "https://second.test"
    with pytest.raises(InputError, match="'third' not found"):
        find_cluster(context="third")


def test_in_a_pod(monkeypatch, tmp_path):
    """Without a kubeconfig the service account says where we are; with one it does not."""
    for name, text in (("token", "t"), ("namespace", "okd"), ("ca.crt", "")):
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match="no cluster is known here"):
        find_cluster(account=tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    found = find_cluster(account=tmp_path)
    assert (found.cluster.server, found.namespace) == ("https://[fd00::1]:443", "okd")
    named = kubeconfig(tmp_path / "k", "https://a.test")
    assert find_cluster(named, account=tmp_path).cluster.server == "https://a.test"


def test_a_kubeconfig_that_cannot_be_read(tmp_path):
    """A file that is named and not there is an error, wherever else a cluster may be known."""
    with pytest.raises(InputError, match=r"none not found|No such file"):
        find_cluster(tmp_path / "none")


def test_no_cluster_at_all():
    """Whoever has no cluster is told how to name one."""
    with pytest.raises(InputError, match="no cluster is known here") as raised:
        find_cluster()
    assert "--kubeconfig" in raised.value.hint


@pytest.mark.parametrize("text", ["a: [", "[]", "clusters: 1", "clusters: []", "", "\x00"])
def test_what_is_no_kubeconfig(text, tmp_path):
    """A file that is something else is named."""
    path = tmp_path / "k"
    path.write_text(text)
    with pytest.raises(InputError, match="is no kubeconfig"):
        find_cluster(path)


async def test_keys_that_are_none(tmp_path):
    """Credentials that cannot be used are told before anything is sent."""
    path = kubeconfig(tmp_path / "k", "https://a.test")
    path.write_text(
        path.read_text().replace("token: t", "client-certificate: /none\n    client-key: /none")
    )
    with pytest.raises(InputError, match="context it cannot be used"):
        async with open_cluster(path):
            pass
