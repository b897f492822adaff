# SPDX-License-Identifier: Apache-2.0
"""The objects of ``build.openshift.io/v1``, as far as we write and read them.

What is written leaves out what is not set, so that a server-side apply owns nothing more than it
says. What is read tolerates everything else that the API has.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.catalog.openshift_names import DOCKER_IMAGE
from okd_payload.cluster import kinds
from okd_payload.cluster.objects import decode_object
from okd_payload.engines.manifests import Part
from okd_payload.engines.pod.labels import WHOLE_KEY


class Phase(enum.Enum):
    """How far a build is, as the API says it."""

    NEW = "New"
    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETE = "Complete"
    FAILED = "Failed"
    ERROR = "Error"
    CANCELLED = "Cancelled"


ENDED = frozenset({"Complete", "Failed", "Error", "Cancelled"})
CANCELLATION = b'{"status":{"cancelled":true}}'
"""The merge patch that asks a build to end."""
UNRESOLVABLE = frozenset({"InvalidImageReference", "InvalidOutputReference"})
"""Reasons for which a build stays ``New`` until it is cancelled: the cluster keeps hoping."""


class ObjectReference(Part, frozen=True, kw_only=True):
    """An image by what the cluster calls it: a tag of an image stream, or a pull spec."""

    kind: str
    name: str
    namespace: str = ""


def docker_image(pull_spec: str) -> ObjectReference:
    """The image with that pull spec."""
    return ObjectReference(kind=DOCKER_IMAGE, name=pull_spec)


class Metadata(Part, frozen=True, kw_only=True):
    """Who an object is, and how it is marked."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    creation_timestamp: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class Git(Part, frozen=True, kw_only=True):
    """Where the source is; an empty ``ref`` is the default branch."""

    uri: str
    ref: str = ""


class CopiedPath(Part, frozen=True, kw_only=True):
    """A file or folder to copy out of an image, below the root of the source."""

    source_path: str
    destination_dir: str


class ImageSource(Part, frozen=True, kw_only=True):
    """An image that is used under other names, or for files of it."""

    image: ObjectReference = msgspec.field(name="from")
    aliases: tuple[str, ...] = msgspec.field(name="as", default=())
    paths: tuple[CopiedPath, ...] = ()


class SecretName(Part, frozen=True, kw_only=True):
    """A secret of the namespace."""

    name: str


class Source(Part, frozen=True, kw_only=True):
    """What the build starts from."""

    type: str = ""
    git: Git | None = None
    source_secret: SecretName | None = None
    context_dir: str = ""
    dockerfile: str | None = None
    images: tuple[ImageSource, ...] = ()


class Variable(Part, frozen=True, kw_only=True):
    """A named value."""

    name: str
    value: str = ""


class DockerStrategy(Part, frozen=True, kw_only=True):
    """How the Dockerfile is found, rewritten and built."""

    base: ObjectReference | None = msgspec.field(name="from", default=None)
    dockerfile_path: str = ""
    image_optimization_policy: str = ""
    build_args: tuple[Variable, ...] = ()
    env: tuple[Variable, ...] = ()
    pull_secret: SecretName | None = None


class Strategy(Part, frozen=True, kw_only=True):
    """The docker strategy."""

    type: str
    docker_strategy: DockerStrategy | None = None


class Output(Part, frozen=True, kw_only=True):
    """What becomes of the image."""

    to: ObjectReference | None = None
    image_labels: tuple[Variable, ...] = ()
    push_secret: SecretName | None = None


class ResourceRequirements(Part, frozen=True, kw_only=True):
    """What a build asks for and what it may use at most, as quantities by name."""

    requests: dict[str, str] = msgspec.field(default_factory=dict)
    limits: dict[str, str] = msgspec.field(default_factory=dict)


class GitRevision(Part, frozen=True, kw_only=True):
    """A commit."""

    commit: str


class Revision(Part, frozen=True, kw_only=True):
    """The version of the source that one build takes."""

    type: str
    git: GitRevision | None = None


class BuildSpecification(Part, frozen=True, kw_only=True):
    """What to build, and where; of a build, all references resolved."""

    source: Source = Source()
    strategy: Strategy
    output: Output = Output()
    resources: ResourceRequirements = ResourceRequirements()
    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    service_account: str = ""
    completion_deadline_seconds: int | None = None
    revision: Revision | None = None
    run_policy: str = ""
    successful_builds_history_limit: int | None = None
    failed_builds_history_limit: int | None = None


class BuildConfig(Part, frozen=True, kw_only=True):
    """A definition from which builds are made."""

    api_version: str = ""
    kind: str = ""
    metadata: Metadata
    spec: BuildSpecification


class DockerStrategyOptions(Part, frozen=True, kw_only=True):
    """What one build gets beside what its configuration says."""

    build_args: tuple[Variable, ...] = ()


class BuildRequest(Part, frozen=True, kw_only=True):
    """What starts a build of a configuration; labels and annotations pass on to the build."""

    api_version: str
    kind: str
    metadata: Metadata
    revision: Revision | None = None
    docker_strategy_options: DockerStrategyOptions | None = None


class PushedImage(Part, frozen=True, kw_only=True):
    """The image that was pushed."""

    image_digest: str = ""


class BuildStatusOutput(Part, frozen=True, kw_only=True):
    """What a build made."""

    to: PushedImage | None = None


class BuildStatus(Part, frozen=True, kw_only=True):
    """How far a build is."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    cancelled: bool = False
    log_snippet: str = ""
    output: BuildStatusOutput = BuildStatusOutput()
    output_docker_image_reference: str = ""


class Build(Part, frozen=True, kw_only=True):
    """One build."""

    metadata: Metadata
    spec: BuildSpecification
    status: BuildStatus = BuildStatus()

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return self.metadata.name

    @property
    def uid(self) -> str:
        """What tells it from others that have had its name."""
        return self.metadata.uid

    @property
    def has_ended(self) -> bool:
        """Whether it ran, or came to an end without running."""
        return self.status.phase in ENDED

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or will not begin: some of its references mean nothing."""
        waits = self.status.phase == Phase.NEW.value and self.status.reason in UNRESOLVABLE
        return waits or self.has_ended

    @property
    def key(self) -> str:
        """The build key of the image that it makes; empty when it makes none of ours."""
        return self.metadata.annotations.get(WHOLE_KEY, "")


def decode_build(content: bytes) -> Build:
    """The build in ``content``. Raises ClusterError."""
    return decode_object(content, Build, kinds.OPENSHIFT_BUILD)


def new_build_config(metadata: Metadata, spec: BuildSpecification) -> BuildConfig:
    """A configuration that says what kind of object it is."""
    kind = kinds.BUILD_CONFIG
    return BuildConfig(api_version=kind.api_version, kind=kind.kind, metadata=metadata, spec=spec)
