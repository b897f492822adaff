# SPDX-License-Identifier: Apache-2.0
"""``okd-payload copy``: one image between any two places."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import Manifest
from okd_payload.testing.images import push_image


@pytest.fixture
def image(tmp_path: Path) -> Manifest:
    """The only image of the layout ``source``, tagged ``etcd``."""
    return asyncio.run(push_image(LayoutRepository(tmp_path / "source"), tag="etcd"))


def test_an_image_keeps_digest_and_tag(run_cli, tmp_path: Path, image: Manifest):
    """Without a tag of its own the target gets that of the source."""
    code, out, _ = run_cli("copy", f"oci:{tmp_path}/source:etcd", f"oci:{tmp_path}/target")
    assert (code, out) == (0, f"oci:{tmp_path}/target@{image.digest}\n")
    target = LayoutRepository(tmp_path / "target")
    assert asyncio.run(target.manifests.get("etcd")).digest == image.digest


def test_the_only_image_of_a_layout_needs_no_tag(run_cli, tmp_path: Path, image: Manifest):
    """As skopeo has it."""
    words = ["copy", f"oci:{tmp_path}/source", f"oci:{tmp_path}/target:mine", "-o", "json"]
    code, out, _ = run_cli(*words)
    assert code == 0
    assert json.loads(out) == {
        "source": f"oci:{tmp_path}/source@{image.digest}",
        "target": f"oci:{tmp_path}/target@{image.digest}",
        "digest": image.digest,
        "tag": "mine",
        "present": False,
    }
    assert json.loads(run_cli(*words).out)["present"]


@pytest.mark.parametrize(
    ("source", "target", "code", "message"),
    [
        ("oci:{0}/source:etdc", "oci:{0}/target", 1, "did you mean etcd?"),
        ("docker-archive:x", "oci:{0}/target", 2, "no place for images here"),
        ("oci:{0}/source", "oci:{0}/target@{1}", 2, "a copy cannot be told its digest"),
        ("Quay.io/Okd", "oci:{0}/target", 2, "names are lower case"),
    ],
)
def test_what_cannot_be_copied_is_said(
    run_cli, tmp_path: Path, image: Manifest, source: str, target: str, code: int, message: str
):
    """Each mistake has its exit code and its way out."""
    places = (text.format(tmp_path, image.digest) for text in (source, target))
    ended = run_cli("copy", *places)
    assert (ended.code, ended.out) == (code, "")
    assert message in ended.err
