# SPDX-License-Identifier: Apache-2.0
"""Component files: one small YAML file per image, in our own words.

The name of the file is the name of the component, so no two files of a folder can define the
same one. Paths of sources are relative to the file. Fields mean what those of a BuildConfig
mean (``Component``); anything else is an error.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.catalog.component import Component, Layering, Origin, Sharing
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.fields import (
    NAME_PATTERN,
    ImageName,
    InputFields,
    LabelName,
    Line,
    RelativePath,
    ResourceFields,
    Tag,
    VariableName,
    Written,
    arguments_of,
    inputs_of,
)
from okd_payload.documents import convert, read_documents
from okd_payload.errors import InvalidDocument
from okd_payload.source.model import FolderSource, GitSource, Source


class SourceFields(Written, frozen=True, kw_only=True):
    """Where the source is: a git repository, or a folder of this machine."""

    git: Annotated[Line, Meta(description="a URL, or a path that begins with './' or '../'")] = ""
    ref: Annotated[
        Line, Meta(description="branch, tag or commit; the branch of the stream replaces it")
    ] = ""
    pinned: Annotated[
        bool, Meta(description="keep ref, whatever branch the stream has; commits are always kept")
    ] = False
    folder: Annotated[str, Meta(description="relative to this file")] = ""

    def __post_init__(self) -> None:
        """Refuse a source that is nothing, or two things."""
        if bool(self.git) == bool(self.folder):
            raise ValueError("exactly one of git and folder is needed")
        if self.folder and (self.ref or self.pinned):
            raise ValueError("folder goes with neither ref nor pinned")


class SharingFields(Written, frozen=True, kw_only=True):
    """Whether OKD and OCP ship the same image; with `bootstrap` what is shared is not built."""

    kind: Annotated[Sharing, Meta(description="shared with OCP, or specific: built for OKD")]
    reason: Annotated[Line, Meta(description="how that is known")] = ""


class ComponentFile(Written, frozen=True, kw_only=True):
    """The definition of one image; the file name without .yaml is its name."""

    tag: Annotated[Tag | None, Meta(description="the tag of the image; else the name")] = None
    source: Annotated[
        SourceFields | None, Meta(description="absent for an image made of other images only")
    ] = None
    context: Annotated[
        RelativePath, Meta(description="the build context, a folder of the source")
    ] = "."
    dockerfile: Annotated[
        RelativePath, Meta(description="path of the Dockerfile in the context")
    ] = "Dockerfile"
    inline_dockerfile: Annotated[
        str | None, Meta(description="the text of a Dockerfile, instead of one in the source")
    ] = None
    base: Annotated[ImageName | None, Meta(description="replaces the image of the last FROM")] = (
        None
    )
    inputs: tuple[InputFields, ...] = ()
    build_arguments: dict[VariableName, str] = msgspec.field(default_factory=dict)
    environment: dict[VariableName, Line] = msgspec.field(default_factory=dict)
    labels: Annotated[dict[LabelName, Line], Meta(description="labels of the image")] = (
        msgspec.field(default_factory=dict)
    )
    selector_labels: Annotated[
        dict[LabelName, Line], Meta(description="labels for overlays to select by")
    ] = msgspec.field(default_factory=dict)
    layering: Layering | None = None
    resources: ResourceFields = ResourceFields()
    sharing: Annotated[
        SharingFields | None, Meta(description="whether OKD and OCP ship the same image")
    ] = None


def read_component_file(path: Path, *, layering: Layering) -> Definition:
    """The component defined by the file at ``path``. Raises InvalidDocument.

    ``layering`` is what counts when the file says nothing about it.
    """
    documents = read_documents(path)
    if len(documents) != 1:
        raise InvalidDocument(
            f"{len(documents)} YAML documents instead of one",
            path=str(path),
            hint="write one file per component",
        )
    name = path.stem
    if not re.search(NAME_PATTERN, name):
        raise InvalidDocument(
            f"{name!r} cannot be the name of a component",
            path=str(path),
            hint="name the file with lower case letters, digits, '.' and '-' only",
        )
    origin = Origin(str(path), documents[0].line_of(()))
    return _define(name, convert(documents[0], ComponentFile), origin, layering)


def _define(name: str, written: ComponentFile, origin: Origin, layering: Layering) -> Definition:
    component = Component(
        name=name,
        tag=written.tag or name,
        origin=origin,
        source=_source_of(written.source, Path(origin.file).parent),
        context_directory=written.context,
        dockerfile_path=written.dockerfile,
        dockerfile=written.inline_dockerfile,
        base=written.base or "",
        inputs=inputs_of(written.inputs),
        build_arguments=arguments_of(written.build_arguments),
        environment=arguments_of(written.environment),
        labels=arguments_of(written.labels),
        selector_labels=arguments_of(written.selector_labels),
        layering=written.layering or layering,
        resources=written.resources.to_resources(),
        sharing=written.sharing.kind if written.sharing else None,
        sharing_reason=written.sharing.reason if written.sharing else "",
    )
    return Definition(component, pinned=written.source is not None and written.source.pinned)


def _source_of(written: SourceFields | None, folder: Path) -> Source | None:
    if written is None:
        return None
    if written.folder:
        return FolderSource(path=str((folder / written.folder).resolve()))
    return GitSource(url=git_url(written.git, folder), ref=written.ref)


def git_url(written: str, folder: Path) -> str:
    """``written`` as git takes it anywhere: a path is made absolute from ``folder``."""
    if written.startswith(("./", "../")):
        return str((folder / written).resolve())
    return written
