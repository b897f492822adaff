# SPDX-License-Identifier: Apache-2.0
"""What other tools make of our images: skopeo reads all of them, from disk and from a registry."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from okd_payload.oci.digest import digest_of
from okd_payload.oci.reference import parse_reference

pytestmark = pytest.mark.integration

OCI = "application/vnd.oci.image."
OPERATORS = (
    "cluster-dns-operator",
    "cluster-ingress-operator",
    "cluster-network-operator",
    "service-ca-operator",
)
ROOTS = {"root": None, "base": "root", "haproxy-router": "haproxy-router-base"}


@pytest.fixture(scope="module", autouse=True)
def _skopeo() -> None:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is needed: make setup")


def skopeo(*arguments: str | Path) -> bytes:
    """Standard output of skopeo, which must succeed."""
    command = ["skopeo", "--insecure-policy", *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def tags_of(layout: Path) -> dict[str, str]:
    """Tags and digests of a layout, as its index has them."""
    index = msgspec.json.decode((layout / "index.json").read_bytes())
    name = "org.opencontainers.image.ref.name"
    return {
        item["annotations"][name]: item["digest"]
        for item in index["manifests"]
        if name in item.get("annotations", {})
    }


def read_json(layout: Path, digest: str) -> Any:
    """A blob of a layout, decoded."""
    return msgspec.json.decode(read_blob(layout, digest))


def read_blob(layout: Path, digest: str) -> bytes:
    """A blob of a layout, which is what its name says."""
    content = (layout / "blobs" / digest.replace(":", "/")).read_bytes()
    assert digest_of(content) == digest
    return content


def copy_there_and_back(source: str, folder: Path) -> str:
    """Copy an image to a ``dir:`` and from there to a layout; the digest at the end."""
    skopeo("copy", "--quiet", "--preserve-digests", source, f"dir:{folder}/dir")
    skopeo("copy", "--quiet", "--preserve-digests", f"dir:{folder}/dir", f"oci:{folder}/oci:back")
    shutil.rmtree(folder / "dir")
    return tags_of(folder / "oci")["back"]


@pytest.mark.slow
def test_skopeo_takes_every_image_from_disk(built, tmp_path) -> None:
    """Images of the content layout can be inspected and copied, digests unchanged."""
    layout = built.program.images()
    tags = {tag: digest for tag, digest in tags_of(layout).items() if not tag.startswith("key-")}
    assert tags.items() >= {(n, d) for n, d in built.digests.items() if n != "release"}

    for tag, digest in tags.items():
        seen = skopeo("inspect", "--format", "{{.Digest}}", f"oci:{layout}:{tag}")
        assert seen.decode().strip() == digest
        assert copy_there_and_back(f"oci:{layout}:{tag}", tmp_path) == digest


def test_skopeo_takes_the_release_from_disk(built, tmp_path) -> None:
    """The release can be inspected and copied out of its layout."""
    release = built.printed["release"]
    source = f"oci:{built.program.releases()}:{release['name']}"

    seen = msgspec.json.decode(skopeo("inspect", source))
    skopeo("copy", "--quiet", "--preserve-digests", source, f"dir:{tmp_path}/dir")

    assert seen["Digest"] == release["digest"]
    assert digest_of((tmp_path / "dir" / "manifest.json").read_bytes()) == release["digest"]


@pytest.mark.slow
def test_a_published_release_is_whole(built, docker_registry, tmp_path) -> None:
    """Registry, skopeo and the payload's own pull specs agree about every image."""
    release = built.printed["release"]
    content, releases = f"{docker_registry}/e2e/content", f"{docker_registry}/e2e/release"

    published = built.program.run(
        "publish", built.stream, release["name"], "--content", content, "--releases", releases
    )

    assert published.code == 0, published.err
    assert published.out == f"{release['name']} {releases}@{release['digest']}\n"
    for image in release["images"]:
        digest = parse_reference(image["reference"]).digest
        source = f"docker://{content}@{digest}"
        seen = skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}", source)
        assert seen.decode().strip() == digest
    assert pull(f"{releases}:{release['name']}", tmp_path) == release["digest"]
    assert pull(f"{content}:{release['name']}-coredns", tmp_path) == built.digests["coredns"]
    again = built.program.run(
        "publish", built.stream, release["name"], "--content", content, "--releases", releases
    )
    assert (again.code, again.out) == (0, published.out)


