# SPDX-License-Identifier: Apache-2.0
"""Reading a destination back: every manifest by its digest, every tag by what it leads to.

A repository takes no manifest before its parts, and drops no part of a manifest that it has, so
blobs are not asked for one by one; a directory looks for them all the same, because anybody may
remove a file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from okd_payload.errors import NotFound, OkdPayloadError
from okd_payload.oci.digest import Digest
from okd_payload.oci.repository import Repository, stat_manifest
from okd_payload.oci.transfer.model import PlannedImage

_Question = tuple[str, str]


async def read_back(
    images: Sequence[PlannedImage], slots: asyncio.Semaphore
) -> list[OkdPayloadError | None]:
    """For each of ``images`` what is wrong with it at its destination, None for nothing."""
    repositories = {image.copy.destination.name: image.copy.destination for image in images}
    expected = [dict(_references(image)) for image in images]
    questions = {
        (image.copy.destination.name, reference)
        for image, references in zip(images, expected, strict=True)
        for reference in references
    }

    async def ask(question: _Question) -> Digest | OkdPayloadError | None:
        async with slots:
            return await _stat(repositories[question[0]], question[1])

    asked = sorted(questions)
    answers = dict(zip(asked, await asyncio.gather(*map(ask, asked)), strict=True))
    return [
        next(_find_errors(image.copy.destination, references, answers), None)
        for image, references in zip(images, expected, strict=True)
    ]


def _references(image: PlannedImage) -> Iterator[tuple[str, Digest]]:
    """Every reference by which the image, or a part of it, can be had."""
    for node in image.walk():
        yield node.manifest.digest, node.manifest.digest
    for attachment in image.attachments:
        if attachment.tag:
            yield attachment.tag, attachment.planned.manifest.digest
    if image.copy.tag:
        yield image.copy.tag, image.root.manifest.digest


async def _stat(repository: Repository, reference: str) -> Digest | OkdPayloadError | None:
    try:
        found = await stat_manifest(repository.manifests, reference)
    except OkdPayloadError as error:
        return error
    return found.digest if found else None


def _find_errors(
    destination: Repository,
    references: dict[str, Digest],
    answers: dict[_Question, Digest | OkdPayloadError | None],
) -> Iterator[OkdPayloadError]:
    for reference, digest in references.items():
        answer = answers[destination.name, reference]
        if isinstance(answer, OkdPayloadError):
            yield answer
        elif answer != digest:
            yield NotFound(
                f"{destination.name} does not give back {reference}"
                + (f", but {answer}" if answer else "")
                + (f" instead of {digest}" if reference != digest else ""),
                hint="someone else may write there, or it forgets what it takes: run again",
            )
