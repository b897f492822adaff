# SPDX-License-Identifier: Apache-2.0
"""Streams built by Shipwright with the real command line, and the real buildah in its pods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from process_cluster import NAMESPACE
from shipwright_process_cluster import ShipwrightProcessCluster
from small_stream import write_stream

from okd_payload.cluster import kinds

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def digests(printed: dict[str, Any]) -> dict[str, str]:
    """The images of a build, by component."""
    return {item["name"]: item["digest"] for item in printed["components"]}


def test_a_cluster_gives_what_this_machine_gives(
    cluster: ShipwrightProcessCluster, docker_registry: str, tmp_path: Path, run_cli
) -> None:
    """Keys, images and the payload are those of buildah here; a second build makes no pod."""
    stream = write_stream(tmp_path / "stream")
    there = [
        *("--engine", "shipwright", "--kubeconfig", str(cluster.kubeconfig)),
        *("--repository", f"{docker_registry}/shipwright/same", "--jobs", "2"),
    ]
    code, out, err = run_cli("build", stream, *there, "-o", "json")
    assert code == 0, err
    on_cluster = json.loads(out)
    assert len(cluster.task_runs) == 4
    assert cluster.left == []
    code, out, err = run_cli("build", stream, *there, "-o", "json")
    assert (code, len(cluster.task_runs)) == (0, 4), err
    code, out, err = run_cli("build", stream, "-o", "json")
    here = json.loads(out)
    assert digests(here) == digests(on_cluster)
    assert here["release"]["digest"] == on_cluster["release"]["digest"]
    assert "COPY etcd.sh /bin/etcd" in run_cli("logs", "etcd").out


def test_a_failing_build_says_what_failed(
    cluster: ShipwrightProcessCluster, docker_registry: str, tmp_path: Path, run_cli
) -> None:
    """The message is the one that a build on this machine gives, and nothing is left behind."""
    stream = write_stream(tmp_path / "stream")
    dockerfile = tmp_path / "stream" / "etcd" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text() + "RUN echo on purpose && false\n")
    code, _, err = run_cli(
        *("build", stream, "--engine", "shipwright", "--kubeconfig", str(cluster.kubeconfig)),
        *("--repository", f"{docker_registry}/shipwright/fails"),
    )
    assert code == 1
    assert "RUN echo on purpose && false failed" in err
    assert cluster.left == []


def test_rendered_builds_make_the_same_images(
    cluster: ShipwrightProcessCluster, docker_registry: str, tmp_path: Path, run_cli
) -> None:
    """Builds run by hand, parents first, give what a build of the stream takes as its own."""
    stream, repository = write_stream(tmp_path / "stream"), f"{docker_registry}/shipwright/hand"
    to = tmp_path / "rendered"
    where = ("--repository", repository, "--credentials", "", "--to", to)
    made = run_cli("render", "shipwright", stream, *where)
    assert made.code == 0, made.err
    snapshot = run_cli("step", "snapshot", stream, "--repository", repository)
    assert snapshot.code == 0, snapshot.err
    for document in yaml.safe_load_all((to / "strategy" / "okd-payload.yaml").read_text()):
        cluster.ask(lambda it, each=document: it.create(kinds.CLUSTER_BUILD_STRATEGY, each))
    for name in ("base", "etcd"):
        build = yaml.safe_load((to / "builds" / f"{name}.yaml").read_text())
        if build["spec"]["strategy"]["name"] == "okd-payload":
            build["spec"]["strategy"]["name"] = "okd-payload-component"
            build["spec"]["paramValues"] = [
                {"name": "component", "value": name},
                {"name": "repository", "value": repository},
            ]
        cluster.ask(
            lambda it, each=build: it.create(kinds.SHIPWRIGHT_BUILD, each, namespace=NAMESPACE)
        )
        status = cluster.run_build(name, snapshot=snapshot.out.strip())
        assert status["conditions"][0]["status"] == "True", status
        assert status["output"]["digest"].startswith("sha256:")
    _, out, err = run_cli("build", stream, "--repository", repository, "-o", "json")
    taken = {item["name"]: item["action"] for item in json.loads(out)["components"]}
    assert (taken["base"], taken["etcd"]) == ("reused", "reused"), err


def test_a_build_of_ones_own(
    cluster: ShipwrightProcessCluster, docker_registry: str, tmp_path: Path, run_cli
) -> None:
    """A Build that somebody wrote gets its image, its size, or the words of its failure."""
    to, repository = tmp_path / "rendered", f"{docker_registry}/shipwright/own"
    stream = write_stream(tmp_path / "stream")
    where = ("--repository", repository, "--credentials", "", "--to", to)
    made = run_cli("render", "shipwright", stream, *where)
    assert made.code == 0, made.err
    for document in yaml.safe_load_all((to / "strategy" / "okd-payload.yaml").read_text()):
        cluster.ask(lambda it, each=document: it.create(kinds.CLUSTER_BUILD_STRATEGY, each))
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "Dockerfile").write_text("FROM scratch\nARG FILE\nCOPY $FILE /file\n")
    (tmp_path / "source" / "a").write_text("a")
    cluster.source = tmp_path / "source"
    for name, file in (("good", "a"), ("bad", "absent")):
        build = {
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "strategy": {"name": "okd-payload", "kind": "ClusterBuildStrategy"},
                "output": {"image": f"{repository}:{name}"},
                "paramValues": [{"name": "build-args", "values": [{"value": f"FILE={file}"}]}],
            },
        }
        cluster.ask(
            lambda it, each=build: it.create(kinds.SHIPWRIGHT_BUILD, each, namespace=NAMESPACE)
        )
    good, bad = cluster.run_build("good"), cluster.run_build("bad")
    assert good["output"]["digest"].startswith("sha256:")
    assert good["output"]["size"] > 0
    assert bad["failureDetails"]["reason"] == "BuildFailed"
    assert "absent" in bad["failureDetails"]["message"]
