# SPDX-License-Identifier: Apache-2.0
"""A running release with keys, updates of it in layouts, and the command."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile

import pytest

from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.transfer import ImageCopy, copy_image
from okd_payload.release.new.publish import publish_release
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_signer import MemorySigner

_INCLUDED = "include.release.openshift.io/self-managed-high-availability"
_PROGRAMS = ("usr/bin/sh", "usr/bin/rm", "usr/bin/mkdir", "usr/bin/cp", "usr/bin/mv")
_OBJECT = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: openshift-test
  annotations:
    include.release.openshift.io/self-managed-high-availability: "true"
    {more}
"""


def _config_map(name, more="note: text"):
    return _OBJECT.format(name=name, more=more)


@pytest.fixture
def config_map():
    """Makes a manifest that is for the cluster, with one annotation more."""
    return _config_map


@pytest.fixture
def programs():
    """What a cluster runs in the image."""
    return _PROGRAMS


@pytest.fixture(scope="session")
def signer():
    """The key of the publisher, made once."""
    return MemorySigner()


def _base_layer(programs, files):
    """The archive of an operator's image: programs that may run, and its own manifests."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in programs:
            info = tarfile.TarInfo(name)
            info.mode = 0o755
            archive.addfile(info)
        for name, text in files.items():
            info = tarfile.TarInfo(f"manifests/{name}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def _keys(signer, store):
    """The manifest of ``cluster-update-keys``."""
    armoured = "".join(f"    {line}\n" for line in signer.public_key.decode().splitlines())
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: release-verification\n"
        "  namespace: openshift-config-managed\n  annotations:\n"
        '    release.openshift.io/verification-config-map: ""\n'
        f'    {_INCLUDED}: "true"\ndata:\n  store-here: "{store}"\n'
        f"  verifier-public-key-test: |\n{armoured}"
    )


@pytest.fixture
def make(world, tmp_path):
    """Makes a release of the world in a layout: its location."""

    async def build(name, manifests, options, programs, own):
        world.repository.__init__()
        world.tags.clear()
        image = await push_image(
            world.repository,
            layers=[_base_layer(programs, own)],
            labels={},
            tag="cluster-version-operator",
        )
        world.tags["cluster-version-operator"] = image.digest
        await world.add("op", manifests)
        release = await world.release(name, **options)
        layout = LayoutRepository(tmp_path / "releases")
        await publish_release(release, layout, tag=name, repository_of=world.repository_of)
        images = LayoutRepository(tmp_path / "images")
        for tag in world.tags:
            await copy_image(
                ImageCopy(source=world.repository, reference=tag, destination=images, tag="")
            )

    def make_release(name, manifests=None, *, programs=_PROGRAMS, own=None, **options):
        own = {"0000_00_cvo_1.yaml": _config_map("own")} if own is None else own
        files = {"a.yaml": _config_map("a"), **(manifests or {})}
        asyncio.run(build(name, files, options, programs, own))
        return f"oci:{tmp_path / 'releases'}:{name}"

    return make_release


@pytest.fixture
def keys(signer):
    """Makes the manifest with the keys and a store."""
    return lambda store: _keys(signer, store)


@pytest.fixture
def running(make, keys, tmp_path):
    """A release with keys, whose store is a folder."""
    keys = {"0000_90_cluster-update-keys_configmap.yaml": keys(f"file://{tmp_path / 'store'}")}
    return make("4.19.9", keys)


@pytest.fixture
def sign(run, signer, tmp_path):
    """Signs a release into the store that the running release names, or into another."""

    def sign_release(release, store="store"):
        key = tmp_path / "key.asc"
        key.write_bytes(signer.secret_key)
        code, _, told = run(
            *("sign", release, "--key", key, "--identity", "quay.test/okd/release"),
            *("--to-store", tmp_path / store),
        )
        assert code == 0, told

    return sign_release


@pytest.fixture
def accept(run, running, tmp_path):
    """Runs the command from the running release, and gives code, checks and issues."""

    def run_accept(release, *arguments, old=None):
        code, out, told = run(
            *("accept", "--from", old or running, release, "-o", "json"),
            *("--content", f"oci:{tmp_path / 'images'}", *arguments),
        )
        assert out, told
        printed = json.loads(out)
        assert printed["accepted"] == (code == 0)
        outcomes = {check["name"]: check["outcome"] for check in printed["checks"]}
        found = [issue for check in printed["checks"] for issue in check.get("issues", ())]
        return code, outcomes, {issue["code"]: issue for issue in found}, printed

    return run_accept
