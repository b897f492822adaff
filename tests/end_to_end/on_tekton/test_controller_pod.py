# SPDX-License-Identifier: Apache-2.0
"""The release controller in its image, as the pod of its Deployment: a stream becomes a release."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from controller_pod import run_controller
from tool_image import ToolImage

from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient
from okd_payload.testing.postgresql import serve_postgresql
from okd_payload.testing.small_stream import push_small_stream
from okd_payload.testing.task_runner.volumes import Surroundings

pytestmark = [pytest.mark.debian, pytest.mark.integration, pytest.mark.slow]

NAME = "4.20.0-0.okd"
STREAM = """\
apiVersion: okd-payload.io/v1
kind: ReleaseStream
name: {name}
input: {{repository: {place}/images, poll: 1s}}
content: {place}/content
releases: {place}/releases
verify:
  lint: {{settings: {{check: lint}}}}
  says: {{runner: command, command: [sh, -c, "id; echo checked"]}}
publish:
  newest: {{tag: latest}}
"""
USERS = [
    pytest.param({}, id="of-the-image"),
    pytest.param({"runAsUser": 1000650000, "runAsGroup": 0}, id="as-openshift"),
]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[str]:
    """A database of this test's own."""
    for parent in (tmp_path, *tmp_path.parents):  # the server runs as somebody else
        if parent.stat().st_uid == tmp_path.stat().st_uid and str(parent) not in ("/", "/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
    with serve_postgresql(tmp_path / "postgresql") as server:
        yield server.url


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_stream_becomes_a_release(
    tool: ToolImage,
    docker_registry: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    user: dict[str, int],
    kind: str,
) -> None:
    """As any user, with a root that is only read: made, verified, published and shown."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here")
    place = f"{docker_registry}/{tmp_path.name.replace('_', '-')}"
    url = "" if kind == "sqlite" else request.getfixturevalue("records")
    objects = Surroundings(
        secrets={
            "okd-payload-database": {"url": url.encode()},
            "okd-payload-registry": {".dockerconfigjson": b"{}"},
        },
        config_maps={
            "okd-payload-streams": {"okd.yaml": STREAM.format(name=NAME, place=place).encode()},
            "okd-payload-settings": {"baseUrl": b"https://releases.example.com"},
        },
    )
    async with RegistryClient() as client:
        await push_small_stream(client.repository(parse_reference(f"{place}/images")), change="one")
        image = f"{tool.pull_spec.partition('@')[0]}:okd-payload-serve"
        folder = tmp_path / "pod"
        async with run_controller(tool.roots(), image, folder, user=user, objects=objects) as pod:
            listed = f"/api/v2/releases?stream={NAME}"
            text = await pod.wait_for(listed, '"phase":"Accepted"')
            assert text.count('"name"') == 1
            assert (await pod.get("/readyz"))[0] == 200
            releases = client.repository(parse_reference(f"{place}/releases"))
            (name,) = set(await releases.manifests.tags()) - {"latest"}
            page = await pod.wait_for(f"/releasestream/{NAME}/release/{name}", "says")
            assert "Accepted" in page
            log = await pod.wait_for(f"/api/v2/runs/{name}-says/log", "checked")
            assert f"uid={user.get('runAsUser', 1000)}" in log
            assert "okd_payload_acting 1" in (await pod.get("/metrics"))[1]
            assert '"level":"error"' not in pod.log()
    assert not folder.exists()
