# SPDX-License-Identifier: Apache-2.0
"""The Job that makes one payload: what it is called, and what is written into it.

One pod, once: trying again is for the controller, which knows how often. The pod itself is
described by whoever knows the image and credentials; here it is told what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from okd_payload.cluster.kinds import JOB
from okd_payload.controller.cluster_objects import MANAGED_LABEL, MANAGER, RELEASE_LABEL
from okd_payload.controller.model import Release
from okd_payload.controller.verification.object_names import label_value, object_name

JOB_LABEL = "okd-payload.io/payload-job"
"""Of the Job and its pod: the name of the Job."""
DEADLINE_SECONDS = 2 * 3600
"""After which a Job that has not ended is ended; what it copied so far is there already."""
KEPT_SECONDS = 6 * 3600
"""How long a Job that ended is left for people to look at."""
REPORT_FILE = "/dev/termination-log"
"""What is written there is part of the pod's state: no right to read logs is needed."""

DescribePod = Callable[[tuple[str, ...]], msgspec.Raw]
"""The spec of a pod, as JSON, that runs ``okd-payload`` with these arguments in a container."""


class _Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str = ""
    labels: dict[str, str]


class _Template(msgspec.Struct, frozen=True, kw_only=True):
    metadata: _Metadata
    spec: msgspec.Raw


class _JobSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    backoff_limit: int = 0
    active_deadline_seconds: int = DEADLINE_SECONDS
    ttl_seconds_after_finished: int = KEPT_SECONDS
    template: _Template


class _Job(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    api_version: str = JOB.api_version
    kind: str = JOB.kind
    metadata: _Metadata
    spec: _JobSpec


def name_of_job(release: Release, word: str) -> str:
    """What the Job of the attempt that is due is called, whoever makes it, and however often.

    The moment is in it: a release that somebody has made again is another attempt.
    """
    mark = hashlib.sha256(f"{release.changed} {word}".encode()).hexdigest()[:8]
    return object_name(release.name.lower(), f"make-{release.attempts + 1}-{mark}")


def describe_job(release: Release, name: str, word: str, describe_pod: DescribePod) -> bytes:
    """The Job ``name``, which makes the payload that ``word`` orders."""
    labels = {
        MANAGED_LABEL: MANAGER,
        RELEASE_LABEL: label_value(release.name),
        "okd-payload.io/stream": label_value(release.stream),
        JOB_LABEL: name,
    }
    pod = describe_pod(("step", "payload", "--order", word, "--report", REPORT_FILE))
    template = _Template(metadata=_Metadata(labels=labels), spec=pod)
    job = _Job(metadata=_Metadata(name=name, labels=labels), spec=_JobSpec(template=template))
    return msgspec.json.encode(job)
