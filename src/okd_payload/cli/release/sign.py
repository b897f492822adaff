# SPDX-License-Identifier: Apache-2.0
"""``okd-payload release sign``: signatures that clusters accept, and where they are put."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from okd_payload.cli.loop import run_async
from okd_payload.cli.output import escape_controls, output_option, print_document
from okd_payload.cli.release.locate import (
    Located,
    locate_release,
    release_choice_options,
    take_release_choice,
)
from okd_payload.cli.release.options import (
    release_registry_options,
    release_registry_settings,
    tell_progress,
)
from okd_payload.cli.release.sign_options import sign_options, take_destinations
from okd_payload.cli.release.signing_options import open_signers, signing_options
from okd_payload.cli.services import Services, open_services
from okd_payload.cli.settings import Settings
from okd_payload.errors import InputError
from okd_payload.oci.image import Image
from okd_payload.oci.reference import parse_reference
from okd_payload.release.sign.outputs import require_single, write_config_maps, write_signature
from okd_payload.release.sign.sign import (
    ClaimOptions,
    ReleaseSigner,
    Signature,
    sign_release,
)
from okd_payload.signing.publication import (
    FolderTarget,
    Placed,
    SignatureTarget,
    WebTarget,
)
from okd_payload.signing.stores.model import MAX_SIGNATURE_BYTES

_WEB = ("https://", "http://")


class PrintedPlace(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a signature is."""

    store: str
    number: int
    added: bool


class PrintedSignature(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One signature in what ``-o json`` prints."""

    release: str
    digest: str
    platform: str
    reference: str
    key: str
    places: tuple[PrintedPlace, ...]


@click.command()
@click.argument("releases", nargs=-1, required=True, metavar="RELEASE...")
@signing_options
@sign_options
@release_choice_options
@release_registry_options
@output_option("json", "yaml")
@click.pass_obj
def sign(
    settings: Settings, /, releases: tuple[str, ...], output: str | None, **options: Any
) -> None:
    """Sign RELEASE with each key, and put the signatures where clusters look for them.

    What is signed is the digest of the release; of an index, the digests of its members too. A
    signature that a store has already is not added again.
    """
    printed = run_async(_Sign(settings, options).run(releases, options))
    if output:
        print_document(printed, output)
    else:
        for signature in printed:
            _print_signature(signature)


class _Sign:
    """One run of the command."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._destinations = take_destinations(options)
        identity, timestamp = options.pop("identity"), options.pop("timestamp")
        self._identity = parse_reference(identity) if identity else None
        self._timestamp = int(time.time()) if timestamp is None else timestamp
        self._creator = options.pop("creator")

    async def run(self, releases: Sequence[str], options: dict[str, Any]) -> list[PrintedSignature]:
        choice = take_release_choice(options)
        registries = release_registry_settings(options)
        tell = tell_progress(self._settings)
        async with open_services(self._settings, tell, registries=registries) as services:
            signers = [
                ReleaseSigner(signer, clock=services.clock)
                for signer in await open_signers(options)
            ]
            located = [await locate_release(text, services, choice) for text in releases]
            wanted = [(release, self._claim_options(release)) for release in located]
            signed = [
                (release.typed, signature)
                for release, claims in wanted
                for signature in await sign_release(_image_of(release), signers, claims)
            ]
            if self._destinations.file:
                require_single([signature for _, signature in signed])
            return await self._deliver(signed, signers, services)

    def _claim_options(self, located: Located) -> ClaimOptions:
        # Refuses what is no release: its signature would say that it is one.
        name = located.release.name
        identity = self._identity or located.pull_from
        if identity is None:
            raise InputError(
                f"{located.typed} ({name}) is in no registry, so nothing says what it is called",
                hint="say where it will be published: --identity HOST/PATH",
            )
        return ClaimOptions(identity=identity, timestamp=self._timestamp, creator=self._creator)

    async def _deliver(
        self,
        signed: Sequence[tuple[str, Signature]],
        signers: Sequence[ReleaseSigner],
        services: Services,
    ) -> list[PrintedSignature]:
        by_key = {signer.fingerprint: signer for signer in signers}
        targets = [self._open_target(store, services) for store in self._destinations.stores]
        printed: list[PrintedSignature] = []
        final: list[Signature] = []
        for typed, signature in signed:
            placed = [
                await by_key[signature.fingerprint].place(signature, target) for target in targets
            ]
            self._warn_of_last(placed)
            message = placed[0].signature if placed else signature.message
            final.append(msgspec.structs.replace(signature, message=message))
            printed.append(_print_form(typed, signature, placed))
        if self._destinations.config_map:
            write_config_maps(final, self._destinations.config_map)
        if self._destinations.file:
            write_signature(final[0], self._destinations.file)
        return printed

    def _open_target(self, store: str, services: Services) -> SignatureTarget:
        if not store.startswith(_WEB):
            _refuse_schemes(store)
            return FolderTarget(Path(store))
        token = self._destinations.token

        async def fetch(url: str) -> bytes:
            return await services.fetch_document(url, limit=MAX_SIGNATURE_BYTES)

        async def put(url: str, content: bytes) -> bool:
            return await services.put_document(url, content, token=token)

        return WebTarget(store, fetch=fetch, put=put)

    def _warn_of_last(self, placed: Sequence[Placed]) -> None:
        for place in placed:
            if place.may_be_missed and not self._settings.quiet:
                click.echo(
                    f"warning: {place.place} has the signature as number {place.number}, which "
                    "clusters miss now and then: remove signatures that nobody needs any more",
                    err=True,
                )


def _image_of(located: Located) -> Image:
    if located.content.image is None:
        raise InputError(
            f"{located.typed} is a folder, and only an image has a digest that can be signed",
            hint="publish the release first, or name its image in an oci: directory",
        )
    return located.content.image


def _refuse_schemes(store: str) -> None:
    if "://" in store:
        scheme = store.partition("://")[0]
        raise InputError(
            f"{scheme}:// is no place for signatures here",
            hint="a bucket holds the same names as a folder: write to a folder and let the "
            "bucket's own program copy it, or use the bucket's https address",
        )


def _print_form(typed: str, signature: Signature, placed: Sequence[Placed]) -> PrintedSignature:
    return PrintedSignature(
        release=typed,
        digest=signature.digest,
        platform=signature.platform,
        reference=signature.reference,
        key=signature.fingerprint,
        places=tuple(
            PrintedPlace(store=item.place, number=item.number, added=item.added) for item in placed
        ),
    )


def _print_signature(signature: PrintedSignature) -> None:
    platform = f" ({signature.platform})" if signature.platform else ""
    click.echo(escape_controls(f"{signature.reference}{platform}"))
    click.echo(f"  key {signature.key}")
    for place in signature.places:
        state = "added" if place.added else "was there already"
        click.echo(escape_controls(f"  {place.store}: signature-{place.number} {state}"))
