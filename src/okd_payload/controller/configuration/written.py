# SPDX-License-Identifier: Apache-2.0
"""A release stream as people write it in a file of ours.

Names are those of ``StreamConfiguration`` in camel case, durations are written as ``72h``. Short
where nothing special is wanted: a name, an input and two repositories make a stream whose
releases are linted and published nowhere.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.catalog.fields import Line, Name, VariableName, Written, whole
from okd_payload.controller.configuration.durations import parse_duration
from okd_payload.controller.configuration.model import (
    ERROR_RETRIES,
    Check,
    Input,
    Retention,
    Runner,
    Schedule,
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.configuration.written_edges import EdgeFields
from okd_payload.controller.configuration.written_publishing import PublishFields
from okd_payload.controller.configuration.written_types import Count, Duration, Globs, Positive

VERSION = "okd-payload.io/v1"

StreamName = Annotated[
    str,
    Meta(
        pattern=whole(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"),
        description="a name that releases begin with: letters, digits, '.', '_' and '-'",
    ),
]
RunnerKind = Annotated[
    str,
    Meta(
        pattern=whole("builtin|command|container|tekton|prowjob|github|webhook|manual"),
        description="one of: builtin, command, container, tekton, prowjob, github, webhook, manual",
    ),
]
OriginRule = Annotated[
    str,
    Meta(
        pattern=whole("Previous|PreviousMinus1|PreviousPatch|PreviousMinor"),
        description="one of: Previous, PreviousMinus1, PreviousPatch, PreviousMinor",
    ),
]


class MirrorFields(Written, frozen=True, kw_only=True):
    """Another stream of images that is copied into this one whenever it changes."""

    source: Annotated[
        str, Meta(description="a repository, or NAMESPACE/NAME of an image stream")
    ] = msgspec.field(name="from")
    exclude: Annotated[
        tuple[str, ...], Meta(description="tags that are built for this stream, left alone")
    ] = ()


class InputFields(Written, frozen=True, kw_only=True):
    """Where the images are watched."""

    repository: Annotated[
        str, Meta(description="a registry repository or oci:DIR, whose tags are the images")
    ] = ""
    image_stream: Annotated[
        str, Meta(description="NAMESPACE/NAME of an image stream in the cluster")
    ] = ""
    file: Annotated[str, Meta(description="a file with an image stream")] = ""
    release: Annotated[
        str, Meta(description="a published release, whose images the others replace")
    ] = ""
    include: Globs = ()
    exclude: Globs = ()
    mirror: MirrorFields | None = None
    poll: Duration = "1m"
    settle: Annotated[
        Duration, Meta(description="how long nothing may have changed before a release is begun")
    ] = "0"

    def __post_init__(self) -> None:
        """Refuse two places."""
        if bool(self.repository) + bool(self.image_stream) + bool(self.file) > 1:
            raise ValueError("only one of repository, imageStream and file can be watched")

    def to_input(self) -> Input:
        """The same as a value of the controller."""
        return Input(
            repository=self.repository,
            image_stream=self.image_stream,
            file=self.file,
            release=self.release,
            include=self.include,
            exclude=self.exclude,
            mirror_from=self.mirror.source if self.mirror else "",
            mirror_exclude=self.mirror.exclude if self.mirror else (),
            poll=parse_duration(self.poll),
            settle=parse_duration(self.settle),
        )


class UpgradeFields(Written, frozen=True, kw_only=True):
    """Which release an update starts from; the former one of the stream without anything."""

    rule: OriginRule | None = None
    stream: Annotated[str, Meta(description="the newest accepted release of this stream")] = ""
    release: Annotated[str, Meta(description="a release by name or pull spec")] = ""
    at_least: Annotated[str, Meta(description="a range of stable versions begins here")] = ""
    below: Annotated[str, Meta(description="and ends before this one")] = ""

    def __post_init__(self) -> None:
        """Refuse what says it in two ways, of which one would be passed over."""
        by_rule = self.rule is not None or bool(self.stream)
        ways = by_rule + bool(self.release) + bool(self.at_least or self.below)
        is_stable = self.rule in ("PreviousPatch", "PreviousMinor")
        if ways > 1 or (self.stream and is_stable):
            raise ValueError(
                "say in one way where it starts: rule (Previous and PreviousMinus1 of a stream), "
                "release, or atLeast and below"
            )

    def to_origin(self) -> UpgradeOrigin:
        """The same as a value of the controller."""
        named = self.release or self.at_least or self.below
        return UpgradeOrigin(
            rule=self.rule or ("" if named else "Previous"),
            stream=self.stream,
            release=self.release,
            lower=self.at_least,
            upper=self.below,
        )


class VerificationFields(Written, frozen=True, kw_only=True):
    """One job that says something about a release."""

    runner: RunnerKind = "builtin"
    settings: Annotated[
        dict[str, Line], Meta(description="what the runner needs to know; see its page")
    ] = msgspec.field(default_factory=dict)
    command: Annotated[tuple[str, ...], Meta(description="program and arguments")] = ()
    environment: dict[VariableName, Line] = msgspec.field(default_factory=dict)
    platform: Line = ""
    architecture: Annotated[
        Line, Meta(description="which of the stream's it is about; all without")
    ] = ""
    disabled: bool = False
    optional: Annotated[bool, Meta(description="its failure rejects nothing")] = False
    asynchronous: Annotated[bool, Meta(description="nobody waits for it")] = False
    retries: Count = 0
    error_retries: Annotated[
        Count | None, Meta(description="how often what broke by itself is tried again; 2 without")
    ] = None
    timeout: Duration = "4h"
    after: Annotated[
        tuple[str, ...], Meta(description="verifications that must have succeeded before")
    ] = ()
    upgrade_from: UpgradeFields | None = None
    runs: Annotated[Positive, Meta(description="how many runs are judged together")] = 1
    required: Annotated[
        Positive | None, Meta(description="how many of them must succeed; all without")
    ] = None

    def to_verification(self, name: str) -> Verification:
        """The same as a value of the controller."""
        return Verification(
            name=name,
            runner=Runner(
                kind=self.runner,
                settings=self.settings,
                arguments=self.command,
                environment=self.environment,
            ),
            platform=self.platform,
            architecture=self.architecture,
            disabled=self.disabled,
            optional=self.optional,
            asynchronous=self.asynchronous,
            max_retries=self.retries,
            error_retries=self._error_retries(),
            timeout=parse_duration(self.timeout),
            after=self.after,
            upgrade=self.upgrade_from.to_origin() if self.upgrade_from else None,
            runs=self.runs,
            required=self.required or self.runs,
        )

    def idle_in_schedules(self) -> list[str]:
        """The fields that are set and mean nothing for a run that a schedule begins."""
        judging = {
            "disabled": self.disabled,
            "asynchronous": self.asynchronous,
            "retries": self.retries > 0,
            "errorRetries": self.error_retries is not None,
            "after": bool(self.after),
            "runs": self.runs > 1,
            "required": self.required is not None,
        }
        return [name for name, is_set in judging.items() if is_set]

    def _error_retries(self) -> int:
        """As written; people whose time is over are not asked again by themselves."""
        if self.error_retries is not None:
            return self.error_retries
        return 0 if self.runner == "manual" else ERROR_RETRIES


class ScheduleFields(Written, frozen=True, kw_only=True):
    """Something done again and again."""

    cron: Annotated[str, Meta(description="minute hour day month weekday, or @daily")] = ""
    zone: Annotated[str, Meta(description="a time zone, as in Europe/Prague")] = "UTC"
    every: Duration = "0"
    build: Annotated[str, Meta(description="a stream file to build")] = ""
    verify: VerificationFields | None = None
    promote_to: Annotated[
        str, Meta(description="the stable stream that the best candidate is put into")
    ] = ""

    def __post_init__(self) -> None:
        """Refuse no time, two times, and not exactly one thing to do."""
        if bool(self.cron) == (self.every != "0"):
            raise ValueError("one of cron and every is needed")
        if bool(self.build) + (self.verify is not None) + bool(self.promote_to) != 1:
            raise ValueError("one of build, verify and promoteTo is needed")
        idle = self.verify.idle_in_schedules() if self.verify else []
        if idle:
            raise ValueError(f"a schedule verifies once each time: {', '.join(idle)} do nothing")

    def to_schedule(self, name: str) -> Schedule:
        """The same as a value of the controller."""
        kind = "build" if self.build else "promote" if self.promote_to else "verify"
        return Schedule(
            name=name,
            kind=kind,
            cron=self.cron,
            zone=self.zone,
            interval=parse_duration(self.every),
            verification=self.verify.to_verification(name) if self.verify else None,
            stream_file=self.build,
            promote_to=self.promote_to,
        )


class RetentionFields(Written, frozen=True, kw_only=True):
    """What may go, and when; what is in use, published or kept stays."""

    expires: Annotated[Duration, Meta(description="age of accepted releases; 0 for never")] = "0"
    keep_accepted: Count = 5
    keep_rejected: Count = 5
    keep_failed: Count = 5
    grace: Annotated[Duration, Meta(description="from being withdrawn to being deleted")] = "24h"

    def to_retention(self) -> Retention:
        """The same as a value of the controller."""
        return Retention(
            expires=parse_duration(self.expires),
            keep_accepted=self.keep_accepted,
            keep_rejected=self.keep_rejected,
            keep_failed=self.keep_failed,
            grace=parse_duration(self.grace),
        )


class PublishedFields(Written, frozen=True, kw_only=True):
    """What clusters will pull from, where content and releases are layouts on a disk."""

    content: Annotated[str, Meta(description="repository of the images, in pull specs")] = ""
    releases: Annotated[str, Meta(description="repository of the releases, in pull specs")] = ""


class ReleaseStreamFile(Written, frozen=True, kw_only=True):
    """A release stream: what releases are made of, what they must stand, who gets them."""

    api_version: Annotated[str, Meta(pattern=whole(VERSION), description=VERSION)] = VERSION
    kind: Annotated[str, Meta(pattern=whole("ReleaseStream"), description="ReleaseStream")] = (
        "ReleaseStream"
    )
    name: StreamName
    title: Line = ""
    message: Annotated[str, Meta(description="shown above the releases of the stream")] = ""
    stable: Annotated[
        bool, Meta(description="releases are put there and adopted, not made of images")
    ] = False
    rewrite: Annotated[
        bool, Meta(description="make a payload again whose name is not that of its tag")
    ] = True
    input: InputFields = InputFields()
    content: Annotated[str, Meta(description="repository that images are kept in")] = ""
    releases: Annotated[str, Meta(description="repository whose tags are the releases")] = ""
    published_as: PublishedFields = PublishedFields()
    hidden: bool = False
    end_of_life: bool = False
    architectures: tuple[str, ...] = ("amd64",)
    max_unready: Annotated[
        Count, Meta(description="none is begun while so many are undecided; 0 for no limit")
    ] = 1
    min_interval: Annotated[Duration, Meta(description="between two releases")] = "0"
    creation_attempts: Positive = 3
    in_job: Annotated[bool, Meta(description="make payloads in Jobs of the cluster")] = False
    supersede: Annotated[
        bool, Meta(description="a newer release ends the verification of older ones")
    ] = False
    verify: dict[Name, VerificationFields] = msgspec.field(default_factory=dict)
    publish: dict[Name, PublishFields] = msgspec.field(default_factory=dict)
    schedules: dict[Name, ScheduleFields] = msgspec.field(default_factory=dict)
    compare_with: Annotated[
        tuple[str, ...], Meta(description="streams whose images are compared with these")
    ] = ()
    retention: RetentionFields = RetentionFields()
    channels: Annotated[
        tuple[str, ...], Meta(description="channels of the update graph, as in stable-4")
    ] = ()
    edges: Annotated[
        tuple[EdgeFields, ...], Meta(description="updates that are blocked or carry a risk")
    ] = ()

    def to_configuration(self) -> StreamConfiguration:
        """The same as a value of the controller."""
        verifications = [each.to_verification(name) for name, each in self.verify.items()]
        return StreamConfiguration(
            name=self.name,
            kind=StreamKind.STABLE if self.stable else StreamKind.INTEGRATION,
            input=self.input.to_input(),
            content=self.content,
            releases=self.releases,
            content_name=self.published_as.content or _name_of(self.content, self.name),
            releases_name=self.published_as.releases or _name_of(self.releases, self.name),
            title=self.title,
            message=self.message,
            hidden=self.hidden,
            end_of_life=self.end_of_life,
            architectures=self.architectures,
            max_unready=self.max_unready,
            min_interval=parse_duration(self.min_interval),
            creation_attempts=self.creation_attempts,
            in_job=self.in_job,
            supersede=self.supersede,
            verifications=tuple(verifications),
            publications=tuple(each.to_action(name) for name, each in self.publish.items()),
            schedules=tuple(each.to_schedule(name) for name, each in self.schedules.items()),
            checks=tuple(Check(name=name, parent=name) for name in self.compare_with),
            retention=self.retention.to_retention(),
            channels=self.channels,
            rewrite=self.rewrite,
            edges=tuple(each.to_rule() for each in self.edges),
        )


def _name_of(place: str, stream: str) -> str:
    """What pull specs call ``place``: a layout has no name, until it is published."""
    return f"localhost/{stream.lower()}" if place.startswith("oci:") else place
