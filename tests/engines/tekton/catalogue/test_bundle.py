# SPDX-License-Identifier: Apache-2.0
"""Bundles hold what Tekton's resolver looks for, where it looks for it."""

from __future__ import annotations

import gzip
import io
import tarfile

import msgspec
import pytest

from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.tekton.catalogue.bundle import MOST_OBJECTS, make_bundle, push_bundle
from okd_payload.errors import InputError
from okd_payload.oci import media_types
from okd_payload.oci.manifest import read_manifest
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.registry import RegistryClient
from okd_payload.testing.memory_repository import MemoryRepository
from okd_payload.testing.registry_server import RegistryServer


class Described(Manifest, frozen=True, kw_only=True):
    """A Task or Pipeline that says something."""

    spec: dict[str, str]


def make(kind: str, name: str, says: str = "nothing") -> Described:
    """An object of ``kind``."""
    return Described(
        api_version="tekton.dev/v1",
        kind=kind,
        metadata=Metadata(name=name),
        spec={"description": says},
    )


async def resolve(repository, reference: str, kind: str, name: str) -> bytes:
    """What the resolver hands to Tekton, found the way ``bundle.go`` finds it."""
    image = (await repository.manifests.get(reference)).image()
    assert len(image.layers) <= MOST_OBJECTS
    for layer in image.layers:
        annotated = layer.annotations["dev.tekton.image.kind"]
        assert layer.annotations["dev.tekton.image.apiVersion"] == "tekton.dev/v1"
        assert annotated.lower().removesuffix("s") == annotated
        if (annotated, layer.annotations["dev.tekton.image.name"]) == (kind, name):
            compressed = b"".join([chunk async for chunk in repository.blobs.read(layer)])
            archive = gzip.decompress(compressed)
            with tarfile.open(fileobj=io.BytesIO(archive)) as reader:
                member = reader.next()
                assert member is not None
                assert reader.next() is None
                content = reader.extractfile(member)
                assert content is not None
                return content.read()
    raise AssertionError(f"no {kind} {name}")


async def test_what_was_pushed_is_found_by_kind_and_name():
    """A registry gives each object back as it was, by tag and by digest."""
    objects = [
        make("Task", "build", "builds"),
        make("Pipeline", "build", "runs"),
        make("Task", "a"),
    ]
    bundle = make_bundle(objects)
    async with RegistryServer() as server:
        reference = parse_reference(f"{server.host}/okd/tasks:1.0")
        async with RegistryClient() as client:
            repository = client.repository(reference)
            await push_bundle(bundle, repository, tag="1.0")
            for pinned in ("1.0", bundle.digest):
                found = await resolve(repository, pinned, "pipeline", "build")
                assert msgspec.json.decode(found) == {
                    "apiVersion": "tekton.dev/v1",
                    "kind": "Pipeline",
                    "metadata": {"name": "build"},
                    "spec": {"description": "runs"},
                }
            writes = server.count("PUT")
            await push_bundle(bundle, repository, tag="1.0")
            assert server.count("PUT") == writes + 1  # the manifest alone


def test_the_digest_depends_on_the_objects_only():
    """Whoever publishes the same again publishes nothing new; a change is another bundle."""
    one, other = make("Task", "one"), make("Task", "other")
    digest = make_bundle([one, other]).digest
    assert digest == make_bundle([other, one]).digest
    assert digest != make_bundle([one, make("Task", "other", "else")]).digest


def test_a_bundle_is_an_image():
    """Every reader of manifests and configurations takes it for one."""
    bundle = make_bundle([make("Task", "one")])
    image = read_manifest(bundle.image.content).image()
    assert image.config.media_type == media_types.OCI_CONFIG
    config = msgspec.json.decode(bundle.config)
    assert len(config["rootfs"]["diff_ids"]) == len(image.layers) == 1


@pytest.mark.parametrize(
    ("objects", "says"),
    [
        ([], "0 objects"),
        ([make("Task", f"t{number}") for number in range(21)], "21 objects"),
        ([make("Task", "one"), make("Task", "one", "else")], "twice"),
        ([make("ConfigMap", "one")], "configmap/one cannot be in a bundle"),
        ([make("Task", "")], "cannot be in a bundle"),
    ],
)
def test_what_no_resolver_takes_is_refused(objects, says):
    """Tekton would refuse the bundle, or find nothing in it, when somebody runs it."""
    with pytest.raises(InputError, match=says):
        make_bundle(objects)


async def test_an_interrupted_push_is_finished_by_the_next():
    """The tag comes last, and blobs that are there are not sent again."""
    bundle = make_bundle([make("Task", "one"), make("Task", "two")])
    repository = MemoryRepository()
    await push_bundle(bundle, repository, tag="1.0")
    await repository.manifests.put(bundle.image, tag="0.9")
    first = [verb for verb, _ in repository.operations].count("write")
    await push_bundle(bundle, repository, tag="1.0")
    assert [verb for verb, _ in repository.operations].count("write") == first
    assert await repository.manifests.tags() == ["0.9", "1.0"]
