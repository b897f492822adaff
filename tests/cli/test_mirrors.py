# SPDX-License-Identifier: Apache-2.0
"""Reading through mirrors on the command line, with two registries that are real."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from okd_payload.oci.layout import LayoutRepository
from okd_payload.testing.docker_registry import serve_docker_registry
from okd_payload.testing.images import push_image

pytestmark = pytest.mark.integration


@pytest.fixture
def registries(tmp_path):
    """A source and a mirror."""
    with (
        serve_docker_registry(tmp_path / "source") as source,
        serve_docker_registry(tmp_path / "mirror") as mirror,
    ):
        yield source, mirror


@pytest.fixture
async def image(tmp_path):
    """An image in a layout."""
    return await push_image(LayoutRepository(tmp_path / "images"), tag="v1")


def mirror_set(path: Path, source: str, mirror: str, policy: str = "") -> Path:
    """A file with a mirror set."""
    path.write_text(
        "apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nspec:\n"
        f"  imageDigestMirrors:\n  - source: {source}/okd\n    mirrors: ['{mirror}/copies']\n"
        + (f"    mirrorSourcePolicy: {policy}\n" if policy else "")
    )
    return path


def test_images_are_read_from_the_mirror(run_cli, registries, image, tmp_path):
    """By digest the mirror is asked, by tag only the source; what is written goes to the source."""
    source, mirror = registries
    sets = mirror_set(tmp_path / "idms.yaml", source, mirror)
    images = f"oci:{tmp_path / 'images'}"
    assert run_cli("copy", f"{images}:v1", f"{mirror}/copies/etcd:v1").code == 0
    by_digest, by_tag = f"{source}/okd/etcd@{image.digest}", f"{source}/okd/etcd:v1"
    out = f"oci:{tmp_path / 'out'}"
    assert run_cli("copy", by_digest, out).code == 1
    ended = run_cli("copy", "--idms-file", sets, by_digest, out)
    assert (ended.code, ended.out) == (0, f"{out}@{image.digest}\n")
    ended = run_cli("copy", "--idms-file", sets, by_tag, out)
    assert (ended.code, f"{mirror}" in ended.err) == (1, False)
    assert run_cli("copy", "--icsp-file", sets, f"{images}:v1", by_tag).code == 0
    shown = subprocess.run(
        ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{by_tag}"],
        capture_output=True,
        check=True,
    )
    assert shown.stdout == image.content


def test_a_dead_source_and_the_configuration_of_the_machine(
    run_cli, registries, image, tmp_path, monkeypatch
):
    """With registries.conf tags are mirrored too, and a source that is blocked is left alone."""
    _, mirror = registries
    conf = tmp_path / "registries.conf"
    conf.write_text(
        '[[registry]]\nprefix = "dead.test/okd"\nblocked = true\n'
        f'[[registry.mirror]]\nlocation = "{mirror}/copies"\n'
    )
    images, out = f"oci:{tmp_path / 'images'}", f"oci:{tmp_path / 'out'}"
    assert run_cli("copy", f"{images}:v1", f"{mirror}/copies/etcd:v1").code == 0
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(conf))
    assert run_cli("copy", "dead.test/okd/etcd:v1", out).code == 0
    ended = run_cli("copy", "dead.test/okd/other:v1", out)
    assert (ended.code, f"{mirror}/copies/other" in ended.err) == (1, True)
    monkeypatch.delenv("CONTAINERS_REGISTRIES_CONF")
    ended = run_cli("copy", "--registries-conf", conf, f"dead.test/okd/etcd@{image.digest}", out)
    assert ended.code == 0


def test_wrong_files(run_cli, tmp_path):
    """A file without mirror sets is a wrong input."""
    path = tmp_path / "x.yaml"
    path.write_text("kind: ConfigMap\napiVersion: v1\n")
    ended = run_cli("copy", "--idms-file", path, "a.test/b:c", f"oci:{tmp_path / 'out'}")
    assert (ended.code, "is no mirror set" in ended.err) == (2, True)
