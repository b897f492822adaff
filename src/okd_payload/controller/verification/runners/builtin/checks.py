# SPDX-License-Identifier: Apache-2.0
"""The checks by name: each looks at one release and tells everything it finds.

They are those of ``okd-payload release lint``, ``verify`` and ``accept``, and the one that starts
images; here they only get at the release by the repositories of the controller. What is wrong with
the release is an issue, what keeps from looking at it an error. ``verify`` judges signatures by
keys that the stream names, ``accept`` as a cluster does that runs the former release.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from okd_payload.clock import Clock
from okd_payload.controller.verification.runner import RunContext
from okd_payload.controller.verification.runners.builtin.findings import Findings, tell_all
from okd_payload.controller.verification.runners.builtin.images import StartChoice, check_images
from okd_payload.controller.verification.runners.builtin.places import Places
from okd_payload.controller.verification.settings import split_list
from okd_payload.errors import NotFound
from okd_payload.issues import Issue, Permit, apply_permits
from okd_payload.oci.documents import DocumentAsker
from okd_payload.release.accept.check import Surroundings as UpdateSurroundings
from okd_payload.release.accept.check import check_update
from okd_payload.release.accept.model import ClusterChoice, Outcome, Side, UpdateRequest
from okd_payload.release.accept.unpack import unpack_image
from okd_payload.release.cluster.tree import PayloadTree
from okd_payload.release.lint.base import lint_tree
from okd_payload.release.lint.check import lint_images, lint_release
from okd_payload.release.lint.operators import lint_operators
from okd_payload.release.load import ReleaseContent, parse_release, read_release
from okd_payload.release.sign.sign import find_digests
from okd_payload.release.verify.images import Subject, find_subjects, verify_images
from okd_payload.release.verify.signatures import open_signatures, verify_signatures
from okd_payload.release.verify.trust import own_stores, read_trust
from okd_payload.signing.configuration import Configuration
from okd_payload.signing.stores import CombinedStore, SignatureStore, open_store, open_stores

_PERMITTED = "permitted by the stream"


class CheckSurroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What checks look around with."""

    places: Places
    documents: DocumentAsker
    clock: Clock
    state: Path
    """Where images are unpacked, and what is remembered of them."""


Check = Callable[[RunContext, CheckSurroundings], Awaitable[Findings]]


async def check_release(context: RunContext, around: CheckSurroundings) -> Findings:
    """What the check that ``context`` names finds. Raises as reading releases does."""
    settings = context.verification.runner.settings
    findings = await CHECKS[settings.get("check") or "lint"](context, around)
    permits = [
        Permit(code=code, reason=_PERMITTED) for code in split_list(settings.get("permit", ""))
    ]
    return msgspec.structs.replace(findings, issues=tuple(apply_permits(findings.issues, permits)))


async def _lint(context: RunContext, around: CheckSurroundings) -> Findings:
    """Everything that a cluster would reject or misread."""
    content = await _read(context, around)
    issues = lint_release(content)
    if content.image is not None:
        repository, _ = await around.places.open_release(context.release.pull_spec)
        image = await unpack_image(repository, content.image)
        issues += lint_tree(image.tree, release_image=context.release.pull_spec)
    issues += await lint_images(content, around.places.repository_of)
    if not any(issue.blocks for issue in issues):
        issues += await lint_operators(content, around.places.repository_of)
    return tell_all("release lint", issues)


async def _verify(context: RunContext, around: CheckSurroundings) -> Findings:
    """Whether everything is where pull specs say, and signed where the stream has keys."""
    content = await _read(context, around)
    repository_of = around.places.repository_of
    subjects, issues = await find_subjects(parse_release(content).tags, repository_of)
    repository, selector = await around.places.open_release(context.release.pull_spec)
    subjects.insert(0, Subject(name="", repository=repository, selector=selector))
    found = await verify_images(subjects)
    issues += found.issues
    issues += await _verify_signatures(context, content, around)
    checked = f"{len(found.found)} images, {found.manifests} manifests, {found.blobs} blobs"
    return tell_all("release verify", issues, checked=[checked])


