# SPDX-License-Identifier: Apache-2.0
"""What `release new` can be made from, besides files: the web, clusters, names of releases."""

from __future__ import annotations

import io
import json

import pytest
import yaml

from okd_payload.testing.document_server import Answer, DocumentServer

DIGEST = "sha256:" + "0" * 64
STREAM = {
    "kind": "ImageStream",
    "apiVersion": "image.openshift.io/v1",
    "metadata": {"name": "release", "annotations": {"of": "the stream"}},
    "spec": {
        "tags": [{"name": "etcd", "from": {"kind": "DockerImage", "name": f"q.test/e@{DIGEST}"}}]
    },
    "status": {"publicDockerImageRepository": "registry.test/okd/release"},
}
PATH = "/apis/image.openshift.io/v1/namespaces/okd/imagestreams/release"


@pytest.fixture
def server():
    """A web server, and an API server."""
    with DocumentServer({"/stream.yaml": yaml.safe_dump(STREAM).encode()}) as server:
        body, headers = json.dumps(STREAM).encode(), {"Content-Type": "application/json"}
        server.documents[PATH] = Answer(body=body, headers=headers)
        yield server


@pytest.fixture
def kubeconfig(server, tmp_path, monkeypatch):
    """A file that leads to the server."""
    content = {
        "current-context": "it",
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "contexts": [{"name": "it", "context": {"cluster": "c", "namespace": "okd"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return path


def test_a_stream_of_the_web(run_cli, server):
    """An address is read like a file, and its annotations are not the release's."""
    ended = run_cli("release", "new", "-f", f"{server.url}/stream.yaml", "-o", "json")
    merged = json.loads(ended.out)
    assert ended.code == 0
    assert merged["spec"]["tags"][0]["from"]["name"] == f"registry.test/okd/release@{DIGEST}"
    assert "annotations" not in merged["metadata"]
    ended = run_cli("release", "new", "-f", f"{server.url}/none.yaml?secret", "-o", "json")
    assert (ended.code, "404" in ended.err, "secret" in ended.err) == (1, True, False)


def test_a_stream_of_a_file(run_cli, tmp_path, monkeypatch):
    """Files and standard input are what they always were."""
    path = tmp_path / "stream.json"
    path.write_text(json.dumps(STREAM))
    stdin = io.TextIOWrapper(io.BytesIO(path.read_bytes()))
    monkeypatch.setattr("sys.stdin", stdin)
    ended = [
        run_cli("release", "new", "-f", name, "--name=1.0.0", "-o", "yaml") for name in (path, "-")
    ]
    tags = [yaml.safe_load(each.out)["spec"]["tags"] for each in ended]
    assert tags[0] == tags[1] != []


def test_a_folder_is_no_release_image(run_cli, tmp_path):
    """Whoever extracted a release is told to name the release."""
    (tmp_path / "image-references").write_text("{}")
    ended = run_cli("release", "new", "--from-release", tmp_path, "--name=1.0.0")
    assert (ended.code, "no release image" in ended.err) == (2, True)


@pytest.mark.parametrize("namespace", [[], ["-n", "okd"], ["--context", "it"]])
def test_a_stream_of_a_cluster(namespace, run_cli, kubeconfig):
    """The stream is found by its name, and the release notes where it came from."""
    ended = run_cli(
        *("release", "new", "--kubeconfig", kubeconfig, "--from-image-stream", "release"),
        *(*namespace, "-o", "json"),
    )
    assert ended.code == 0
    assert json.loads(ended.out)["metadata"]["annotations"] == {
        "release.openshift.io/from-image-stream": "okd/release"
    }


def test_a_stream_that_the_cluster_does_not_give(run_cli, kubeconfig, server, monkeypatch):
    """Absent is told, and so is the right that is missing."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    ended = run_cli("release", "new", "--from-image-stream", "other")
    assert (ended.code, "ImageStream other in namespace okd" in ended.err) == (1, True)
    server.documents[PATH] = Answer(status=403)
    ended = run_cli("release", "new", "--from-image-stream", "release")
    assert (ended.code, "the right to get imagestreams" in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from-image-stream=a", "-f=b"], "only one of"),
        (["-f=b", "-n=c"], "go with --from-image-stream"),
        (["--from-release=4.20.0"], "unknown release '4.20.0'"),
    ],
)
def test_wrong_usage(arguments, words, run_cli):
    """What is typed wrongly is exit code 2, before anything is asked."""
    ended = run_cli("release", "new", *arguments)
    assert (ended.code, words in ended.err) == (2, True)
