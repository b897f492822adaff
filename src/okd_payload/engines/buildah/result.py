# SPDX-License-Identifier: Apache-2.0
"""From what buildah wrote to an image of the content repository.

Buildah's output is an image layout in which the parents' layers are empty files: it is told
that they are there, so it neither reads nor compresses them again. What it adds, uncompressed,
is made reproducible and stored; below it come the parent's own descriptors, so all images on one
base share its blobs whatever made them.

Images are OCI's, whatever their base is: the repository is an image layout directory as well as
a registry, and other tools find nothing else by its tag in a layout. ``oc`` and clusters read
both families.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.engines.buildah.difference import ParentTrees, read_difference
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
from okd_payload.oci.repository import Repository

RESULT_NAME = "result"
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


class Results:
    """Takes results over into one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._trees = ParentTrees(repository.blobs)

    async def store(
        self, workspace: Workspace, *, step: BuildStep, parents: Iterable[Image]
    ) -> Digest:
        """Store what buildah wrote, untagged, and return the digest of its manifest.

        Raises BuildError, ContentError, StorageError and what the repository raises.
        """
        built = await read_image(LayoutRepository(workspace.output), RESULT_NAME)
        parent = _parent_of(built, parents)
        own = built.config.diff_ids[len(parent.config.diff_ids) if parent else 0 :]
        if not own:
            raise BuildError(
                f"the build of {step.component} added no layer to its base",
                hint="copy a file or run something in the last stage of its Dockerfile",
            )
        layers = [_converted(layer) for layer in parent.layers] if parent else []
        diff_ids = []
        for diff_id in own:
            below = await self._trees.tree_of(layers)
            layer = await normalise_layer(
                read_difference(workspace.output / "blobs" / "sha256" / hex_of(diff_id), below),
                workspace.path / f"layer-{len(layers)}",
                timestamp=step.timestamp,
                media_type=media_types.OCI_LAYER_GZIP,
            )
            await self._repository.blobs.write(layer.descriptor, FileSource(layer.path))
            layers.append(layer.descriptor)
            diff_ids.append(layer.diff_id)
        config = compose_config(built.config_bytes, step=step, parent=parent, own_layers=diff_ids)
        return await _store(self._repository, config, layers)


async def _store(repository: Repository, config: bytes, layers: Sequence[Descriptor]) -> Digest:
    descriptor = Descriptor(
        media_type=media_types.OCI_CONFIG, digest=digest_of(config), size=len(config)
    )
    await repository.blobs.write(descriptor, BytesSource(config))
    manifest = encode_manifest(
        ImageManifest(config=descriptor, layers=tuple(layers), media_type=media_types.OCI_MANIFEST)
    )
    await repository.manifests.put(manifest)
    return manifest.digest


def _parent_of(built: Image, parents: Iterable[Image]) -> Image | None:
    """The parent with the most layers that ``built`` begins with, None from scratch."""
    layers = built.config.diff_ids
    below = [it for it in parents if layers[: len(it.config.diff_ids)] == it.config.diff_ids]
    return max(below, key=lambda it: len(it.config.diff_ids), default=None)


def _converted(layer: Descriptor) -> Descriptor:
    """``layer`` with the media type of its kind in OCI's family; the blob stays the same."""
    media_type = _OCI_LAYERS.get(layer.media_type, layer.media_type)
    return msgspec.structs.replace(layer, media_type=media_type)