def pull(image: str, folder: Path) -> str:
    """The digest of an image pulled to disk and pushed under another name."""
    there, other = f"docker://{image}", f"docker://{image}-back"
    skopeo(
        "copy", "--quiet", "--preserve-digests", "--src-tls-verify=false", there, f"dir:{folder}/p"
    )
    skopeo(
        "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false", f"dir:{folder}/p", other
    )
    return (
        skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}", other).decode().strip()
    )


def test_images_are_their_base_and_one_layer(built) -> None:
    """The base's layers are shared byte for byte, and each component adds exactly one."""
    layout = built.program.images()
    layers = {
        name: read_json(layout, digest)["layers"]
        for name, digest in built.digests.items()
        if name != "release"
    }
    for name, own in layers.items():
        base = ROOTS.get(name, "base")
        if name not in ("base", "network-tools"):
            assert own[:-1] == (layers[base] if base else [])
    assert layers["base"][:-1] == layers["root"]
    assert layers["network-tools"] == layers["base"]


def test_configurations_say_nothing_of_this_machine(built) -> None:
    """Neither host names, paths, users nor today's date are in any configuration."""
    layout = built.program.images()
    for name, digest in built.digests.items():
        if name != "release":
            config = read_blob(layout, read_json(layout, digest)["config"]["digest"])
            assert str(built.program.home).encode() not in config
            assert msgspec.json.decode(config)["created"] == "1980-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def release_layout(built) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """The layout, manifest and configuration of the release."""
    layout = built.program.releases()
    manifest = read_json(layout, built.digests["release"])
    return layout, manifest, read_json(layout, manifest["config"]["digest"])


def test_the_release_is_the_operator_and_one_layer(built, release_layout) -> None:
    """It stands on the cluster-version operator and has the labels that clusters look for."""
    _, manifest, config = release_layout
    base = read_json(built.program.images(), built.digests["cluster-version-operator"])
    base_config = read_json(built.program.images(), base["config"]["digest"])

    parts = (manifest, manifest["config"], *manifest["layers"])
    assert all(part["mediaType"].startswith(OCI) for part in parts)
    assert [layer["digest"] for layer in manifest["layers"][:-1]] == [
        layer["digest"] for layer in base["layers"]
    ]
    assert config["config"]["Labels"] == {
        "io.openshift.release": built.printed["release"]["name"],
        "io.openshift.release.base-image-digest": built.digests["cluster-version-operator"],
    }
    assert config["config"]["Entrypoint"] == base_config["config"]["Entrypoint"]
    assert config["rootfs"]["diff_ids"][:-1] == base_config["rootfs"]["diff_ids"]
    assert config["history"][0] == {
        "created": config["created"],
        "comment": "Release image for OpenShift",
    }
    assert len(config["history"]) == len(manifest["layers"])


def test_the_payload_layer_lists_as_the_reference_says(built, release_layout) -> None:
    """Names, order, modes and owners in the tar are those of the tool people know."""
    layout, manifest, config = release_layout
    compressed = read_blob(layout, manifest["layers"][-1]["digest"])
    archive = gzip.decompress(compressed)
    assert digest_of(archive) == config["rootfs"]["diff_ids"][-1]
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        members = tar.getmembers()

    expected = ["release-manifests/image-references", "release-manifests/release-metadata"]
    for operator in OPERATORS:
        folder = built.stream / "sources" / operator / "manifests"
        names = sorted(path.name for path in folder.iterdir() if path.name != "image-references")
        expected += [f"release-manifests/{name}" for name in names]
    assert [member.name for member in members] == ["release-manifests", *expected]
    assert (members[0].type, members[0].mode) == (tarfile.DIRTYPE, 0o777)
    assert {(member.type, member.mode) for member in members[1:]} == {(tarfile.REGTYPE, 0o444)}
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert archive.startswith(b"release-manifests\0")
    assert archive[100:108] == b"0000777\0"


def test_system_tar_lists_the_payload(release_layout) -> None:
    """What ``tar -tv`` shows is what administrators will compare."""
    layout, manifest, _ = release_layout
    path = layout / "blobs" / manifest["layers"][-1]["digest"].replace(":", "/")
    listed = subprocess.run(
        ["tar", "-tvzf", path], capture_output=True, text=True, check=True
    ).stdout.splitlines()

    assert re.match(r"drwxrwxrwx 0/0 +0 .* release-manifests/?$", listed[0])
    assert all(re.match(r"-r--r--r-- 0/0 +[0-9]+ ", line) for line in listed[1:])
