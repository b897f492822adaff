# SPDX-License-Identifier: Apache-2.0
"""Command-line tools out of a release, as archives or as they are.

Targets are grouped by image and every image is read once, several at a time; each program is
patched, signed where its system asks for that, and packed while it arrives. Nothing gets its
name before all images have been read and verified. What is there is written even when something
else is missing; ``Made`` says what.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.errors import InputError, ReleaseError
from okd_payload.oci.image import read_image
from okd_payload.oci.layers.entry import NANOSECONDS
from okd_payload.oci.layers.stream import stream_files
from okd_payload.oci.manifest import Platform
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.threads import finish_in_thread
from okd_payload.progress import Noticed, Progress, ignore_progress
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.extract.checksums import (
    CHECKSUMS,
    SIGNATURE,
    format_checksums,
    verify_files,
)
from okd_payload.release.extract.products import Product, values_of
from okd_payload.release.extract.targets import Choice, Rule, Wish, choose_targets
from okd_payload.release.extract.texts import RELEASE_PREAMBLE
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.new.images import RepositoryOf
from okd_payload.release.output_folder import ExtractedFile, NewFile, TargetFolder
from okd_payload.release.report.describe import ImageColumn, describe_release, list_images
from okd_payload.release.times import EPOCH, parse_time
from okd_payload.signing.signer import Signer

_IMAGES_AT_ONCE = 4
_RELEASE_FILE = "release.txt"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be made of a release."""

    wish: Wish
    folder: Path
    pull_from: Reference | None
    """The release by digest, where clusters will pull it; the installer is told."""
    signer: Signer | None = None


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was written, and what could not be."""

    files: tuple[ExtractedFile, ...] = ()
    warnings: tuple[str, ...] = ()
    missing_files: tuple[str, ...] = ()
    """Paths that an image should have had."""

    def require_complete(self) -> None:
        """Raise ReleaseError when a file was missing."""
        if not self.missing_files:
            return
        hint = "the image was built without it: ask for what it has with --command"
        if len(self.missing_files) == 1:
            raise ReleaseError(f"image did not contain {self.missing_files[0]}", hint=hint)
        raise ReleaseError(
            f"unable to find multiple files: {', '.join(self.missing_files)}", hint=hint
        )


async def extract_tools(
    release: Release,
    order: Order,
    *,
    repository_of: RepositoryOf,
    progress: Progress = ignore_progress,
) -> Made:
    """Make what ``order`` says of ``release``.

    Raises InputError, ReleaseError, StorageError, and what reading images raises.
    """
    image = release.content.image
    if image is None:
        raise InputError(
            f"{release.content.origin} is a folder, which does not say for what its tools are",
            hint="give the release by a pull spec or as oci:DIR:TAG",
        )
    platform = Platform(architecture=image.config.architecture, os=image.config.os)
    pull_specs = {tag.name: pull_spec_of(tag) for tag in release.tags if pull_spec_of(tag)}
    choice = choose_targets(
        order.wish,
        architecture=image.config.architecture,
        images=pull_specs,
        release=str(order.pull_from or release.content.origin),
    )
    values = values_of(release, order.pull_from)
    with TargetFolder(order.folder) as folder, contextlib.ExitStack() as stack:
        products = [
            stack.enter_context(Product(target, values, folder, as_archive=order.wish.as_archives))
            for target in choice.targets
        ]
        by_image: dict[str, list[Product]] = {}
        for product in products:
            by_image.setdefault(product.target.image, []).append(product)

        async def read(name: str) -> None:
            progress(Noticed(subject=name, message="Reading"))
            reference = parse_reference(pull_specs[name])
            repository = await repository_of(reference)
            found = await read_image(repository, reference.selector, platform=platform)
            sinks: dict[str, list[Product]] = {}
            for product in by_image[name]:
                sinks.setdefault(product.target.path, []).append(product)
            absent = await stream_files(repository.blobs, found.layers, sinks)
            for path in absent:
                for product in sinks[path]:
                    product.discard()

        await map_concurrently(read, by_image, at_once=_IMAGES_AT_ONCE)
        files = await _complete(products, release, order, folder)
    return Made(
        files=tuple(files),
        warnings=(
            *_warn_of(choice),
            *(line for product in products for line in product.warnings),
            *_warn_of_signature(files, order.folder),
        ),
        missing_files=_missing_files(products, order.wish),
    )


async def _complete(
    products: Sequence[Product], release: Release, order: Order, folder: TargetFolder
) -> list[ExtractedFile]:
    """Give everything that was made its name, sums and all, and read it back."""
    files = [file for product in products if (file := product.adopt()) is not None]
    if order.wish.as_archives and files:
        files.append(folder.add(_describe(release, order.pull_from)))
        sums = format_checksums(files)
        created = _created_ns(release)
        files.append(folder.add(NewFile(name=CHECKSUMS, content=sums, mtime_ns=created)))
        if order.signer:
            content = await order.signer.sign_detached(sums)
            signature = NewFile(name=SIGNATURE, content=content, mtime_ns=created)
            files.append(folder.add(signature))
    await finish_in_thread(folder.finish)
    await finish_in_thread(verify_files, files)
    return files


def _describe(release: Release, pull_from: Reference | None) -> NewFile:
    lines = list_images(release, ImageColumn.PULL_SPEC)
    text = RELEASE_PREAMBLE + describe_release(release, pull_from=pull_from, images=lines)
    return NewFile(name=_RELEASE_FILE, content=text.encode(), mtime_ns=_created_ns(release))


def _created_ns(release: Release) -> int:
    image = release.content.image
    created = parse_time(image.config.created) if image else None
    return int((created or EPOCH).timestamp()) * NANOSECONDS


def _missing_files(products: Sequence[Product], wish: Wish) -> tuple[str, ...]:
    """The files that should have been there: also new ones, when just they were asked for."""
    absent = [product.target for product in products if not product.is_made]
    if wish.command and len(absent) == len(products):
        return tuple(sorted({target.path for target in absent}))
    return tuple(sorted({target.path for target in absent if target.rule is not Rule.NEWER}))


def _warn_of_signature(files: Sequence[ExtractedFile], folder: Path) -> list[str]:
    """A signature of an earlier run does not fit the sums of this one."""
    names = {file.name for file in files}
    if CHECKSUMS not in names or SIGNATURE in names or not (folder / SIGNATURE).exists():
        return []
    return [f"{SIGNATURE} is of an earlier run: sign {CHECKSUMS} anew, or remove it"]


def _warn_of(choice: Choice) -> list[str]:
    found = []
    if choice.missing_images:
        names = ", ".join(choice.missing_images)
        found.append(f"Some commands can not be extracted due to missing images: {names}")
    if choice.skipped_images:
        names = ", ".join(choice.skipped_images)
        found.append(f"Left out, because the release has no such images: {names}")
    return found
