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
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
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
        file = tmp_path / "auth.json"
        file.write_bytes(logins(registry.host))
        secret = {
            "metadata": {"name": "registry"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(file.read_bytes()).decode()},
        }
        cluster.create(kinds.SECRET, secret, namespace=NAMESPACE)
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