async def _verify_signatures(
    context: RunContext, content: ReleaseContent, around: CheckSurroundings
) -> Sequence[Issue]:
    settings = context.verification.runner.settings
    trust = read_trust([Path(name) for name in split_list(settings.get("keys", ""))], ())
    if trust is None or content.image is None:
        return ()
    stores = split_list(settings.get("signatureStores", "")) or own_stores(content)
    verified = await verify_signatures(
        find_digests(content.image),
        trust,
        open_signatures((), stores, around.documents),
        clock=around.clock,
    )
    return verified.issues


async def _accept(context: RunContext, around: CheckSurroundings) -> Findings:
    """Whether a cluster on the release that the update starts from would take this one."""
    origin = context.run.from_pull_spec
    if not origin:
        return tell_all("release accept", (), checked=["there is no release to update from"])
    old = await _unpack(origin, context, around)
    new = await _unpack(context.release.pull_spec, context, around)
    given = split_list(context.verification.runner.settings.get("signatureStores", ""))

    def open_all(keys: Configuration) -> SignatureStore:
        before = CombinedStore([open_store(text, around.documents) for text in given])
        return open_stores(keys, around.documents, before=before if given else None)

    accepted = await check_update(
        old,
        new,
        cluster=ClusterChoice(),
        request=UpdateRequest(allow_explicit=True),
        around=UpdateSurroundings(
            open_stores=open_all, clock=around.clock, repository_of=around.places.repository_of
        ),
    )
    checked = [
        f"{check.name}: {check.outcome.value}"
        for check in accepted.checks
        if check.outcome is not Outcome.REFUSED
    ]
    return tell_all("release accept", accepted.issues, checked=checked)


async def _images(context: RunContext, around: CheckSurroundings) -> Findings:
    """Whether the program of each image starts."""
    release = parse_release(await _read(context, around))
    settings, defaults = context.verification.runner.settings, StartChoice()
    choice = StartChoice(
        images=split_list(settings.get("images", "")),
        architectures=_architectures_of(context),
        seconds=float(settings.get("seconds") or defaults.seconds),
        memory=int(settings.get("memory") or defaults.memory),
    )
    return await check_images(
        release.tags,
        around.places.repository_of,
        choice,
        state=around.state,
        clock=around.clock,
    )


def _architectures_of(context: RunContext) -> tuple[str, ...]:
    """What the check is about."""
    named = context.verification.architecture
    return (named,) if named else context.configuration.architectures


def _platforms_of(context: RunContext) -> re.Pattern[str] | None:
    """Which member of a release for several architectures is read; None for any."""
    named = context.verification.architecture
    return re.compile(rf"^linux/{re.escape(named)}(?:/|$)") if named else None


async def _read(context: RunContext, around: CheckSurroundings) -> ReleaseContent:
    repository, selector = await around.places.open_release(context.release.pull_spec)
    return await read_release(repository, selector, platforms=_platforms_of(context))


async def _unpack(pull_spec: str, context: RunContext, around: CheckSurroundings) -> Side:
    """The release as a cluster gets it; one that is not there is no error but a finding."""
    repository, selector = await around.places.open_release(pull_spec)
    try:
        content = await read_release(repository, selector, platforms=_platforms_of(context))
    except NotFound as error:
        empty = PayloadTree(own=None, release=None)
        return Side(name=pull_spec, pull_spec=pull_spec, tree=empty, unavailable=error.message)
    image = content.image
    if image is None:  # only a folder has none, and pull specs name no folders
        raise NotFound(f"{pull_spec} is no image", hint="name the release by its pull spec")
    unpacked = await unpack_image(repository, image)
    return Side(
        name=pull_spec,
        pull_spec=pull_spec,
        digest=image.referenced.digest,
        tree=unpacked.tree,
        architecture=image.config.architecture,
        is_list=image.referenced.is_index,
        missing_programs=unpacked.missing_programs,
    )


CHECKS: Mapping[str, Check] = {
    "lint": _lint,
    "verify": _verify,
    "accept": _accept,
    "images": _images,
}
"""By the name that configurations use."""
