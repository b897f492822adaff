# SPDX-License-Identifier: Apache-2.0
"""From a planned component to a complete build step.

A step is complete once all parents are known by digest. The Dockerfile is rewritten in the
order of a BuildConfig build (``okd-pipelines.md`` 1.4, item 5), and the commit becomes the
labels that release tools read (item 7).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from okd_payload.build.dockerfiles import (
    ImageOperand,
    ReadDockerfile,
    read_dockerfile,
    resolve,
)
from okd_payload.build.engine import BuildStep, CopiedFiles
from okd_payload.build.images import MadeImage, StreamImages, newest
from okd_payload.build.inputs import brings_dockerfile, dockerfile_location
from okd_payload.build.key import BuildInputs, inputs_of, key_labels, key_of
from okd_payload.build.plan import ComponentNode
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument, Component, Copy
from okd_payload.catalog.names import (
    ExternalImage,
    TagImage,
    Unresolved,
    node_of,
    resolve_image,
)
from okd_payload.errors import BuildError, InputError
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import read_image
from okd_payload.oci.layers.extract import extract_path
from okd_payload.source.model import Commit

ALTERED_LABEL = "io.okd-payload.source.altered"
"""The commit that an image was built from, when it is not one of the source's own."""


class PreparedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its key; ``step`` carries the key among its labels."""

    step: BuildStep
    inputs: BuildInputs
    key: str


def prepare(step: BuildStep, *, format_version: str) -> PreparedStep:
    """``step`` with its key, computed for an engine with ``format_version``."""
    inputs = inputs_of(step, format_version=format_version)
    labelled = msgspec.structs.replace(step, labels=(*step.labels, *key_labels(inputs)))
    return PreparedStep(step=labelled, inputs=inputs, key=key_of(inputs))


class Steps:
    """Makes the steps of one catalog, whose images are in one repository."""

    def __init__(self, catalog: Catalog, images: StreamImages) -> None:
        self._catalog = catalog
        self._images = images

    async def make_step(self, node: ComponentNode, parents: Mapping[str, MadeImage]) -> BuildStep:
        """The step that builds ``node`` on ``parents``. Raises BuildError."""
        component, commit = node.component, node.commit
        if component.source is not None and commit is None:
            raise BuildError(
                f"{component.name}: there is nothing to build of {component.source}",
                hint="its source could not be read, and the stream permits that",
            )
        content = node.dockerfile
        if content is None:
            content = await self._copied_dockerfile(component, parents)
        dockerfile = self._read(node, content)
        return BuildStep(
            component=component.name,
            tag=component.tag,
            source=component.source,
            commit=commit,
            context_directory=component.context_directory,
            dockerfile=dockerfile.text,
            images={
                operand.operand: self._parent_of(component, operand, parents)
                for operand in dockerfile.operands
            },
            copied_files=tuple(
                CopiedFiles(self._parent(component, item.image, parents), item.copies)
                for item in component.inputs
                if item.copies
            ),
            build_arguments=dockerfile.arguments,
            labels=component.labels,
            layering=component.layering,
            platform=self._images.platform,
            timestamp=_timestamp(commit, parents),
            resources=component.resources,
        )

    def _read(self, node: ComponentNode, content: bytes) -> ReadDockerfile:
        component, commit, base = node.component, node.commit, node.base
        try:
            return read_dockerfile(
                component,
                content,
                platform=self._images.platform,
                build_environment=build_environment(base or commit),
                labels=source_labels(component, commit, base=base),
            )
        except InputError as error:
            raise BuildError(f"{component.name}: {error.message}", hint=error.hint) from error

    def _parent_of(
        self, component: Component, operand: ImageOperand, parents: Mapping[str, MadeImage]
    ) -> Digest:
        """The digest of the image that ``operand`` means."""
        image = resolve(operand, self._catalog)
        return self._digest(component, operand.meaning, image, parents)

    def _parent(self, component: Component, name: str, parents: Mapping[str, MadeImage]) -> Digest:
        """The digest of the image called ``name``."""
        return self._digest(component, name, resolve_image(name, self._catalog), parents)

    def _digest(
        self,
        component: Component,
        name: str,
        image: TagImage | ExternalImage | Unresolved,
        parents: Mapping[str, MadeImage],
    ) -> Digest:
        """The digest of ``image``, which must be among ``parents``."""
        node = "" if isinstance(image, Unresolved) else node_of(image)
        if node not in parents:
            raise BuildError(
                f"{component.name} needs {name}, which it was not planned on",
                hint="a Dockerfile out of another image is read only now: add the image to "
                "`inputs` of the component",
            )
        return parents[node].digest

    async def _copied_dockerfile(
        self, component: Component, parents: Mapping[str, MadeImage]
    ) -> bytes:
        """A Dockerfile that an input brings, read from the image that has it."""
        with tempfile.TemporaryDirectory(prefix="okd-payload-dockerfile-") as name:
            folder = Path(name)
            for item in component.inputs:
                for copy in item.copies:
                    if brings_dockerfile(component, copy):
                        digest = self._parent(component, item.image, parents)
                        await self._extract(digest, copy, folder)
            content = _read_below(folder, dockerfile_location(component))
            if content is None:
                raise BuildError(
                    f"{component.name}: no input brings {dockerfile_location(component)}",
                    hint="correct `copies` of its inputs, or `dockerfile`",
                )
            return content

    async def _extract(self, digest: Digest, copy: Copy, folder: Path) -> None:
        repository = self._images.repository
        image = await read_image(repository, digest, platform=self._images.platform)
        await extract_path(
            repository.blobs,
            image.layers,
            copy.source,
            root=folder,
            destination=copy.destination,
        )


def _read_below(folder: Path, location: str) -> bytes | None:
    """The file at ``location``, which an image brought: its links lead nowhere else."""
    path = (folder / location).resolve()
    inside = path.is_relative_to(folder.resolve()) and path.is_file()
    return path.read_bytes() if inside else None


def _timestamp(commit: Commit | None, parents: Mapping[str, MadeImage]) -> int:
    """When the newest input was made: of the commit, or of the parents when there is none."""
    if commit is not None:
        return commit.time
    return newest(parents.values())


def build_environment(commit: Commit | None) -> tuple[Argument, ...]:
    """What a BuildConfig build tells the image about its source, as environment."""
    if commit is None:
        return ()
    named = {
        "OPENSHIFT_BUILD_SOURCE": commit.location,
        "OPENSHIFT_BUILD_REFERENCE": commit.ref,
        "OPENSHIFT_BUILD_COMMIT": commit.id,
    }
    return tuple(Argument(name, value) for name, value in named.items() if value)


def source_labels(
    component: Component, commit: Commit | None, *, base: Commit | None = None
) -> tuple[Argument, ...]:
    """The labels by which release tools find the source of an image.

    With ``base``, ``commit`` is that one with patches: the world knows the former only, and a
    label of our own says that it is not all.
    """
    if commit is None:
        return ()
    altered = {ALTERED_LABEL: commit.id} if base is not None else {}
    commit = base or commit
    named = {
        "io.openshift.build.commit.author": commit.author,
        "io.openshift.build.commit.date": commit.date,
        "io.openshift.build.commit.id": commit.id,
        "io.openshift.build.commit.message": commit.message,
        "io.openshift.build.commit.ref": commit.ref,
        "io.openshift.build.source-context-dir": component.context_directory,
        "io.openshift.build.source-location": commit.location,
        **altered,
    }
    return tuple(Argument(name, value) for name, value in named.items() if value)
