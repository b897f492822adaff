# SPDX-License-Identifier: Apache-2.0
"""All that a cluster checks before it takes an update, in its order, and everything told.

A cluster stops at the first obstacle. Here every check is made that can be made, because who
mends one thing wants to know of the next.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from okd_payload.clock import Clock
from okd_payload.errors import InvalidReference
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.reference import parse_reference
from okd_payload.release import codes as release_codes
from okd_payload.release.accept import codes
from okd_payload.release.accept.model import (
    Acceptance,
    Check,
    ClusterChoice,
    Outcome,
    Side,
    UpdateRequest,
    conclude,
)
from okd_payload.release.accept.objects import (
    RunningRelease,
    check_loading,
    check_objects,
    load_running,
    load_wanted,
)
from okd_payload.release.accept.signature import NAME as SIGNATURE
from okd_payload.release.accept.signature import OpenStores, check_signature
from okd_payload.release.accept.versions import (
    UpdateGraph,
    check_architecture,
    check_edge,
    check_versions,
)
from okd_payload.release.cluster.payload import LoadedPayload
from okd_payload.release.components import look_up
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.new.images import RepositoryOf

RETRIEVAL_REASON = "UpdatePayloadRetrievalFailed"
_NOT_BY_DIGEST = (
    "The update cannot be verified: "
    "release images that are not accessed via digest cannot be verified"
)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What a check looks around with."""

    open_stores: OpenStores
    clock: Clock
    repository_of: RepositoryOf | None = None
    """Where images are looked up; None when they shall not be."""
    graph: UpdateGraph | None = None


async def check_update(
    old: Side,
    new: Side,
    *,
    cluster: ClusterChoice,
    request: UpdateRequest,
    around: Surroundings,
) -> Acceptance:
    """Whether a cluster that runs ``old`` takes ``new``.

    Raises ReleaseError when no cluster could run ``old``, and RegistryError.
    """
    running = load_running(old, cluster)
    wanted = None if new.unavailable else load_wanted(new, running)
    checks = [
        _check_name(new, request),
        await _check_signature(new, running, request, around),
        _check_retrieval(new),
        _leave("payload", new.unavailable) if wanted is None else check_loading(wanted),
    ]
    if isinstance(wanted, LoadedPayload):
        checks += [
            check_edge(running.payload, wanted, request, around.graph),
            check_versions(running.payload, wanted, request),
            check_architecture(old, new, running.payload, wanted),
            check_objects(running, wanted),
            await _check_images(wanted, around.repository_of),
        ]
    else:
        names = ("edge", "version", "architecture", "objects", "images")
        checks += [_leave(name, "the update cannot be loaded") for name in names]
    return Acceptance(
        running=running.payload.version,
        wanted=wanted.version if isinstance(wanted, LoadedPayload) else "",
        image=new.pull_spec or new.name,
        accepted=all(check.outcome is not Outcome.REFUSED for check in checks),
        checks=tuple(checks),
    )


def _check_name(new: Side, request: UpdateRequest) -> Check:
    if new.digest is None and new.unavailable:
        return _leave("digest", new.unavailable)
    if new.digest is None:
        return _leave("digest", f"{new.name} is a folder, which has no digest")
    if request.is_by_digest:
        return conclude("digest", detail=str(new.digest))
    issue = codes.NOT_BY_DIGEST.issue(
        f"ImageVerificationFailed: {_NOT_BY_DIGEST}",
        hint=f"ask for {new.pull_spec or new.digest}",
    )
    return conclude(
        "digest",
        [issue],
        reason="ImageVerificationFailed",
        message=_NOT_BY_DIGEST,
        force=request.force,
    )


async def _check_signature(
    new: Side, running: RunningRelease, request: UpdateRequest, around: Surroundings
) -> Check:
    if new.digest is None:
        why = new.unavailable or f"{new.name} is a folder, which nobody signs"
        return _leave(SIGNATURE, why)
    return await check_signature(
        new.digest,
        running.payload,
        around.open_stores,
        clock=around.clock,
        force=request.force,
    )


def _check_retrieval(new: Side) -> Check:
    if new.unavailable:
        problem, hint = new.unavailable, "push the image to where the cluster pulls it from"
    elif new.digest is None:
        return _leave("retrieval", f"{new.name} is a folder, around which there is no image")
    elif new.missing_programs:
        problem = f"the image has no {', '.join(new.missing_programs)}"
        hint = (
            "make the release on an image of the cluster-version-operator "
            "that has a shell and coreutils"
        )
    else:
        return conclude("retrieval")
    message = f"Unable to download and prepare the update: {problem}"
    issue = codes.UNRETRIEVABLE_UPDATE.issue(f"{RETRIEVAL_REASON}: {message}", hint=hint)
    return conclude("retrieval", [issue], reason=RETRIEVAL_REASON, message=message)


async def _check_images(wanted: LoadedPayload, repository_of: RepositoryOf | None) -> Check:
    if repository_of is None:
        return _leave("images", "images were not to be looked up")
    tags = [tag for tag in wanted.images.stream.spec.tags if pull_spec_of(tag)]
    readable = [tag for tag in tags if _is_readable(tag)]
    found = await look_up(readable, repository_of)
    issues = [*_tell_unreadable(tags, readable)]
    issues += [
        release_codes.MISSING_IMAGE.issue(
            component.problem,
            component=component.tag.name,
            hint="the pods of the component do not start: push the image",
        )
        for component in found
        if component.problem
    ]
    return conclude("images", issues, detail=f"{len(found)} looked up")


def _tell_unreadable(tags: list[TagReference], readable: list[TagReference]) -> Iterator[Issue]:
    for tag in tags:
        if tag not in readable:
            yield release_codes.INVALID_PULL_SPEC.issue(
                f"{pull_spec_of(tag)!r} is no pull spec", component=tag.name
            )


def _is_readable(tag: TagReference) -> bool:
    try:
        parse_reference(pull_spec_of(tag))
    except InvalidReference:
        return False
    return True


def _leave(name: str, why: str) -> Check:
    issue = codes.UNCHECKED_UPDATE.issue(f"{name}: {why}")
    return Check(name=name, outcome=Outcome.NOT_DONE, detail=why, issues=(issue,))
