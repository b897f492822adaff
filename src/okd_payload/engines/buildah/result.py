# SPDX-License-Identifier: Apache-2.0
"""From what buildah wrote to an image of the content repository.

Buildah's output is an image layout in which the parents' layers are empty files: it is told
that they are there, so it neither reads nor compresses them again. What it adds, uncompressed,
is made reproducible and stored; below it come the parent's own descriptors, so all images on one
base share its blobs whatever made them.

Images are docker's (v2s2): what clusters and ``oc`` of every version read. Only on a base with
layers that docker has no media type for (zstd) they are OCI's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.engines.buildah.image_config import compose_config
from okd_payload.engines.buildah.storage import Workspace
from okd_payload.errors import BuildError
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import BytesSource, FileSource
from okd_payload.oci.digest import Digest, digest_of, hex_of
from okd_payload.oci.image import Image, read_image
from okd_payload.oci.layers.normalise import normalise_layer
from okd_payload.oci.layout import LayoutRepository
from okd_payload.oci.manifest import Descriptor, ImageManifest, encode_manifest
from okd_payload.oci.media_types import Family
from okd_payload.oci.repository import Repository

RESULT_NAME = "result"
_DOCKER_LAYERS = {
    media_types.OCI_LAYER: media_types.DOCKER_LAYER,
    media_types.OCI_LAYER_GZIP: media_types.DOCKER_LAYER_GZIP,
    media_types.DOCKER_LAYER: media_types.DOCKER_LAYER,
    media_types.DOCKER_LAYER_GZIP: media_types.DOCKER_LAYER_GZIP,
}
_OCI_LAYERS = {
    media_types.DOCKER_LAYER: media_types.OCI_LAYER,
    media_types.DOCKER_LAYER_GZIP: media_types.OCI_LAYER_GZIP,
}


def expect_result(workspace: Workspace, parents: Iterable[Image]) -> str:
    """Prepare the output, and name it as buildah wants it named."""
    blobs = workspace.output / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for parent in parents:
        for diff_id in parent.config.diff_ids:
            (blobs / hex_of(diff_id)).touch()
    return f"oci:{workspace.output}:{RESULT_NAME}"


async def store_result(
    workspace: Workspace, *, step: BuildStep, parents: Iterable[Image], repository: Repository
) -> Digest:
    """Store what buildah wrote, untagged, and return the digest of its manifest."""
    built = await read_image(LayoutRepository(workspace.output), RESULT_NAME)
    parent = _parent_of(built, parents)
    own = built.config.diff_ids[len(parent.config.diff_ids) if parent else 0 :]
    if not own:
        raise BuildError(f"the build of {step.component} added no layer to its base")
    base = parent.layers if parent else ()
    family = Family.DOCKER if _fits_docker(base) else Family.OCI
    layers, diff_ids = [], []
    for number, diff_id in enumerate(own):
        layer = await normalise_layer(
            FileSource(workspace.output / "blobs" / "sha256" / hex_of(diff_id)).open(),
            workspace.path / f"layer-{number}",
            timestamp=step.timestamp,
            media_type=family.layer,
        )
        await repository.blobs.write(layer.descriptor, FileSource(layer.path))
        layers.append(layer.descriptor)
        diff_ids.append(layer.diff_id)
    config = compose_config(built.config_bytes, step=step, parent=parent, own_layers=diff_ids)
    return await _store(
        repository, config, layers=[*_converted(base, family), *layers], family=family
    )


async def _store(
    repository: Repository, config: bytes, *, layers: Sequence[Descriptor], family: Family
) -> Digest:
    descriptor = Descriptor(media_type=family.config, digest=digest_of(config), size=len(config))
    await repository.blobs.write(descriptor, BytesSource(config))
    manifest = encode_manifest(
        ImageManifest(config=descriptor, layers=tuple(layers), media_type=family.manifest)
    )
    await repository.manifests.put(manifest)
    return manifest.digest


def _parent_of(built: Image, parents: Iterable[Image]) -> Image | None:
    """The parent with the most layers that ``built`` begins with, None from scratch."""
    layers = built.config.diff_ids
    below = [it for it in parents if layers[: len(it.config.diff_ids)] == it.config.diff_ids]
    return max(below, key=lambda it: len(it.config.diff_ids), default=None)


def _fits_docker(layers: Iterable[Descriptor]) -> bool:
    return all(layer.media_type in _DOCKER_LAYERS for layer in layers)


def _converted(layers: Iterable[Descriptor], family: Family) -> list[Descriptor]:
    """``layers`` with the media types of ``family``; the blobs stay the same."""
    names = _DOCKER_LAYERS if family is Family.DOCKER else _OCI_LAYERS
    return [
        msgspec.structs.replace(layer, media_type=names.get(layer.media_type, layer.media_type))
        for layer in layers
    ]
