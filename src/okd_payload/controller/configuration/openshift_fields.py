# SPDX-License-Identifier: Apache-2.0
"""The fields of OpenShift's ``release-*.json``, as its controller reads them.

Formats: section 1.1 of our reference on the release controller. What is unknown is tolerated,
as there; it is reported by whoever reads.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Fields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of all parts."""


class NamedFields(Fields, frozen=True, kw_only=True):
    """A job or tag by its name."""

    name: str = ""


class AggregatedFields(Fields, frozen=True, kw_only=True):
    """Many runs of one job, and the job that judges them."""

    prow_job: NamedFields | None = None
    analysis_job_count: int = 0


class CandidateFields(Fields, frozen=True, kw_only=True):
    """The newest accepted release of an integration stream."""

    stream: str = ""
    version: str = ""
    relative: int = 0


class BoundsFields(Fields, frozen=True, kw_only=True, rename={}):
    """A range of versions."""

    lower: str = ""
    upper: str = ""


class PrereleaseFields(Fields, frozen=True, kw_only=True, rename={}):
    """A stable release by range."""

    version_bounds: BoundsFields = BoundsFields()


class OfficialFields(Fields, frozen=True, kw_only=True):
    """A release that the public update service knows."""

    version: str = ""
    channel: str = ""
    architecture: str = ""


class OriginFields(Fields, frozen=True, kw_only=True):
    """Where an update starts: one of these."""

    candidate: CandidateFields | None = None
    prerelease: PrereleaseFields | None = None
    release: OfficialFields | None = None


class QualifierFields(Fields, frozen=True, kw_only=True):
    """What a team says of a job, for badges and tickets."""

    enabled: bool | None = None
    approval: bool | None = None
    badge_name: str = ""
    summary: str = ""
    description: str = ""
    payload_badge_status: str = ""
    failure_labels: tuple[str, ...] = ()
    notifications: dict[str, Any] | None = None


class VerificationFields(Fields, frozen=True, kw_only=True):
    """A value of ``verify``."""

    disabled: bool = False
    optional: bool = False
    asynchronous: bool = msgspec.field(name="async", default=False)
    max_retries: int = 0
    upgrade: bool = False
    upgrade_from: str = ""
    upgrade_from_release: OriginFields | None = None
    prow_job: NamedFields | None = None
    aggregated_prow_job: AggregatedFields | None = None
    multi_job_analysis: bool = False
    qualifiers: dict[str, QualifierFields] = {}


class PeriodicFields(Fields, frozen=True, kw_only=True):
    """A value of ``periodic``."""

    interval: str = ""
    cron: str = ""
    upgrade: bool = False
    upgrade_from: str = ""
    upgrade_from_release: OriginFields | None = None
    prow_job: NamedFields | None = None


class ImageStreamFields(Fields, frozen=True, kw_only=True):
    """An image stream that tags are published to."""

    name: str = ""
    namespace: str = ""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()


class TagFields(Fields, frozen=True, kw_only=True):
    """A tag of an image stream."""

    namespace: str = ""
    name: str = ""
    tag: str = ""


class IssuesFields(Fields, frozen=True, kw_only=True):
    """Tickets that a release settles."""

    previous_release_tag: TagFields | None = None


class PublishFields(Fields, frozen=True, kw_only=True):
    """A value of ``publish``."""

    disabled: bool = False
    tag_ref: NamedFields | None = None
    image_stream_ref: ImageStreamFields | None = None
    verify_issues: IssuesFields | None = None
    verify_bugs: IssuesFields | None = None


class ConsistentFields(Fields, frozen=True, kw_only=True):
    """Images are compared with those of another stream."""

    parent: str = ""


class CheckFields(Fields, frozen=True, kw_only=True):
    """A value of ``check``."""

    consistent_images: ConsistentFields | None = None


class ReferenceFields(Fields, frozen=True, kw_only=True):
    """Payloads that live in an external repository only."""

    push_repository: str = ""
    pull_repository: str = ""
    secret_name: str = ""


class SampledFields(Fields, frozen=True, kw_only=True):
    """A value of ``upgrade``: sampled update tests on one platform."""

    disabled: bool = False
    prow_job: NamedFields | None = None


class StreamFields(Fields, frozen=True, kw_only=True):
    """A whole configuration."""

    name: str = ""
    kind: str = msgspec.field(name="as", default="")
    to: str = ""
    message: str = ""
    hide: bool = False
    end_of_life: bool = False
    max_unready_releases: int = 0
    min_creation_interval_seconds: int = 0
    expires: str = ""
    mirror_prefix: str = ""
    reference_mode: str = ""
    pull_secret_name: str = ""
    override_c_l_i_image: str = msgspec.field(name="overrideCLIImage", default="")
    alternate_image_repository: str = ""
    alternate_image_repository_secret_name: str = ""
    reference_release: ReferenceFields | None = None
    disable_manifest_list_mode: bool = False
    verify: dict[str, VerificationFields] | None = None
    periodic: dict[str, PeriodicFields] | None = None
    publish: dict[str, PublishFields] | None = None
    check: dict[str, CheckFields] | None = None
    upgrade: dict[str, SampledFields] | None = None
