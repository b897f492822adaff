# SPDX-License-Identifier: Apache-2.0
"""The stream file: which components, built on what, and what becomes of them.

This is what users write, so it is short where nothing special is wanted: a name and a catalog
are enough. What is said for all components (``buildArguments``, ``environment``,
``resources``, ``layering``) fills in what a definition leaves open; ``overlays`` and
``components`` change what a definition says. Arguments, variables and labels are merged by
name, and null takes a name away.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.catalog.builders.policy import Builders
from okd_payload.catalog.component import Layering
from okd_payload.catalog.component_file import SharingFields
from okd_payload.catalog.fields import (
    InputFields,
    LabelName,
    Line,
    Name,
    RelativePath,
    ResourceFields,
    Tag,
    VariableName,
    Written,
    whole,
)
from okd_payload.catalog.release_name import DEFAULT_PATTERN
from okd_payload.catalog.substitution import Substitution
from okd_payload.errors import InvalidReference
from okd_payload.issues import Permit
from okd_payload.oci.reference import parse_reference

ImportName = Annotated[
    str,
    Meta(
        pattern=whole(r"(?:[a-z0-9./-]+:)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
        description="a tag of the stream, or STREAM:TAG for one of another image stream",
    ),
]


class CatalogSource(Written, frozen=True, kw_only=True):
    """A folder or file with definitions, relative to the stream file."""

    components: Annotated[
        str, Meta(description="a folder of component files, or one such file")
    ] = ""
    build_configs: Annotated[
        str, Meta(description="a folder of BuildConfig and ImageStream files, or one such file")
    ] = ""
    kustomization: Annotated[
        str,
        Meta(description="a folder with a kustomization: what it makes of BuildConfigs is read"),
    ] = ""
    image_stream: Annotated[
        Name, Meta(description="the ImageStream whose tags are the tags of this stream")
    ] = "release"

    def __post_init__(self) -> None:
        """Refuse a source that says nothing, or several things."""
        if bool(self.components) + bool(self.build_configs) + bool(self.kustomization) != 1:
            raise ValueError("exactly one of components, buildConfigs and kustomization is needed")

    @property
    def path(self) -> str:
        """The folder or file, whichever kind of source it is."""
        return self.components or self.build_configs or self.kustomization


class Git(Written, frozen=True, kw_only=True):
    """The branch of all components, given once."""

    branch: Annotated[
        Line, Meta(description="replaces the ref of every component that does not pin its own")
    ] = ""
    exceptions: Annotated[
        dict[str, Line | None],
        Meta(description="component: ref; null keeps the ref of the definition"),
    ] = msgspec.field(default_factory=dict)


class ImportEntry(Written, frozen=True, kw_only=True):
    """A tag that is not built from a source: pulled, taken over, or made by a program."""

    image: Annotated[str, Meta(description="an image elsewhere; the lock pins its digest")] = ""
    tag: Annotated[str, Meta(description="another tag or import of this stream")] = ""
    command: Annotated[
        tuple[str, ...],
        Meta(
            description="a program that writes a root file system as tar to standard output; "
            "a name with '/' is relative to the stream file"
        ),
    ] = ()
    stub: Annotated[
        str, Meta(description="the reason, when this stands in for a component that is not built")
    ] = ""

    def __post_init__(self) -> None:
        """Refuse entries without content, or with two, and images nobody can name."""
        if bool(self.image) + bool(self.tag) + bool(self.command) != 1:
            raise ValueError("exactly one of image, tag and command is needed")
        if self.image:
            _check_pull_spec("image", self.image)


class SourceChange(Written, frozen=True, kw_only=True):
    """Another repository, another ref, or a folder instead."""

    git: Line = ""
    ref: Line = ""
    folder: Annotated[str, Meta(description="relative to the stream file")] = ""

    def __post_init__(self) -> None:
        """Refuse a source that is two things."""
        if self.folder and (self.git or self.ref):
            raise ValueError("folder goes with neither git nor ref")


class Changes(Written, frozen=True, kw_only=True):
    """What to change in a definition; what is absent stays."""

    tag: Annotated[Tag | None, Meta(description="another tag for the image")] = None
    build_arguments: dict[VariableName, str | None] = msgspec.field(default_factory=dict)
    environment: dict[VariableName, Line | None] = msgspec.field(default_factory=dict)
    labels: dict[LabelName, Line | None] = msgspec.field(default_factory=dict)
    inputs: Annotated[tuple[InputFields, ...], Meta(description="added to those it has")] = ()
    base: Annotated[str, Meta(description="replaces the image of the last FROM")] = ""
    source: SourceChange = SourceChange()
    patches: Annotated[
        str,
        Meta(description="a folder of *.patch files for the source, relative to the stream file"),
    ] = ""
    context: RelativePath | None = None
    dockerfile: Annotated[
        RelativePath | None, Meta(description="path of the Dockerfile in the context")
    ] = None
    inline_dockerfile: Annotated[str, Meta(description="the text of a Dockerfile")] = ""
    layering: Layering | None = None
    resources: ResourceFields = ResourceFields()
    sharing: Annotated[
        SharingFields | None, Meta(description="whether OKD and OCP ship the same image")
    ] = None
    skip: Annotated[str, Meta(description="the reason for leaving the component out")] = ""

    def __post_init__(self) -> None:
        """Refuse two Dockerfiles."""
        if self.dockerfile and self.inline_dockerfile:
            raise ValueError("only one of dockerfile and inlineDockerfile can count")


class Overlay(Changes, frozen=True, kw_only=True):
    """Changes for some components; overlays apply in order."""

    selectors: Annotated[
        str | tuple[str, ...],
        Meta(description="names, globs of names, or LABEL=VALUE; any of them selects"),
    ] = msgspec.field(name="for")

    @property
    def selector_list(self) -> tuple[str, ...]:
        """The selectors, however many were written."""
        return (self.selectors,) if isinstance(self.selectors, str) else self.selectors


class Bootstrap(Written, frozen=True, kw_only=True):
    """A release whose images are taken over instead of building what OKD and OCP share."""

    release: Annotated[
        str,
        Meta(
            description="a pull spec, or oci:DIR:TAG with a directory relative to the stream "
            "file; the lock pins its digest"
        ),
    ] = ""

    def __post_init__(self) -> None:
        """Refuse what names no release."""
        if self.release and not self.release.startswith("oci:"):
            _check_pull_spec("release", self.release)


class Publish(Written, frozen=True, kw_only=True):
    """Where the images will be: payloads name them there even before they are pushed."""

    content: Annotated[str, Meta(description="repository of the component images")] = ""
    releases: Annotated[str, Meta(description="repository of the release images")] = ""

    def __post_init__(self) -> None:
        """Refuse what is not the name of a repository."""
        for field, name in (("content", self.content), ("releases", self.releases)):
            if name and _check_pull_spec(field, name) != name:
                raise ValueError(f"{field} is a repository: leave tag and digest away")


class Release(Written, frozen=True, kw_only=True):
    """How releases are named and what they are made on."""

    name: Annotated[
        str,
        Meta(description="a pattern with {stream}, {version}, {time:%Y-%m-%d-%H%M%S}, {inputs}"),
    ] = DEFAULT_PATTERN
    version: str = "0.0.1"
    base: Annotated[Tag, Meta(description="the tag whose image the manifests are put on")] = (
        "cluster-version-operator"
    )
    previous: Annotated[
        tuple[str, ...], Meta(description="versions that may upgrade to these releases")
    ] = ()
    skip: Annotated[
        Line, Meta(description="the stream makes images only and no releases, and why")
    ] = ""


class Stream(Written, frozen=True, kw_only=True):
    """A stream of OKD releases, built from source."""

    name: Name
    catalog: Annotated[
        tuple[CatalogSource, ...], Meta(min_length=1, description="where the definitions are")
    ]
    git: Git = Git()
    build_arguments: Annotated[
        dict[VariableName, str],
        Meta(description="for every Dockerfile that declares them, unless a definition says else"),
    ] = msgspec.field(default_factory=dict)
    environment: Annotated[
        dict[VariableName, Line], Meta(description="for every stage of every build")
    ] = msgspec.field(default_factory=dict)
    resources: ResourceFields = ResourceFields()
    layering: Layering = Layering.ONE
    substitutions: Annotated[
        tuple[Substitution, ...], Meta(description="what foreign references mean, first fit counts")
    ] = ()
    builders: Builders = Builders()
    imports: Annotated[
        dict[ImportName, ImportEntry], Meta(description="tags that are not built from a source")
    ] = msgspec.field(default_factory=dict)
    overlays: Annotated[tuple[Overlay, ...], Meta(description="changes for some components")] = ()
    components: Annotated[dict[str, Changes], Meta(description="changes by component name")] = (
        msgspec.field(default_factory=dict)
    )
    bootstrap: Bootstrap = Bootstrap()
    dropped: Annotated[
        dict[Tag, Line],
        Meta(description="images that have no definition any more, and why; written by sync"),
    ] = msgspec.field(default_factory=dict)
    publish: Publish = Publish()
    release: Release = Release()
    permits: Annotated[
        tuple[Permit, ...], Meta(description="issues that this stream accepts, and why")
    ] = ()

    @property
    def content_repository(self) -> str:
        """The repository that payloads name their images in."""
        return self.publish.content or f"localhost/{self.name}/content"

    @property
    def release_repository(self) -> str:
        """The repository of the release images."""
        return self.publish.releases or f"localhost/{self.name}/release"


def _check_pull_spec(field: str, text: str) -> str:
    """The repository of pull spec ``text``. Raises ValueError, which msgspec locates."""
    try:
        reference = parse_reference(text)
    except InvalidReference as error:
        raise ValueError(f"{field}: {error.message} ({error.hint})") from error
    if not text.startswith(f"{reference.host}/"):
        raise ValueError(f"{field}: {text!r} has no host; write {reference}")
    return reference.repository
