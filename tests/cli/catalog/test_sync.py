# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog sync`` on real repositories, and a release in a file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from git_service import GitService

from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.testing.images import push_image

pytestmark = pytest.mark.integration

LABEL = "io.openshift.build.source-location"
COMMIT = "io.openshift.build.commit.id"


def write_release(path: Path, images: dict[str, tuple[str, str]], *, name: str = "4.16.0") -> Path:
    """A file with an ImageStream: tags with the URL of a repository, and a commit."""
    tags: list[dict[str, Any]] = [
        {
            "name": tag,
            "annotations": {LABEL: url, COMMIT: commit},
            "from": {"kind": "DockerImage", "name": f"quay.test/okd@sha256:{number:064x}"},
        }
        for number, (tag, (url, commit)) in enumerate(images.items())
    ]
    stream = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": name},
        "spec": {"tags": tags},
    }
    path.write_text(json.dumps(stream))
    return path


@pytest.fixture
def urls(git_service: GitService) -> dict[str, str]:
    """Repositories with Dockerfiles, two of them with several."""
    dockerfile = {"Dockerfile": "FROM base\n"}
    names = {
        "etcd": {"Dockerfile.okd": "FROM base\n", **dockerfile},
        "new": {"images/new/Dockerfile": "FROM base\n", "images/old/Dockerfile": "FROM base\n"},
        "gone": dockerfile,
    }
    return {
        name: git_service.make(name, "release-4.16", files=files) for name, files in names.items()
    }


@pytest.fixture
def stream(tmp_path: Path, urls: dict[str, str]) -> Path:
    """A stream that has one image too many, and one too few."""
    components = {
        "base": "# what all stand on\ninlineDockerfile: FROM scratch\n",
        "etcd": f"source: {{git: '{urls['etcd']}'}}   # the store\nbase: base\n",
        "gone": f"source: {{git: '{urls['gone']}'}}\nbase: base\n",
    }
    folder = tmp_path / "okd"
    (folder / "components").mkdir(parents=True)
    for name, text in components.items():
        (folder / "components" / f"{name}.yaml").write_text(text)
    path = folder / "stream.yaml"
    path.write_text(
        "name: okd   # ours\ncatalog: [{components: components}]\n"
        "git: {branch: release-4.16}\nrelease: {base: etcd}\n"
    )
    return path


@pytest.fixture
def release(tmp_path: Path, urls: dict[str, str], git_service: GitService) -> Path:
    """A release of another list of images."""
    commit = git_service.git("new", "rev-parse", "HEAD")
    images = {"etcd": (urls["etcd"], ""), "new": (urls["new"], commit)}
    return write_release(tmp_path / "release.json", images)


def test_a_catalog_is_brought_in_step_and_stays_so(run_cli, stream, release):
    """Shown, as a patch, checked, written; a second run has nothing to do, and plans go on."""
    shown = run_cli("catalog", "sync", "--release", release, stream)
    assert shown.code == 0, shown.err
    assert "okd beside 4.16.0: 1 new, 1 removed" in shown.out
    assert "built for others only: base" in shown.out
    assert "(images/new/Dockerfile: " in shown.out
    patch = run_cli("catalog", "sync", "--release", release, stream, "--patch")
    assert "+++ b/components/new.yaml" in patch.out
    assert "--- a/components/gone.yaml\n+++ /dev/null" in patch.out
    checked = run_cli("catalog", "sync", "--release", release, stream, "--check")
    assert checked.code == 1
    written = run_cli("catalog", "sync", "--release", release, stream, "--write")
    assert written.code == 0, written.err
    assert "3 files changed" in written.err
    assert (
        "dockerfile: images/new/Dockerfile"
        in (stream.parent / "components" / "new.yaml").read_text()
    )
    text = stream.read_text()
    assert text.startswith("name: okd   # ours\n")
    assert text.endswith("dropped:\n  gone: not in 4.16.0\n")
    again = run_cli("catalog", "sync", "--release", release, stream, "--check", "--write")
    assert again.code == 0
    assert "okd beside 4.16.0: in step" in again.out
    assert "0 files changed" in again.err
    planned = run_cli("plan", stream, "-o", "json")
    assert planned.code == 0, planned.err
    assert {each["name"] for each in json.loads(planned.out)["images"]} == {"base", "etcd", "new"}


