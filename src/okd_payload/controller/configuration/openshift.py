# SPDX-License-Identifier: Apache-2.0
"""OpenShift's ``release-*.json``, and the annotation with the same content, as streams of ours.

The files are accepted as they are. Where the images of such a stream are, only its cluster or
the command line knows: the input stays open here. Jobs of Prow keep their names; whoever has no
Prow maps them to runners of his own, by ``Runner.kind``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from okd_payload.controller.configuration.durations import LONGEST, parse_go_duration
from okd_payload.controller.configuration.go_reading import read_as_go
from okd_payload.controller.configuration.model import (
    ERROR_RETRIES,
    Check,
    PublishAction,
    Retention,
    Runner,
    Schedule,
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.configuration.openshift_fields import (
    OriginFields,
    PeriodicFields,
    StreamFields,
    VerificationFields,
)
from okd_payload.controller.configuration.openshift_telling import tell_differences
from okd_payload.documents import Document, convert, invalid_field
from okd_payload.issues import Issue

_STABLE = "Stable"
_AGGREGATOR = "release-openshift-release-analysis-aggregator"
_ENOUGH = 0.6
"""The share of runs that must succeed where many are judged together."""
_ORIGINS = ("Previous", "PreviousMinus1", "PreviousPatch", "PreviousMinor")
_EVERY = "@every "
"""Before a duration that is written as a cron expression."""
_MINOR = re.compile(r"([0-9]+)\.([0-9]+)")
_PLATFORM = re.compile(r"(?:^|-)(aws|gcp|azure|vsphere|metal|libvirt|openstack|ovirt|agent)(?:-|$)")


def read_openshift(document: Document) -> tuple[StreamConfiguration, tuple[Issue, ...]]:
    """The stream that ``document`` configures, and what of it is not honoured.

    Raises InvalidDocument that names the field.
    """
    document = msgspec.structs.replace(document, value=read_as_go(document.value, StreamFields))
    fields = convert(document, StreamFields)
    if not fields.name:
        raise invalid_field(document, ("name",), "a release stream needs a name")
    if fields.kind != _STABLE and not fields.to:
        raise invalid_field(document, ("to",), "it does not say where its releases go")
    _check_qualifiers(document, fields)
    stream = StreamConfiguration(
        name=fields.name,
        kind=StreamKind.STABLE if fields.kind == _STABLE else StreamKind.INTEGRATION,
        target=fields.to,
        message=fields.message,
        hidden=fields.hide,
        end_of_life=fields.end_of_life,
        max_unready=max(0, fields.max_unready_releases),
        min_interval=min(float(max(0, fields.min_creation_interval_seconds)), LONGEST),
        retention=Retention(expires=_seconds(document, ("expires",), fields.expires)),
        verifications=tuple(_verifications(document, fields)),
        publications=tuple(_publications(fields)),
        schedules=tuple(_schedules(document, fields)),
        checks=tuple(
            Check(name=name, parent=each.consistent_images.parent)
            for name, each in sorted((fields.check or {}).items())
            if each.consistent_images is not None
        ),
        imported=_keep(document),
    )
    return stream, tuple(tell_differences(document, fields))


def _keep(document: Document) -> bytes:
    """What stands in ``document``, for ``written_fields``. Raises InvalidDocument."""
    try:
        return msgspec.json.encode(document.value)
    except (TypeError, ValueError, OverflowError) as error:
        raise invalid_field(document, (), f"it could not be JSON: {error}") from error


def written_fields(stream: StreamConfiguration) -> StreamFields:
    """What OpenShift's file says of ``stream``; nothing where it was not written in one."""
    if not stream.imported:
        return StreamFields()
    return msgspec.json.decode(stream.imported, type=StreamFields)


def _verifications(document: Document, fields: StreamFields) -> Iterator[Verification]:
    stable = fields.kind == _STABLE
    for name, each in sorted((fields.verify or {}).items()):
        where = ("verify", name)
        job = each.prow_job.name if each.prow_job else ""
        default = "PreviousPatch" if stable else "Previous"
        origin = _origin(document, where, each, default=default, to=fields.to)
        aggregated = each.aggregated_prow_job
        count = aggregated.analysis_job_count if aggregated else 1
        yield Verification(
            name=name,
            runner=_runner(job, each),
            platform=_platform(name, job),
            disabled=each.disabled,
            optional=each.optional,
            asynchronous=each.asynchronous,
            max_retries=max(0, each.max_retries),
            error_retries=ERROR_RETRIES if job else 0,
            upgrade=origin if each.upgrade else None,
            runs=max(1, count),
            required=max(1, _least(count)),
        )


def _check_qualifiers(document: Document, fields: StreamFields) -> None:
    """Refuse those that contradict themselves. Raises InvalidDocument."""
    for name, each in (fields.verify or {}).items():
        for key, qualifier in each.qualifiers.items():
            if qualifier.approval and (qualifier.failure_labels or qualifier.notifications):
                where = ("verify", name, "qualifiers", key)
                raise invalid_field(document, where, "what people approve does not notify of jobs")


