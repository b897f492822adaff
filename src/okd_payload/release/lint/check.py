# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a release, all of it at once.

First come the checks that the cluster-version operator makes before it takes a payload: it
refuses the whole payload for one bad document. Then what it would not notice and people would
suffer from: images that are not there, placeholders that nobody replaced, images from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing

from okd_payload.errors import InvalidReference
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.release import codes, labels
from okd_payload.release.components import look_up
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.lint.manifests import is_private, lint_manifests
from okd_payload.release.lint.metadata import lint_metadata
from okd_payload.release.load import ReleaseContent
from okd_payload.release.new.images import RepositoryOf

_BASE_FOLDER = "manifests"


def lint_release(content: ReleaseContent) -> list[Issue]:
    """Every issue that the files of a release show; nothing is looked up."""
    read = lint_metadata(content)
    tags = read.references.spec.tags if read.references else ()
    pull_specs = [pull_spec_of(tag) for tag in tags]
    return [
        *read.issues,
        *(issue for tag in tags for issue in _check_tag(tag)),
        *lint_manifests(content.manifests, pull_specs=pull_specs),
    ]


async def lint_images(content: ReleaseContent, repository_of: RepositoryOf) -> list[Issue]:
    """An issue for every image of the release that cannot be had. Raises RegistryError."""
    references = lint_metadata(content).references
    tags = references.spec.tags if references else ()
    components = await look_up(filter(_is_readable, tags), repository_of)
    return [
        codes.MISSING_IMAGE.issue(
            component.problem,
            component=component.tag.name,
            hint="clusters cannot install this release: push the image, or make it again",
        )
        for component in components
        if component.problem
    ]


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
        f"the base image has no folder /{_BASE_FOLDER}, so clusters take this for no payload",
        file=_BASE_FOLDER,
        hint="the base must be an image of the cluster-version-operator",
    )
    return [issue]


def _check_tag(tag: TagReference) -> Iterator[Issue]:
    pull_spec = pull_spec_of(tag)
    if not pull_spec:
        return
    try:
        reference = parse_reference(pull_spec)
    except InvalidReference as error:
        yield codes.INVALID_PULL_SPEC.issue(
            error.message,
            component=tag.name,
            file=labels.IMAGE_REFERENCES,
            hint=error.hint,
        )
        return
    if is_private(reference):
        yield codes.PRIVATE_IMAGE.issue(
            f"{pull_spec} is in a registry that only some can pull from",
            component=tag.name,
            file=labels.IMAGE_REFERENCES,
            hint="copy the images to a public repository and make the release from there",
        )
    if reference.digest is None:
        yield codes.FLOATING_IMAGE.issue(
            f"{pull_spec} names no digest: what it means may change, and no mirror serves it",
            component=tag.name,
            file=labels.IMAGE_REFERENCES,
            hint="give the image by digest",
        )


def _is_readable(tag: TagReference) -> bool:
    """Whether the pull spec is one; others were reported already."""
    try:
        parse_reference(pull_spec_of(tag))
    except InvalidReference:
        return False
    return True


def _is_base(entry: Entry) -> bool:
    return entry.path.startswith(f"{_BASE_FOLDER}/")
