# SPDX-License-Identifier: Apache-2.0
"""What a stream says in the fields of OpenShift's ``release-*.json``, as the old interface has it.

A stream that was written so is given back so; of one of our own files, what has a field there.
Fields that say nothing stand there all the same, as scripts are used to, but for those that the
old interface leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.controller.configuration.durations import parse_go_duration
from okd_payload.controller.configuration.model import (
    PublishAction,
    Schedule,
    StreamConfiguration,
    StreamKind,
    Verification,
)
from okd_payload.controller.configuration.openshift import written_fields
from okd_payload.controller.configuration.openshift_fields import (
    AggregatedFields,
    CandidateFields,
    CheckFields,
    ConsistentFields,
    ImageStreamFields,
    NamedFields,
    OfficialFields,
    OriginFields,
    PeriodicFields,
    PublishFields,
    QualifierFields,
    StreamFields,
    VerificationFields,
)

_NANOSECONDS = 1_000_000_000
_LEFT_OUT: Mapping[type, tuple[str, ...]] = {
    AggregatedFields: ("prow_job", "analysis_job_count"),
    CandidateFields: ("relative",),
    OfficialFields: ("architecture",),
    OriginFields: ("candidate", "prerelease", "release"),
    PeriodicFields: ("interval", "cron"),
    PublishFields: ("verify_bugs",),
    QualifierFields: QualifierFields.__struct_fields__,
    VerificationFields: ("asynchronous", "max_retries", "aggregated_prow_job", "qualifiers"),
}
"""Fields that are not there when they say nothing."""

Document = dict[str, Any]


def describe(configuration: StreamConfiguration) -> Document:
    """``configuration`` in the old fields, complete."""
    if not configuration.imported:
        return _show(_write(configuration)) | {
            "expires": int(configuration.retention.expires * _NANOSECONDS)
        }
    fields = written_fields(configuration)
    seconds = parse_go_duration(fields.expires or "0")
    return _show(fields) | {"expires": int(seconds * _NANOSECONDS)}


def _show(fields: msgspec.Struct) -> Document:
    """All fields, by the names that they are written with."""
    left_out = _LEFT_OUT.get(type(fields), ())
    empty = type(fields)()
    return {
        name: _show_value(getattr(fields, own))
        for own, name in zip(fields.__struct_fields__, fields.__struct_encode_fields__, strict=True)
        if own not in left_out or getattr(fields, own) != getattr(empty, own)
    }


def _show_value(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _show(value)
    if isinstance(value, dict):
        return {key: _show_value(item) for key, item in sorted(value.items())}
    if isinstance(value, tuple):
        return list(value) or None
    return value


def _write(configuration: StreamConfiguration) -> StreamFields:
    """What the fields of the old controller can say of a stream of ours."""
    return StreamFields(
        name=configuration.name,
        message=configuration.message,
        hide=configuration.hidden,
        end_of_life=configuration.end_of_life,
        kind="Stable" if configuration.kind is StreamKind.STABLE else "",
        to=configuration.target,
        max_unready_releases=configuration.max_unready,
        min_creation_interval_seconds=int(configuration.min_interval),
        verify={each.name: _verification(each) for each in configuration.verifications},
        periodic={
            each.name: _periodic(each) for each in configuration.schedules if each.verification
        },
        publish={each.name: _publication(each) for each in configuration.publications},
        check={
            each.name: CheckFields(consistent_images=ConsistentFields(parent=each.parent))
            for each in configuration.checks
        },
    )


def _verification(each: Verification) -> VerificationFields:
    return VerificationFields(
        disabled=each.disabled,
        optional=each.optional,
        asynchronous=each.asynchronous,
        max_retries=each.max_retries,
        prow_job=_job(each),
        upgrade=each.upgrade is not None,
        upgrade_from=each.upgrade.rule if each.upgrade else "",
    )


def _periodic(schedule: Schedule) -> PeriodicFields:
    each = schedule.verification
    origin = each.upgrade if each else None
    return PeriodicFields(
        cron=schedule.cron,
        interval=f"{schedule.interval:g}s" if schedule.interval else "",
        prow_job=_job(each) if each else None,
        upgrade=origin is not None,
        upgrade_from=origin.rule if origin else "",
    )


def _job(each: Verification) -> NamedFields | None:
    name = each.runner.settings.get("job", "")
    return NamedFields(name=name) if name else None


def _publication(each: PublishAction) -> PublishFields:
    target = each.targets[0] if each.targets else ""
    if each.kind == "tag" and target:
        return PublishFields(disabled=each.disabled, tag_ref=NamedFields(name=target))
    if each.kind == "image-stream" and target:
        namespace, _, name = target.rpartition("/")
        stream = ImageStreamFields(
            name=name, namespace=namespace, tags=each.tags, exclude_tags=each.exclude
        )
        return PublishFields(disabled=each.disabled, image_stream_ref=stream)
    return PublishFields(disabled=each.disabled)