def test_classes_are_told_by_the_release_of_ocp(run_cli, stream, release, tmp_path, urls):
    """The same digest is shared; what OCP has not is OKD's own."""
    ocp = write_release(tmp_path / "ocp.json", {"etcd": (urls["etcd"], "")}, name="4.16.9")
    ended = run_cli(
        "catalog", "sync", "--release", release, "--ocp", ocp, stream, "--write", "-o", "json"
    )
    assert ended.code == 0, ended.err
    printed = json.loads(ended.out)
    assert "stream.yaml" in printed["files"]
    kinds = {(each["kind"], each["tag"]) for each in printed["differences"]}
    assert kinds == {("new", "new"), ("removed", "gone"), ("class", "etcd")}
    shown = json.loads(run_cli("catalog", "show", stream, "-o", "json").out)
    classes = {
        each["name"]: (each["sharing"], each["sharingReason"]) for each in shown["components"]
    }
    assert classes["etcd"] == ("shared", "the same image in OCP 4.16.9")
    assert classes["new"] == ("specific", "OCP 4.16.9 has no such image")


def test_a_repository_that_cannot_be_read_is_for_later(
    run_cli, stream, release, git_service, tmp_path
):
    """Its image is told, nothing is dropped meanwhile, and the command ends with 3."""
    (git_service.root / "etcd").rename(tmp_path / "away")
    ended = run_cli("catalog", "sync", "--release", release, stream, "--write")
    assert ended.code == 3
    assert "may be needed: the Dockerfiles of etcd cannot be read" in ended.out
    assert (stream.parent / "components" / "gone.yaml").exists()
    assert (stream.parent / "components" / "new.yaml").exists()
    (tmp_path / "away").rename(git_service.root / "etcd")
    ended = run_cli("catalog", "sync", "--release", release, stream, "--write")
    assert ended.code == 0
    assert not (stream.parent / "components" / "gone.yaml").exists()


def test_what_is_no_release_is_refused(run_cli, stream, tmp_path):
    """A release without images would leave nothing of a catalog."""
    empty = write_release(tmp_path / "empty.json", {})
    ended = run_cli("catalog", "sync", "--release", empty, stream)
    assert ended.code == 1
    assert "has no images" in ended.err
    ended = run_cli("catalog", "sync", "--release", empty, stream, "--patch", "-o", "json")
    assert ended.code == 2


async def _push(host: str, name: str, labels: dict[str, str]) -> str:
    """The pull spec of an image with ``labels``, which is in the registry now."""
    async with RegistryClient(RegistrySettings()) as client:
        repository = client.repository(parse_reference(f"{host}/sync/{name}"))
        image = await push_image(repository, layers=[b"layer"], labels=labels)
        return f"{repository.name}@{image.digest}"


def test_a_plain_stream_is_read_by_the_labels_of_its_images(
    run_cli, stream, urls, docker_registry, tmp_path
):
    """Where annotations say nothing, and the image can be had, it says itself where it is from."""
    spec = asyncio.run(_push(docker_registry, "new", {LABEL: urls["new"]}))
    plain = asyncio.run(_push(docker_registry, "plain", {}))
    file = write_release(tmp_path / "plain.json", {"etcd": (urls["etcd"], "")})
    document = json.loads(file.read_text())
    for name, image in (
        ("new", spec),
        ("plain", plain),
        ("absent", f"{docker_registry}/sync/none@sha256:{1:064x}"),
    ):
        origin = {"kind": "DockerImage", "name": image}
        document["spec"]["tags"].append({"name": name, "from": origin})
    file.write_text(json.dumps(document))
    ended = run_cli("catalog", "sync", "--release", file, stream, "--write", "-o", "json")
    assert ended.code == 0, ended.err
    found = {each["tag"]: each for each in json.loads(ended.out)["differences"]}
    assert found["new"]["after"] == urls["new"]
    for name in ("plain", "absent"):
        assert found[name]["evidence"] == "it says no source; its image is taken over"
    assert f"image: {plain}" in stream.read_text()
