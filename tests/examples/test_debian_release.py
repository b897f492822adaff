# SPDX-License-Identifier: Apache-2.0
"""The release of the debian stream, at work: its images against an API server that writes along.

The whole stream is built for this unless ``OKD_PAYLOAD_STATE`` names a state folder in which it is
built already. Images are pulled by digest from a registry that the release was published to.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from fake_cluster import FakeCluster, serve

from okd_payload.testing.docker_registry import serve_docker_registry

pytestmark = [pytest.mark.debian, pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
STREAM = ROOT / "examples" / "debian"
OKD_PAYLOAD = Path(sys.executable).with_name("okd-payload")
PROFILE = "include.release.openshift.io/self-managed-high-availability"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
RELEASE_IMAGE = "registry.example.org/debian/release@sha256:0"
BUSY = "/apis/apps/v1/namespaces/openshift-etcd-operator/deployments/cluster-etcd-operator"
CHECKS = {
    "haproxy": ("haproxy", "-c", "-f"),
    "keepalived": ("keepalived", "--config-test", "--log-console", "--use-file"),
    "prometheus": ("promtool", "check", "config"),
    "prometheus-alertmanager": ("amtool", "check-config"),
}
"""How an operand says whether it can work with its configuration, by the name of its program."""


class Release(msgspec.Struct, frozen=True):
    """A published release, and containers of its images."""

    name: str
    pull_specs: dict[str, str]
    """Where the payload says that images are, by tag."""
    repository: str
    folder: Path

    def run(
        self,
        image: str,
        *command: str,
        environment: Mapping[str, str] | None = None,
        files: Mapping[Path, str] | None = None,
    ) -> bytes:
        """What ``command`` prints in the image that has this pull spec; the release image is ''."""
        where = image.rpartition("@")[2].replace(":", "-") or "release"
        pulled = self.folder / where
        if not pulled.exists():
            source = f"content@{image.rpartition('@')[2]}" if image else f"release:{self.name}"
            source = f"docker://{self.repository}/{source}"
            self.buildah("from", "--quiet", "--tls-verify=false", f"--name={where}", source)
            pulled.touch()
        # Not through buildah: it now and then loses the last words of a program that ends at once.
        said = self.folder / "said"
        said.write_bytes(b"")
        said.chmod(0o666)
        self.buildah(
            *("run", "--isolation=chroot", f"--volume={said}:/said"),
            *(f"--env={name}={value}" for name, value in (environment or {}).items()),
            *(f"--volume={path}:{target}:ro" for path, target in (files or {}).items()),
            *(where, "--", "sh", "-c", 'exec "$@" >/said', "sh", *command),
        )
        return said.read_bytes()

    def buildah(self, *words: str) -> None:
        """Run buildah in a storage of these tests."""
        storage = [f"--root={self.folder / 'storage'}", f"--runroot={self.folder / 'run'}"]
        done = subprocess.run(["buildah", *storage, *words], capture_output=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout + done.stderr!r}"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The newest release, built if need be."""
    for program in ("buildah", "mmdebstrap", "docker-registry"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is needed: make setup")
    folder = tmp_path_factory.mktemp("debian")
    environment = {"OKD_PAYLOAD_STATE": str(folder / "state"), **os.environ}

    def tell(*words: str | Path) -> Any:
        command = [OKD_PAYLOAD, *words, "--quiet", "--output=json"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    built = tell("build", STREAM)["release"]
    with serve_docker_registry(folder / "registry") as host:
        repository = f"{host}/debian"
        tell(
            *("publish", STREAM, built["name"]),
            *(f"--content={repository}/content", f"--releases={repository}/release"),
        )
        pull_specs = {image["name"]: image["reference"] for image in built["images"]}
        found = Release(built["name"], pull_specs, repository, folder)
        yield found
        found.buildah("rm", "--all")
        found.buildah("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def cluster(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeCluster]:
    """A cluster to which the release image has applied itself, although it was busy at first."""
    cluster = FakeCluster()
    cluster.fail(BUSY, times=2)
    with serve(cluster):
        apply(release, cluster, tmp_path_factory.mktemp("cluster"))
        yield cluster


@pytest.fixture(scope="module")
def running(release: Release, cluster: FakeCluster) -> FakeCluster:
    """The same cluster after one round of every operator, in its image and environment."""
    for operator in operators(cluster):
        [container] = operator["spec"]["template"]["spec"]["containers"]
        release.run(
            *(container["image"], "operator", "--once", f"--server={cluster.url}"),
            environment=environment_of(container),
        )
    return cluster


def apply(release: Release, cluster: FakeCluster, folder: Path) -> str:
    """Run the cluster-version-operator of the release image once; gives what it prints."""
    access = folder / "kubeconfig"
    access.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "only",
                "contexts": [{"name": "only", "context": {"cluster": "only", "user": "only"}}],
                "clusters": [{"name": "only", "cluster": {"server": cluster.url}}],
                "users": [{"name": "only", "user": {}}],
            }
        )
    )
    output = release.run(
        *("", "cluster-version-operator", "apply", "--kubectl=kubectl", "--pause=50ms"),
        f"--release-image={RELEASE_IMAGE}",
        environment={"KUBECONFIG": "/kubeconfig"},
        files={access: "/kubeconfig"},
    )
    return output.decode()


@pytest.fixture(scope="module")
def manifests(release: Release) -> list[tuple[str, dict[str, Any]]]:
    """Files and objects of the payload in the order of a cluster, of every profile."""
    found = []
    content = release.run("", "tar", "-cC", "/", "manifests", "release-manifests")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for name in sorted(archive.getnames()):  # "manifests/" comes before "release-manifests/"
            if name.endswith((".yaml", ".yml", ".json")):
                file = archive.extractfile(name)
                assert file is not None
                text = file.read().decode().replace("{{.ReleaseImage}}", RELEASE_IMAGE)
                found += [(name, document) for document in yaml.safe_load_all(text) if document]
    return found


