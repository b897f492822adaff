# SPDX-License-Identifier: Apache-2.0
"""The objects of the old controller, as far as they become records.

What else stands in them is passed over, and so is what nobody has written there yet.
"""

from __future__ import annotations

import msgspec

PREFIX = "release.openshift.io/"


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all parts."""


class Metadata(Fields, frozen=True, kw_only=True):
    """Of any object."""

    name: str = ""
    namespace: str = ""
    annotations: dict[str, str] | None = None
    labels: dict[str, str] | None = None

    def annotation(self, key: str) -> str:
        """The annotation ``release.openshift.io/KEY``; empty where there is none."""
        return (self.annotations or {}).get(PREFIX + key, "")


class TagSource(Fields, frozen=True, kw_only=True):
    """Where a tag comes from."""

    kind: str = ""
    name: str = ""


class SpecTag(Fields, frozen=True, kw_only=True):
    """A tag as somebody wanted it."""

    name: str
    annotations: dict[str, str] | None = None
    source: TagSource | None = msgspec.field(name="from", default=None)
    generation: int | None = None
    reference: bool = False
    """Whether the image stays where it is, and is not imported."""

    @property
    def origin(self) -> str:
        """The image in another registry that the tag was made of; empty where it was not."""
        if self.source is None or self.source.kind != "DockerImage":
            return ""
        return self.source.name

    def annotation(self, key: str) -> str:
        """The annotation ``release.openshift.io/KEY``; empty where there is none."""
        return (self.annotations or {}).get(PREFIX + key, "")


class TagItem(Fields, frozen=True, kw_only=True):
    """An image that a tag had."""

    image: str = ""
    docker_image_reference: str = ""
    generation: int = 0


class Condition(Fields, frozen=True, kw_only=True):
    """What is so, or is not, of a tag or a payload."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class StatusTag(Fields, frozen=True, kw_only=True):
    """A tag as it is, its newest image first."""

    tag: str
    items: tuple[TagItem, ...] | None = None
    conditions: tuple[Condition, ...] | None = None

    @property
    def newest(self) -> TagItem | None:
        """The image that the tag has."""
        return self.items[0] if self.items else None

    @property
    def import_failed(self) -> bool:
        """Whether what is wanted of the tag could not be had."""
        conditions = self.conditions or ()
        return any(each.type == "ImportSuccess" and each.status == "False" for each in conditions)


class StreamSpec(Fields, frozen=True, kw_only=True):
    """What is wanted of an image stream."""

    tags: tuple[SpecTag, ...] | None = None


class StreamStatus(Fields, frozen=True, kw_only=True):
    """What there is of an image stream."""

    public_docker_image_repository: str = ""
    docker_image_repository: str = ""
    tags: tuple[StatusTag, ...] | None = None


class ImageStream(Fields, frozen=True, kw_only=True):
    """An image stream: of images that releases are made of, or of releases."""

    metadata: Metadata
    spec: StreamSpec = StreamSpec()
    status: StreamStatus = StreamStatus()

    @property
    def place(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    def image_of(self, tag: SpecTag) -> str:
        """The digest that ``tag`` has now; empty where it has none, or an older one still."""
        status = self._status_of(tag)
        newest = status.newest if status is not None else None
        if status is None or newest is None or status.import_failed:
            return ""
        wanted = tag.generation
        return newest.image if wanted is not None and wanted <= newest.generation else ""

    def pull_spec_of(self, tag: SpecTag) -> str:
        """Where ``tag`` is pulled from: by tag, and of an image of another registry that one."""
        status = self._status_of(tag)
        if status is None:
            return ""
        newest = status.newest
        if newest is None:
            return tag.origin
        wanted = tag.generation
        if tag.origin and wanted is not None and wanted >= newest.generation:
            return tag.origin
        public = self.status.public_docker_image_repository
        if public:
            return f"{public}:{tag.name}"
        is_inside = newest.docker_image_reference.startswith(self.status.docker_image_repository)
        return "" if is_inside else newest.docker_image_reference

    def _status_of(self, tag: SpecTag) -> StatusTag | None:
        return next((each for each in self.status.tags or () if each.tag == tag.name), None)


class Coordinates(Fields, frozen=True, kw_only=True):
    """Where a job is."""

    name: str = ""
    namespace: str = ""
    cluster: str = ""


class JobRun(Fields, frozen=True, kw_only=True):
    """One run of a job."""

    coordinates: Coordinates = Coordinates()
    state: str = ""
    start_time: str | None = None
    completion_time: str | None = None
    human_prow_results_url: str = msgspec.field(name="humanProwResultsURL", default="")


class JobResult(Fields, frozen=True, kw_only=True):
    """A job and its runs."""

    ci_configuration_name: str = ""
    analysis_job_count: int = 0
    results: tuple[JobRun, ...] | None = None


class Override(Fields, frozen=True, kw_only=True):
    """What a person decided."""

    override: str = ""
    reason: str = ""


class PayloadSpec(Fields, frozen=True, kw_only=True):
    """What is wanted of a payload."""

    payload_override: Override = Override()


class PayloadStatus(Fields, frozen=True, kw_only=True):
    """What there is of a payload."""

    conditions: tuple[Condition, ...] | None = None
    blocking_job_results: tuple[JobResult, ...] | None = None
    informing_job_results: tuple[JobResult, ...] | None = None
    upgrade_job_results: tuple[JobResult, ...] | None = None

    @property
    def jobs(self) -> tuple[JobResult, ...]:
        """All jobs that have results."""
        return (
            *(self.blocking_job_results or ()),
            *(self.informing_job_results or ()),
            *(self.upgrade_job_results or ()),
        )


class ReleasePayload(Fields, frozen=True, kw_only=True):
    """What the old controller keeps of a release."""

    metadata: Metadata
    spec: PayloadSpec = PayloadSpec()
    status: PayloadStatus = PayloadStatus()


class ProwStatus(Fields, frozen=True, kw_only=True):
    """How a job of Prow fares."""

    state: str = ""
    url: str = ""
    start_time: str | None = None
    completion_time: str | None = None


class ProwJob(Fields, frozen=True, kw_only=True):
    """A job of Prow."""

    metadata: Metadata
    status: ProwStatus = ProwStatus()


class StoredRun(Fields, frozen=True, kw_only=True):
    """A run in the stored graph."""

    state: str = ""
    url: str = ""


class StoredUpdate(Fields, frozen=True, kw_only=True):
    """An update in the stored graph."""

    source: str = msgspec.field(name="from")
    target: str = msgspec.field(name="to")
    results: tuple[StoredRun, ...] | None = None
