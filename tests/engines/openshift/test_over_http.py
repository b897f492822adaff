# SPDX-License-Identifier: Apache-2.0
"""OpenShift Builds through a real client and an API server, faults included."""

from __future__ import annotations

from pathlib import Path

import pytest
from openshift_project import OpenShiftProject
from streams import write_stream
from workshop import from_git

from okd_payload.build.job import JobOptions
from okd_payload.clock import SystemClock
from okd_payload.cluster.lightkube_cluster import open_cluster
from okd_payload.errors import NoSuchObject
from okd_payload.imagestream.cluster import read_cluster_tags
from okd_payload.testing.kubernetes.server import KubernetesServer

pytestmark = pytest.mark.integration


async def test_a_stream_is_built_over_http(tmp_path: Path) -> None:
    """Apply, instantiate, watch, logs and image stream tags go over the wire."""
    project = OpenShiftProject(tmp_path, None, clock=SystemClock())
    project.put("base", "FROM scratch\nCOPY a /\n", {"a": "1"})
    project.put("etcd", "FROM x\nCOPY . /\n", {"e": "1"})
    catalog = write_stream(
        tmp_path / "stream",
        {"base": from_git("base"), "etcd": from_git("etcd", more="base: base\n")},
    )
    async with KubernetesServer(project.simulated) as server:
        server.write_kubeconfig(tmp_path / "kubeconfig", namespace="okd")
        async with open_cluster(tmp_path / "kubeconfig") as cluster:
            project.cluster = cluster
            frozen = await project.freeze(catalog)
            async with project.new_engine().opened() as engine:
                outcome = await project.carry_out(
                    frozen, project.maker_with(catalog, engine), options=JobOptions(jobs=2)
                )
            stream = await read_cluster_tags(cluster, "release")
            with pytest.raises(NoSuchObject):
                await read_cluster_tags(cluster, "absent")
    assert outcome.is_complete
    assert project.builds.started == ["base-1", "etcd-1"]
    assert stream.tag("etcd").digest == outcome.images["etcd"].digest
    assert "built etcd" in (outcome.folder / "logs" / "etcd.log").read_text()
