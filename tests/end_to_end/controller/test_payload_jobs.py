# SPDX-License-Identifier: Apache-2.0
"""A server lets Jobs of its cluster make payloads: the real program on both sides."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from serving import DEADLINE, Server, Streams, wait_for

from okd_payload.cluster import kinds
from okd_payload.controller.creation.keeping import kept_tag
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.oci.repository import Repository
from okd_payload.release.inputs import make_input, pull_spec_tag
from okd_payload.release.load import load_release
from okd_payload.release.new.checked import make_checked
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.testing.jobs import Jobs, PodEnd, ToolPods
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.server import KubernetesServer
from okd_payload.testing.registry_logins import Accounts, Login
from okd_payload.testing.registry_server import RegistryServer, ServerOptions
from okd_payload.testing.small_stream import push_small_stream

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NAMESPACE, NAME = "releases", "4.20.0-0.okd"
SERVER = f"system:serviceaccount:{NAMESPACE}:okd-payload-controller"
FILE = """\
apiVersion: okd-payload.io/v1
name: {name}
input: {{repository: {host}/okd/scos, poll: 1s}}
content: {host}/okd/content
releases: {host}/okd/release
inJob: true
"""
STABLE = "4-stable"
STABLE_FILE = """\
apiVersion: okd-payload.io/v1
name: {name}
stable: true
input: {{poll: 1s}}
content: {host}/okd/stable-content
releases: {host}/okd/stable
inJob: true
"""
LOGIN = ServerOptions(
    login=Login.BASIC,
    accounts=Accounts(passwords={"builder": "secret-of-pods"}, anonymous_pull=False),
)


def logins(host: str) -> bytes:
    """What a container auth file says."""
    entry = {"auth": base64.b64encode(b"builder:secret-of-pods").decode()}
    return msgspec.json.encode({"auths": {host: entry}})


def give_rights(cluster: SimulatedCluster) -> None:
    """Those that the how-to names, and no more."""
    rules = [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "create", "delete"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]
    role = {"metadata": {"name": "controller"}, "rules": rules}
    cluster.create(kinds.ROLE, role, namespace=NAMESPACE)
    name = SERVER.rpartition(":")[2]
    binding = {
        "metadata": {"name": "controller"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "controller",
        },
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }
    cluster.create(kinds.ROLE_BINDING, binding, namespace=NAMESPACE)


def give_credentials(cluster: SimulatedCluster, host: str, folder: Path) -> Path:
    """Let the pods of the cluster push; the file by which the server does."""
    file = folder / "auth.json"
    file.write_bytes(logins(host))
    secret = {
        "metadata": {"name": "registry"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": base64.b64encode(file.read_bytes()).decode()},
    }
    cluster.create(kinds.SECRET, secret, namespace=NAMESPACE)
    return file


class HeldPods:
    """Runs pods once a test lets them."""

    def __init__(self, pods: ToolPods) -> None:
        self.go = asyncio.Event()
        self.begun = asyncio.Event()
        self._pods = pods

    async def __call__(self, pod: JsonObject) -> PodEnd:
        """Wait, and run it."""
        self.begun.set()
        await self.go.wait()
        return await self._pods(pod)


async def test_a_pod_makes_the_payload_with_the_credentials_of_its_secret(
    tmp_path: Path, streams: Streams, serve: Callable[..., Server]
) -> None:
    """With no rights but those that are documented, in a restricted namespace.

    The server that made its Job is killed meanwhile; the one that goes on makes no other.
    """
    cluster = SimulatedCluster()
    cluster.add_namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"})
    give_rights(cluster)
    pods = HeldPods(ToolPods(cluster, tmp_path / "pods"))
    jobs = Jobs(pods)
    cluster.controllers.append(jobs)
    async with RegistryServer(LOGIN) as registry, KubernetesServer(cluster) as api:
        file = give_credentials(cluster, registry.host, tmp_path)
        async with RegistryClient(RegistrySettings(auth_file=file)) as client:
            place = parse_reference(f"{registry.host}/okd/scos")
            await push_small_stream(client.repository(place))
        (streams.files / "a.yaml").write_text(FILE.format(name=NAME, host=registry.host))
        kubeconfig = tmp_path / "kubeconfig"
        api.write_kubeconfig(kubeconfig, namespace=NAMESPACE, user=SERVER)
        options = (
            *("--kubeconfig", kubeconfig, "--credentials", "registry", "-a", file),
            *("--image", "quay.test/okd-payload:1", "--lease", "1"),
        )
        killed = serve(*options)
        async with asyncio.timeout(DEADLINE):
            await pods.begun.wait()
        await asyncio.to_thread(killed.kill)
        server = serve(*options)
        await asyncio.to_thread(server.wait_until_it_answers)
        pods.go.set()

        def accepted() -> bool:
            return '"phase":"Accepted"' in server.get(f"/api/v2/releases?stream={NAME}").text

        await asyncio.to_thread(wait_for, accepted, what="the release is accepted", seconds=60)
        (name,) = jobs.made
        (pod,) = cluster.objects(kinds.POD, namespace=NAMESPACE)
        assert pod["spec"]["containers"][0]["image"] == "quay.test/okd-payload:1"
        assert "secret-of-pods" not in str(cluster.objects(kinds.JOB)) + str(pod)
        assert "secret-of-pods" not in server.log.read_text()
        page = await asyncio.to_thread(server.get, "/")
        assert name.partition("-make-")[0] in page.text
        assert server.stop() == 0


async def test_a_pod_takes_over_what_was_pushed_into_a_stable_stream(
    tmp_path: Path, streams: Streams, serve: Callable[..., Server]
) -> None:
    """Its payload gets the name of its tag, and its images are kept."""
    cluster = SimulatedCluster()
    cluster.add_namespace(NAMESPACE, {"pod-security.kubernetes.io/enforce": "restricted"})
    give_rights(cluster)
    jobs = Jobs(ToolPods(cluster, tmp_path / "pods"))
    cluster.controllers.append(jobs)
    async with RegistryServer(LOGIN) as registry, KubernetesServer(cluster) as api:
        file = give_credentials(cluster, registry.host, tmp_path)
        kubeconfig = tmp_path / "kubeconfig"
        api.write_kubeconfig(kubeconfig, namespace=NAMESPACE, user=SERVER)
        async with RegistryClient(RegistrySettings(auth_file=file)) as client:
            images = client.repository(parse_reference(f"{registry.host}/okd/scos"))
            place = client.repository(parse_reference(f"{registry.host}/okd/stable"))
            digests = await push_small_stream(images)
            given = make_input(
                pull_spec_tag(name, f"{images.name}@{digest}") for name, digest in digests.items()
            )

            async def repository_of(_reference: object) -> Repository:
                return images

            options = ReleaseOptions(name="4.20.0-0.nightly")
            made = await make_checked(
                given, options=options, target=place, repository_of=repository_of
            )
            assert made.release is not None, made.issues
            await place.manifests.put(made.release.image.manifest, tag="4.20.0")
            (streams.files / "a.yaml").write_text(
                STABLE_FILE.format(name=STABLE, host=registry.host)
            )
            server = serve(
                *("--kubeconfig", kubeconfig, "--credentials", "registry", "-a", file),
                *("--image", "quay.test/okd-payload:1", "--lease", "1"),
            )
            await asyncio.to_thread(server.wait_until_it_answers)

            def accepted() -> bool:
                told = server.get(f"/api/v2/releases?stream={STABLE}").text
                return told.count('"phase":"Accepted"') == 2

            await asyncio.to_thread(wait_for, accepted, what="both are accepted", seconds=60)
            payload = await load_release(place, "4.20.0")
            assert (payload.name, payload.digest != made.release.digest) == ("4.20.0", True)
            content = client.repository(parse_reference(f"{registry.host}/okd/stable-content"))
            kept = await content.manifests.tags()
            assert kept == sorted(kept_tag(digest) for digest in digests.values())
        made_for = sorted(name.partition("-make-")[0] for name in jobs.made)
        assert made_for == ["4.20.0", "4.20.0-0.nightly"]  # each a version, and each once
        assert server.stop() == 0
