# SPDX-License-Identifier: Apache-2.0
"""The operator's own manifests, which are in the image that a payload is put on.

A cluster reads them before those of the payload. Nobody checks them when a release is made: they
are templates, and the operator fills them in itself.
"""

from __future__ import annotations

from contextlib import aclosing

from okd_payload.issues import Issue
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.repository import Repository
from okd_payload.release import codes
from okd_payload.release.load import ReleaseContent

_FOLDER = "manifests"


async def lint_base(content: ReleaseContent, repository: Repository) -> list[Issue]:
    """An issue when the operator itself brings no manifests. Raises RegistryError.

    Layers are read from the top, until one has the folder: usually the first.
    """
    if content.image is None:
        return []
    for layer in reversed(content.image.layers[:-1]):
        chunks = repository.blobs.read(layer)
        async with aclosing(
            read_files(chunks, media_type=layer.media_type, want=_is_base)
        ) as files:
            async for _ in files:
                return []
    issue = codes.MISSING_FILE.issue(
        f"the base image has no folder /{_FOLDER}, so clusters take this for no payload",
        file=_FOLDER,
        hint="the base must be an image of the cluster-version-operator",
    )
    return [issue]


def _is_base(entry: Entry) -> bool:
    return entry.path.startswith(f"{_FOLDER}/")
