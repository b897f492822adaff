# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release verify``: whether a release is whole, where it is, and by whom it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from okd_payload.cli.issues import print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.release.locate import (
    Located,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import (
    find_content,
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.release.verify_options import take_asked, verify_options
from okd_payload.cli.release.verify_report import (
    PrintedArtifacts,
    PrintedImages,
    PrintedVerification,
    describe_verification,
)
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.issues import Issue, Permit, Severity, apply_permits
from okd_payload.oci.mirrors.rules import MirrorRules
from okd_payload.release.sign.sign import find_digests
from okd_payload.release.verify import codes
from okd_payload.release.verify.artifacts import VerifiedArtifacts, verify_artifacts
from okd_payload.release.verify.attachments import list_attachments
from okd_payload.release.verify.images import (
    Subject,
    VerifiedImages,
    find_subjects,
    verify_images,
)
from okd_payload.release.verify.signatures import (
    VerifiedSignatures,
    open_signatures,
    verify_signatures,
)
from okd_payload.release.verify.trust import own_stores, read_trust
from okd_payload.signing.detached import read_public_keys

if TYPE_CHECKING:  # loads the HTTP client
    from okd_payload.oci.registry import RegistrySettings
    from okd_payload.release.new.images import RepositoryOf

_REASON = "permitted on the command line"
_NOT_CHECKED = codes.SIGNATURES_NOT_CHECKED.issue(
    "no keys were given, so signatures were not looked for",
    hint="name a key that you trust with --key, or a key ring with --keyring",
)
_NO_DIGEST = codes.UNSIGNED_RELEASE.issue(
    "this is a folder, and only an image has a digest that can be signed",
    hint="verify the published release, or accept the lack with --no-require-signature",
)
_EXPLICIT_MIRRORS = ("mirror_sets", "content_policies", "registries_conf")


@click.command()
@click.argument("release")
@verify_options
@release_choice_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def verify(
    settings: Settings,
    /,
    release: str,
    permit: tuple[str, ...],
    output: str | None,
    **options: Any,
) -> int:
    """Look whether RELEASE is wholly where its pull specs say, and signed by keys you trust.

    Every manifest is read and every blob asked for; nothing is answered from a cache, nor by a
    mirror unless one is named here. The exit code is 1 when an error was found that is not
    permitted.
    """
    printed = run_async(_Verify(settings, options).run(release, permit))
    if output:
        print_document(printed, output)
    else:
        print_issues(printed.issues, settings)
        for line in describe_verification(printed):
            click.echo(escape_controls(line))
    return 0 if printed.sound else 1


class _Verify:
    """One run of the command."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._asked = take_asked(options)
        self._choice = take_release_choice(options)
        self._registries = _exact_settings(options)
        self._content: str = options.pop("content")
        self._trust = read_trust(self._asked.keys, self._asked.key_rings)

    async def run(self, release: str, permit: Sequence[str]) -> PrintedVerification:
        tell = tell_progress(self._settings)
        async with open_services(self._settings, tell, registries=self._registries) as services:
            located = await locate_release(release, services, self._choice)
            name = located.release.name
            async with asyncio.TaskGroup() as group:
                images = group.create_task(self._verify_images(located, services))
                signed = group.create_task(self._verify_signatures(located, services))
                compared = group.create_task(self._verify_artifacts())
            verified, refused = images.result()
            attachments = None
            if self._asked.list_attachments:
                attachments = tuple(await list_attachments(verified.found))
        artifacts = compared.result()
        found = [
            *refused,
            *verified.issues,
            *signed.result().issues,
            *(artifacts.issues if artifacts else ()),
        ]
        issues = apply_permits(found, [Permit(code=code, reason=_REASON) for code in permit])
        return PrintedVerification(
            release=release,
            name=name,
            digest=located.release.digest or "",
            sound=not any(issue.blocks for issue in issues),
            images=PrintedImages(
                images=len(verified.found),
                manifests=verified.manifests,
                blobs=verified.blobs,
                bytes=verified.bytes,
            ),
            signatures=signed.result().digests,
            artifacts=PrintedArtifacts(files=artifacts.files, signers=artifacts.signers)
            if artifacts
            else None,
            attachments=attachments,
            issues=tuple(issues),
        )

    async def _verify_images(
        self, located: Located, services: Services
    ) -> tuple[VerifiedImages, list[Issue]]:
        # Without --content not even images of this machine are looked at: nobody else has them.
        repository_of: RepositoryOf = services.open_repository
        if self._content:
            repository_of = await find_content(self._content, services)
        subjects, issues = await find_subjects(located.release.tags, repository_of)
        if located.repository is not None and located.content.image is not None:
            digest = located.content.image.referenced.digest
            own = Subject(name="", repository=located.repository, selector=digest)
            subjects.insert(0, own)
        return await verify_images(subjects, read_blobs=self._asked.read_blobs), issues

    async def _verify_signatures(self, located: Located, services: Services) -> VerifiedSignatures:
        if self._trust is None:
            return VerifiedSignatures(issues=(_NOT_CHECKED,))
        if located.content.image is None:
            return self._accept_lack(VerifiedSignatures(issues=(_NO_DIGEST,)))
        stores = self._asked.stores or tuple(self._trust.configuration.stores.values())
        if not stores and not self._asked.signatures:
            stores = own_stores(located.content)
        store = open_signatures(self._asked.signatures, stores, services)
        digests = find_digests(located.content.image)
        found = await verify_signatures(
            digests,
            self._trust,
            store,
            clock=services.clock,
            published=self._asked.published or located.pull_from,
        )
        return self._accept_lack(found)

    def _accept_lack(self, found: VerifiedSignatures) -> VerifiedSignatures:
        """``found``, a missing signature being a warning where the caller wants that."""
        if self._asked.require_signature is not False:
            return found
        issues = tuple(
            msgspec.structs.replace(issue, severity=Severity.WARNING)
            if issue.code == codes.UNSIGNED_RELEASE.code
            else issue
            for issue in found.issues
        )
        return msgspec.structs.replace(found, issues=issues)

    async def _verify_artifacts(self) -> VerifiedArtifacts | None:
        if self._asked.artifacts is None:
            return None
        keys = [
            key
            for content in (self._trust.keys if self._trust else ())
            for key in read_public_keys(content, path="a key")
        ]
        return await verify_artifacts(self._asked.artifacts, keys)


def _exact_settings(options: dict[str, Any]) -> RegistrySettings:
    """How to speak with registries: mirrors of this machine would hide what users lack."""
    named = any(options[name] for name in _EXPLICIT_MIRRORS)
    settings = release_registry_settings(options)
    return settings if named else msgspec.structs.replace(settings, mirrors=MirrorRules())
