# SPDX-License-Identifier: Apache-2.0
"""What one configuration of OpenShift CI says about images, whichever form its file has.

Names are those of ci-operator's pipeline: an image is used under the key it was imported by, or
under the name that it is built as.
"""

from __future__ import annotations

import msgspec

from okd_payload.catalog.component import Argument, Copy, Origin, Resources

CENTRAL_REGISTRY = "registry.ci.openshift.org"


class ConfigurationName(msgspec.Struct, frozen=True, order=True):
    """Which repository, branch and variant a configuration is for."""

    org: str
    repo: str
    branch: str
    variant: str = ""

    @property
    def repository(self) -> str:
        """The repository, as people write it."""
        return f"{self.org}/{self.repo}"

    def __str__(self) -> str:
        variant = f"__{self.variant}" if self.variant else ""
        return f"{self.repository}@{self.branch}{variant}"


class CentralImage(msgspec.Struct, frozen=True):
    """A tag of an image stream in the central registry."""

    namespace: str
    name: str
    tag: str

    @property
    def pull_spec(self) -> str:
        """What Dockerfiles call it."""
        return f"{CENTRAL_REGISTRY}/{self.namespace}/{self.name}:{self.tag}"


class ExternalImage(msgspec.Struct, frozen=True):
    """An image of another registry."""

    pull_spec: str


class PipelineInput(msgspec.Struct, frozen=True, kw_only=True):
    """Another image that a build uses, by its name in the pipeline."""

    image: str
    aliases: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()


class BuiltImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is built from the sources of the repository."""

    name: str
    line: int
    base: str = ""
    """The name in the pipeline of what replaces the last FROM."""
    context_directory: str = "."
    dockerfile_path: str = "Dockerfile"
    dockerfile: str | None = None
    inputs: tuple[PipelineInput, ...] = ()
    build_arguments: tuple[Argument, ...] = ()
    optional: bool = False
    """Neither built nor promoted unless somebody asks for it."""
    architectures: tuple[str, ...] = ()
    """Those besides amd64, which is always meant."""
    resources: Resources = Resources()


class CommandImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image after commands were run in it (``pipeline_image_cache_step``)."""

    name: str
    line: int
    base: str
    commands: str
    resources: Resources = Resources()


class InjectedImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image with the package repository of a CI run (``rpm_image_injection_step``)."""

    name: str
    line: int
    base: str


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where images go: to tags of one image stream, or to one tag of many (``tag``)."""

    namespace: str
    name: str = ""
    tag: str = ""
    excluded: tuple[str, ...] = ()
    additional: dict[str, str] = {}
    """Pipeline names by the names that they get."""
    disabled: bool = False

    @property
    def stream(self) -> str:
        """The image stream whose tags the images become; empty when there is no single one."""
        return f"{self.namespace}/{self.name}" if self.name else ""


class BuildRoot(msgspec.Struct, frozen=True, kw_only=True):
    """The image in which OpenShift CI compiles the sources before it builds images."""

    image: CentralImage | None = None
    from_repository: bool = False
    """Named by ``.ci-operator.yaml`` of the repository."""


class UnreadField(msgspec.Struct, frozen=True):
    """A field that is not known here, with what stands in it, as JSON."""

    name: str
    line: int
    value: str


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: ConfigurationName
    origin: Origin
    imported: dict[str, CentralImage | ExternalImage] = {}
    """By the name in the pipeline."""
    built: tuple[BuiltImage | CommandImage | InjectedImage, ...] = ()
    listed: frozenset[str] = frozenset()
    """The names of those that ``images`` lists, which are what is promoted."""
    targets: tuple[Target, ...] = ()
    build_root: BuildRoot | None = None
    unread: tuple[UnreadField, ...] = ()