def wanted(manifests: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The objects for clusters of the default profile."""
    return [it for _, it in manifests if annotations_of(it).get(PROFILE) == "true"]


def without_memory(body: dict[str, Any]) -> dict[str, Any]:
    """``body`` without what kubectl notes in it for the next time."""
    metadata = dict(body["metadata"])
    metadata["annotations"] = {
        name: value for name, value in metadata["annotations"].items() if name != LAST_APPLIED
    }
    return {**body, "metadata": metadata}


def test_objects_arrive_in_the_order_of_the_payload(cluster, manifests):
    """A cluster gets every object that is for it, unchanged, by run levels and file names."""
    created = [without_memory(it.body) for it in cluster.writes if it.method == "POST"]
    assert created == wanted(manifests)
    levels = [name.split("_")[1] for name, _ in manifests if name.startswith("release-manifests")]
    assert levels == sorted(levels)
    assert {"12", "50", "80"} <= set(levels)


def test_the_operator_s_own_manifests_are_rendered(cluster):
    """The cluster-version-operator runs from the release that is applied."""
    [own] = [
        it
        for it in cluster.of_kind("Deployment")
        if it["metadata"]["name"] == "cluster-version-operator"
    ]
    [container] = own["spec"]["template"]["spec"]["containers"]
    assert container["image"] == RELEASE_IMAGE
    assert f"--release-image={RELEASE_IMAGE}" in container["args"]


def test_objects_of_other_profiles_are_not_sent(cluster, manifests):
    """What is for hosted clusters only stays in the payload."""
    others = [it for _, it in manifests if it not in wanted(manifests)]
    assert [it["kind"] for it in others] == ["Deployment"]
    sent = [without_memory(it.body) for it in cluster.writes]
    assert not [it for it in others if it in sent]


def test_a_busy_server_is_asked_again(cluster):
    """An object that is refused twice is there in the end, and once."""
    assert cluster.refusals == [BUSY, BUSY]
    assert [it.path for it in cluster.writes].count(BUSY) == 1


def test_images_are_those_of_the_release(release, cluster, manifests):
    """Operators and their operands are named by digest, with the version of the release."""
    for operator in operators(cluster):
        name = operator["metadata"]["name"]
        [container] = operator["spec"]["template"]["spec"]["containers"]
        assert container["image"] == release.pull_specs[name]
        environment = environment_of(container)
        assert environment.pop("RELEASE_VERSION") == release.name
        assert set(environment.values()) <= set(release.pull_specs.values())


def test_applying_again_changes_nothing(release, cluster, tmp_path):
    """A second round finds everything as it should be."""
    before = list(cluster.writes)
    output = apply(release, cluster, tmp_path)
    assert cluster.writes == before
    assert len(output.splitlines()) == len([it for it in before if it.method == "POST"])


def test_operators_bring_their_operands(release, running):
    """Every operator applies what it is for, and then reports the version of the release."""
    states = {
        it["metadata"]["name"]: it["status"]["versions"]
        for it in running.of_kind("ClusterOperator")
    }
    reached = [{"name": "operator", "version": release.name}]
    assert states == dict.fromkeys(
        ("etcd", "image-registry", "ingress", "machine-config", "monitoring"), reached
    )
    used = {container["image"] for _, container in operands(running)}
    assert {name for name, spec in release.pull_specs.items() if spec not in used} == {
        *("cluster-version-operator", "machine-os-content", "telemeter"),
        *(it["metadata"]["name"] for it in operators(running)),
    }


def test_operands_accept_their_configuration(release, running, tmp_path):
    """What an operator writes for its operand is something that this operand can work with."""
    checked = set()
    for workload, container in operands(running):
        program, command = container["command"][0], container["command"]
        maps = [
            it["configMap"]["name"]
            for it in workload["spec"]["template"]["spec"].get("volumes", [])
            if "configMap" in it
        ]
        if not maps:
            continue
        place = f"namespaces/{workload['metadata']['namespace']}/configmaps/{maps[0]}"
        [(name, text)] = running.objects[f"/api/v1/{place}"]["data"].items()
        assert any(word.endswith(f"/config/{name}") for word in command)
        file = tmp_path / name
        file.write_text(text)
        release.run(container["image"], *CHECKS[program], "/checked", files={file: "/checked"})
        checked.add(program)
    assert checked == set(CHECKS)


def operators(cluster: FakeCluster) -> list[dict[str, Any]]:
    """The deployments that the release brought, without that of the cluster-version-operator."""
    ours = [it for it in cluster.of_kind("Deployment") if PROFILE in annotations_of(it)]
    return [it for it in ours if it["metadata"]["name"] != "cluster-version-operator"]


def operands(cluster: FakeCluster) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What the operators brought to run, and the container of each."""
    for it in cluster.of_kind("Deployment", "DaemonSet", "StatefulSet"):
        if PROFILE not in annotations_of(it):
            yield it, it["spec"]["template"]["spec"]["containers"][0]
    for it in cluster.of_kind("CronJob"):
        template = it["spec"]["jobTemplate"]["spec"]["template"]
        yield {**it, "spec": {"template": template}}, template["spec"]["containers"][0]


def annotations_of(body: dict[str, Any]) -> dict[str, str]:
    """Annotations of an object, none if it has none."""
    return body["metadata"].get("annotations", {})


def environment_of(container: dict[str, Any]) -> dict[str, str]:
    """The variables of a container."""
    return {it["name"]: it["value"] for it in container["env"]}
