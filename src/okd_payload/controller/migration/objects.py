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

    def annotation(self, key: str) -> str:
        """The annotation ``release.openshift.io/KEY``; empty where there is none."""
        return (self.annotations or {}).get(PREFIX + key, "")


class TagItem(Fields, frozen=True, kw_only=True):
    """An image that a tag had."""

    image: str = ""
    generation: int = 0


class StatusTag(Fields, frozen=True, kw_only=True):
    """A tag as it is, its newest image first."""

    tag: str
    items: tuple[TagItem, ...] | None = None


class StreamSpec(Fields, frozen=True, kw_only=True):
    """What is wanted of an image stream."""

    tags: tuple[SpecTag, ...] | None = None


class StreamStatus(Fields, frozen=True, kw_only=True):
    """What there is of an image stream."""

    public_docker_image_repository: str = ""
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

    def is_imported(self, tag: SpecTag) -> bool:
        """Whether ``tag`` has an image, be it an older one."""
        return any(found.tag == tag.name and found.items for found in self.status.tags or ())

    def image_of(self, tag: SpecTag) -> str:
        """The digest that ``tag`` has now; empty where it has none, or an older one still."""
        for found in self.status.tags or ():
            if found.tag == tag.name and found.items:
                newest = found.items[0]
                return newest.image if newest.generation >= (tag.generation or 0) else ""
        return ""


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


class Condition(Fields, frozen=True, kw_only=True):
    """One of the conditions of a payload."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


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
