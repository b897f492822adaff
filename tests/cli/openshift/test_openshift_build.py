# SPDX-License-Identifier: Apache-2.0
"""``build --engine openshift`` as users meet it where it cannot go well."""

from __future__ import annotations

from pathlib import Path

import pytest
from process_cluster import ProcessCluster
from small_stream import write_stream

from okd_payload.cluster import kinds
from okd_payload.testing.openshift import serve_openshift


@pytest.fixture
def words(cluster: ProcessCluster, docker_registry: str, tmp_path: Path) -> list[str]:
    """A build of a small stream on the cluster."""
    stream = write_stream(tmp_path / "stream")
    return [
        *("build", str(stream), "--engine", "openshift"),
        *("--kubeconfig", str(cluster.kubeconfig)),
        *("--repository", f"{docker_registry}/openshift/release"),
    ]


@pytest.mark.integration
def test_a_cluster_without_openshift(words: list[str], run_cli) -> None:
    """One message says what is missing, and what builds there instead."""
    code, _, err = run_cli(*words)
    assert code == 1
    assert err.count("the cluster has no OpenShift Builds") == 1
    assert "--engine tekton or --engine shipwright" in err


@pytest.mark.integration
def test_a_project_without_the_image_stream(
    cluster: ProcessCluster, words: list[str], run_cli
) -> None:
    """The image stream is looked for first, and the command that makes it is said."""
    cluster.ask(serve_openshift)
    code, _, err = run_cli(*words, "--image-stream", "release")
    assert code == 1
    assert "namespace builds has no image stream release" in err
    assert "oc create imagestream release -n builds" in err
    assert cluster.ask(lambda it: it.objects(kinds.BUILD_CONFIG)) == []


def test_options_that_go_with_openshift_only(tmp_path: Path, run_cli) -> None:
    """Without OpenShift Builds they would say nothing, so they are refused."""
    stream = write_stream(tmp_path / "stream")
    code, _, err = run_cli("build", stream, "--image-stream", "release")
    assert code == 2
    assert "are for --engine openshift" in err


@pytest.mark.integration
def test_builds_without_network(words: list[str], run_cli) -> None:
    """OpenShift's builder always has the network, and nobody is told otherwise."""
    code, _, err = run_cli(*words, "--network", "none")
    assert code == 2
    assert "cannot build with --network none" in err
