# SPDX-License-Identifier: Apache-2.0
"""The configuration of a stream in the fields of OpenShift's ``release-*.json``.

A stream that was written so is given back so; of one of our own files, what has a field there.
Fields that say nothing stand there all the same, as scripts are used to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar.params import FromPath, QueryParameter

from okd_payload.controller.configuration.durations import parse_duration
from okd_payload.controller.configuration.model import (
    PublishAction,
    Schedule,
    StreamConfiguration,
    StreamKind,
    UpgradeOrigin,
    Verification,
)
from okd_payload.web.compatibility.answers import Answer, Refusal, send_json
from okd_payload.web.compatibility.tags import find_stream
from okd_payload.web.reading import read
from okd_payload.web.site import Site

_NANOSECONDS = 1_000_000_000
_TYPES = ("", "informing", "blocking", "disabled", "periodic")
_FIELDS: dict[str, Any] = {
    "name": "",
    "message": "",
    "hide": False,
    "endOfLife": False,
    "as": "",
    "to": "",
    "maxUnreadyReleases": 0,
    "minCreationIntervalSeconds": 0,
    "referenceMode": "",
    "pullSecretName": "",
    "mirrorPrefix": "",
    "overrideCLIImage": "",
    "expires": 0,
    "verify": None,
    "periodic": None,
    "publish": None,
    "check": None,
    "upgrade": None,
    "alternateImageRepository": "",
    "alternateImageRepositorySecretName": "",
    "referenceRelease": None,
    "disableManifestListMode": False,
}
"""Every field, and what stands there when nobody wrote it."""
_VERIFICATION: dict[str, Any] = {
    "disabled": False,
    "optional": False,
    "upgrade": False,
    "upgradeFrom": "",
    "upgradeFromRelease": None,
    "prowJob": None,
    "multiJobAnalysis": False,
}
_PERIODIC: dict[str, Any] = {
    "upgrade": False,
    "upgradeFrom": "",
    "upgradeFromRelease": None,
    "prowJob": None,
}
_PUBLICATION: dict[str, Any] = {
    "disabled": False,
    "tagRef": None,
    "imageStreamRef": None,
    "verifyIssues": None,
}

Document = dict[str, Any]


def routes(site: Site) -> Sequence[Any]:
    """The one route."""

    @read("/api/v1/releasestream/{stream:str}/config", include_in_schema=False)
    async def configuration(
        stream: FromPath[str], kind: Annotated[str, QueryParameter(name="jobType")] = ""
    ) -> Answer:
        """The whole configuration, or the jobs of one type."""
        found = find_stream(
            site, stream, status=400, words=f"error: unknown release stream specified: {stream}"
        )
        if kind not in _TYPES:
            raise Refusal(
                400,
                "error: jobType must be one of '', 'informing', 'blocking', 'disabled' or "
                "'periodic'",
            )
        document = describe(found)
        return send_json(document if not kind else select_jobs(document, kind))

    return [configuration]


def describe(configuration: StreamConfiguration) -> Document:
    """``configuration`` in the old fields, complete."""
    if configuration.imported:
        written: Document = msgspec.json.decode(configuration.imported)
    else:
        written = _write(configuration)
    document = _FIELDS | {name: value for name, value in written.items() if name in _FIELDS}
    expires = document["expires"]
    if isinstance(expires, str):
        document["expires"] = int(parse_duration(expires or "0") * _NANOSECONDS)
    for field, defaults in (
        ("verify", _VERIFICATION),
        ("periodic", _PERIODIC),
        ("publish", _PUBLICATION),
    ):
        document[field] = _complete(document[field], defaults)
    return document


def select_jobs(document: Document, kind: str) -> Document:
    """The jobs of one type; what is disabled neither blocks nor informs."""
    if kind == "periodic":
        return document["periodic"] or {}
    jobs: Document = document["verify"] or {}
    if kind == "disabled":
        return {name: job for name, job in jobs.items() if job["disabled"]}
    informing = kind == "informing"
    return {
        name: job
        for name, job in jobs.items()
        if not job["disabled"] and bool(job["optional"]) is informing
    }


def _complete(jobs: Mapping[str, Document] | None, defaults: Document) -> Document | None:
    """``jobs`` with the fields that they do not say; what says nothing otherwise is left out."""
    if jobs is None:
        return None
    return {
        name: defaults | {key: value for key, value in job.items() if value or key in defaults}
        for name, job in sorted(jobs.items())
    }


def _write(configuration: StreamConfiguration) -> Document:
    """What the fields of the old controller can say of a stream of ours."""
    return {
        "name": configuration.name,
        "message": configuration.message,
        "hide": configuration.hidden,
        "endOfLife": configuration.end_of_life,
        "as": "Stable" if configuration.kind is StreamKind.STABLE else "",
        "to": configuration.target,
        "maxUnreadyReleases": configuration.max_unready,
        "minCreationIntervalSeconds": int(configuration.min_interval),
        "expires": int(configuration.retention.expires * _NANOSECONDS),
        "verify": {each.name: _verification(each) for each in configuration.verifications},
        "periodic": {
            each.name: _periodic(each) for each in configuration.schedules if each.verification
        },
        "publish": {each.name: _publication(each) for each in configuration.publications},
        "check": {
            each.name: {"consistentImages": {"parent": each.parent}}
            for each in configuration.checks
        },
    }


def _verification(each: Verification) -> Document:
    job = each.runner.settings.get("job", "")
    return {
        "disabled": each.disabled,
        "optional": each.optional,
        "async": each.asynchronous,
        "maxRetries": each.max_retries,
        "prowJob": {"name": job} if job else None,
        **_upgrade(each.upgrade),
    }


def _upgrade(origin: UpgradeOrigin | None) -> Document:
    if origin is None:
        return {"upgrade": False}
    return {"upgrade": True, "upgradeFrom": origin.rule}


def _periodic(schedule: Schedule) -> Document:
    each = schedule.verification
    job = each.runner.settings.get("job", "") if each else ""
    return {
        "cron": schedule.cron,
        "interval": f"{schedule.interval:g}s" if schedule.interval else "",
        "prowJob": {"name": job} if job else None,
        **_upgrade(each.upgrade if each else None),
    }


def _publication(each: PublishAction) -> Document:
    document: Document = {"disabled": each.disabled}
    if each.kind == "tag" and each.targets:
        document["tagRef"] = {"name": each.targets[0]}
    elif each.kind == "image-stream" and each.targets:
        namespace, _, name = each.targets[0].rpartition("/")
        document["imageStreamRef"] = {
            "name": name,
            "namespace": namespace,
            "tags": list(each.tags) or None,
            "excludeTags": list(each.exclude) or None,
        }
    return document