def _runner(job: str, fields: VerificationFields) -> Runner:
    if not job:  # what the documentation of the old controller meant by leaving it out
        return Runner(kind="manual")
    settings = {"job": job}
    aggregated = fields.aggregated_prow_job
    if aggregated is not None:
        settings["aggregator"] = aggregated.prow_job.name if aggregated.prow_job else _AGGREGATOR
    if fields.multi_job_analysis:
        settings["multiJobAnalysis"] = "true"
    return Runner(kind="prowjob", settings=settings)


def _origin(
    document: Document,
    where: tuple[str, ...],
    fields: VerificationFields | PeriodicFields,
    *,
    default: str,
    to: str,
) -> UpgradeOrigin:
    if fields.upgrade_from not in ("", *_ORIGINS):
        place = (*where, "upgradeFrom")
        raise invalid_field(document, place, f"none of {', '.join(_ORIGINS)}")
    wanted = fields.upgrade_from_release
    if wanted is None:
        return UpgradeOrigin(rule=fields.upgrade_from or default)
    if fields.upgrade_from:
        raise invalid_field(
            document, where, "upgradeFrom and upgradeFromRelease exclude each other"
        )
    return _release_origin(document, (*where, "upgradeFromRelease"), wanted, to=to)


def _release_origin(
    document: Document, where: tuple[str, ...], fields: OriginFields, *, to: str
) -> UpgradeOrigin:
    if fields.candidate is not None:
        suffix = re.sub(r"^release(?:-5)?", "", to)
        name = f"{fields.candidate.version}.0-0.{fields.candidate.stream}{suffix}"
        rule = "PreviousMinus1" if fields.candidate.relative else "Previous"
        return UpgradeOrigin(rule=rule, stream=name)
    if fields.prerelease is not None:
        bounds = fields.prerelease.version_bounds
        return UpgradeOrigin(lower=bounds.lower, upper=bounds.upper)
    if fields.release is not None:
        return _official(fields.release.version)
    raise invalid_field(document, where, "one of candidate, prerelease and release is needed")


def _official(version: str) -> UpgradeOrigin:
    """A published release: the one of that name, or the newest of a minor version."""
    minor = _MINOR.fullmatch(version)
    if minor is None:
        return UpgradeOrigin(release=version)
    following = f"{minor[1]}.{int(minor[2]) + 1}"
    return UpgradeOrigin(lower=f"{version}.0-0", upper=f"{following}.0-0")


def _publications(fields: StreamFields) -> Iterator[PublishAction]:
    for name, each in sorted((fields.publish or {}).items()):
        if each.tag_ref is not None:
            yield PublishAction(
                name=name, kind="tag", targets=(each.tag_ref.name,), disabled=each.disabled
            )
        elif each.image_stream_ref is not None:
            to = each.image_stream_ref
            yield PublishAction(
                name=name,
                kind="image-stream",
                targets=(f"{to.namespace}/{to.name}" if to.namespace else to.name,),
                tags=to.tags,
                exclude=to.exclude_tags,
                disabled=each.disabled,
            )
    if fields.alternate_image_repository:
        yield PublishAction(
            name="alternate-repository", kind="copy", targets=(fields.alternate_image_repository,)
        )


def _schedules(document: Document, fields: StreamFields) -> Iterator[Schedule]:
    for name, each in sorted((fields.periodic or {}).items()):
        where = ("periodic", name)
        job = each.prow_job.name if each.prow_job else ""
        default = "PreviousPatch" if fields.kind == _STABLE else "PreviousMinus1"
        origin = _origin(document, where, each, default=default, to=fields.to)
        interval = _seconds(document, (*where, "interval"), each.interval)
        is_span = each.cron.startswith(_EVERY)
        if is_span:
            interval = _seconds(document, (*where, "cron"), each.cron.removeprefix(_EVERY))
        yield Schedule(
            name=name,
            kind="verify",
            cron="" if is_span else each.cron,
            interval=interval,
            verification=Verification(
                name=f"{name}-periodic" if name in (fields.verify or {}) else name,
                runner=Runner(kind="prowjob", settings={"job": job}),
                platform=_platform(name, job),
                optional=True,
                upgrade=origin if each.upgrade else None,
            ),
        )


def _seconds(document: Document, field: tuple[str, ...], text: str) -> float:
    try:
        return parse_go_duration(text) if text else 0.0
    except ValueError as error:
        raise invalid_field(document, field, str(error)) from error


def _platform(name: str, job: str) -> str:
    """The platform that the names tell: the verification's own first."""
    for text in (name, job):
        found = _PLATFORM.search(text)
        if found:
            return found[1]
    return ""


def _least(count: int) -> int:
    """The least number of ``count`` runs that is enough."""
    return -int(-count * _ENOUGH // 1)
