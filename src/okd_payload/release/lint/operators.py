# SPDX-License-Identifier: Apache-2.0
"""What the images of a release say against its payload: operators, operands, placeholders.

The files of a payload do not tell what was left out of it. That takes the images: those that
cannot be had, operators whose manifests nobody read, placeholders that came near to being
replaced, images that nobody wants.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from okd_payload.errors import InvalidReference, OkdPayloadError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import read_files
from okd_payload.oci.reference import parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.progress import Progress, ignore_progress
from okd_payload.release import codes, labels
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.lint import codes as lint_codes
from okd_payload.release.lint.metadata import lint_metadata
from okd_payload.release.load import ReleaseContent
from okd_payload.release.naming import is_manifest
from okd_payload.release.new.images import (
    ImageReader,
    InputImage,
    Operator,
    RepositoryOf,
    SourceFile,
)
from okd_payload.release.new.operands import Operands, read_operands, resolve_placeholders
from okd_payload.release.new.rewrite import ImageRewriter

_MANIFESTS = "manifests/"
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_LOCATOR = rb"(?::[\w][\w.\-]{0,127})?(?:@[\w+.\-]+:[0-9A-Fa-f]{2,})?"
_WHERE_IMAGES_END = rb"(?=[\s\"',;)\]}>\\&|]|\Z)"
"""Before other characters the text goes on, and is the name of something else."""


async def lint_operators(
    content: ReleaseContent,
    repository_of: RepositoryOf,
    *,
    progress: Progress = ignore_progress,
) -> list[Issue]:
    """Every issue that the images of the release show. Raises RegistryError."""
    references = lint_metadata(content).references
    tags = [tag for tag in references.spec.tags if is_readable(tag)] if references else []
    reader = ImageReader(repository_of, progress=progress)
    images = await reader.read_all(tags, base=labels.BASE_TAG)
    issues = [issue for image in images for issue in await _read_issues(image, repository_of)]
    operators = [image.operator for image in images if image.operator]
    operands = {operator.tag: read_operands(operator) for operator in operators}
    by_name = {tag.name: tag for tag in tags}
    for operator in operators:
        issues += check_placeholders(operator, operands[operator.tag], by_name)
    if len(images) == sum(image.image is not None for image in images):
        issues += check_use(content, by_name, operands)
    return issues


def is_readable(tag: TagReference) -> bool:
    """Whether the pull spec is one; another check tells of others."""
    try:
        parse_reference(pull_spec_of(tag))
    except InvalidReference:
        return False
    return True


def check_placeholders(
    operator: Operator, operands: Operands, tags: Mapping[str, TagReference]
) -> Iterator[Issue]:
    """Placeholders that an operator lists and does not have, or has where none is replaced."""
    pull_specs, issues = resolve_placeholders(operands, tags, allow_missing=False)
    yield from (*operands.issues, *issues)
    files = [file for file in operator.top_files if file.name != labels.IMAGE_REFERENCES]
    for placeholder in pull_specs:
        text = placeholder.encode()
        if files and not any(text in file.content for file in files):
            yield lint_codes.UNUSED_PLACEHOLDER.issue(
                f"no manifest has {placeholder}, which image-references lists",
                component=operator.tag,
                file=f"{_MANIFESTS}{labels.IMAGE_REFERENCES}",
                hint="nothing is wrong when the image is only meant to be in the release",
            )
    if pull_specs:
        for file in filter(lambda file: is_manifest(file.name), files):
            yield from _check_missed(operator.tag, file, pull_specs)


def check_use(
    content: ReleaseContent, tags: Mapping[str, TagReference], operands: Mapping[str, Operands]
) -> Iterator[Issue]:
    """Images that nobody names: no operator lists them, and no manifest has their digest."""
    named = {digest for text in content.manifests.values() for digest in _DIGEST.findall(text)}
    wanted = {
        labels.BASE_TAG,
        *operands,
        *(name for each in operands.values() for name in each.listed),
    }
    for name, tag in tags.items():
        digest = pull_spec_of(tag).rpartition("@")[2].encode()
        if name not in wanted and digest not in named:
            yield lint_codes.UNUSED_IMAGE.issue(
                "no operator lists the image, and no manifest names it",
                component=name,
                file=labels.IMAGE_REFERENCES,
                hint="leave it out with --exclude, unless people or the installer use it",
            )


def _check_missed(
    operator: str, file: SourceFile, pull_specs: Mapping[str, str]
) -> Iterator[Issue]:
    rewritten = ImageRewriter(pull_specs).rewrite(file.content)
    for placeholder in pull_specs:
        text = placeholder.encode()
        if text not in rewritten:
            continue
        missed = re.compile(rb"(?<![\w/.\-])" + re.escape(text) + _LOCATOR + _WHERE_IMAGES_END)
        match = missed.search(rewritten)
        if match:
            yield lint_codes.MISSED_PLACEHOLDER.issue(
                f"{match[0].decode(errors='replace')} was not replaced where it stands",
                component=operator,
                file=f"{_MANIFESTS}{file.name}",
                line=rewritten.count(b"\n", 0, match.start()) + 1,
                hint="a blank, a quote or the end of the line must follow, and of two with one"
                " blank between them only the first is replaced: put each on a line of its own",
            )


async def _read_issues(image: InputImage, repository_of: RepositoryOf) -> list[Issue]:
    """The issues of reading one image, in words about a release that is there already."""
    found = []
    for issue in image.issues:
        if issue.code == codes.MISSING_IMAGE.code:
            hint = "clusters cannot install this release: push the image, or make it again"
            found.append(msgspec.structs.replace(issue, hint=hint))
        elif issue.code == codes.OPERATOR_WITHOUT_MANIFESTS.code and image.image:
            reference = parse_reference(pull_spec_of(image.tag))
            found.append(await _look_below(image, issue, await repository_of(reference)))
        else:
            found.append(issue)
    return found


async def _look_below(image: InputImage, issue: Issue, repository: Repository) -> Issue:
    """``issue``, with the layer in which the manifests are instead, when there is one."""
    layers = image.image.layers if image.image else ()
    for number in range(len(layers) - 1, 0, -1):
        layer = layers[number - 1]
        files = read_files(repository.blobs, layer, want=_is_manifest_file)
        try:
            names = [file.entry.path async for file in files]
        except OkdPayloadError:
            return issue
        if names:
            message = (
                f"manifests/ is in layer {number} of {len(layers)}, and only the last is read,"
                " so nothing of it is in the payload"
            )
            return msgspec.structs.replace(issue, message=message, file=names[0])
    return issue


def _is_manifest_file(entry: Entry) -> bool:
    return entry.path.startswith(_MANIFESTS)
