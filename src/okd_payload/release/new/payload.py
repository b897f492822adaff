# SPDX-License-Identifier: Apache-2.0
"""The payload: every file of ``release-manifests/``, made of images that were read already.

Nothing here reads or writes anything. What is wrong is collected over all operators and files;
a payload with blocking issues is complete as far as it goes, and must not be published.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from okd_payload.errors import ReleaseError
from okd_payload.imagestream.openshift import RawImageStream, TagReference, encode_image_stream
from okd_payload.issues import Issue
from okd_payload.release import codes, labels
from okd_payload.release.inputs import ReleaseInput
from okd_payload.release.metadata import (
    ReleaseMetadata,
    encode_metadata,
    make_metadata,
    make_references,
)
from okd_payload.release.naming import PayloadNames, is_manifest
from okd_payload.release.new.architectures import check_coverage, state_architecture
from okd_payload.release.new.images import InputImage, Operator, SourceFile
from okd_payload.release.new.operands import (
    Operands,
    read_operands,
    resolve_placeholders,
    tabulate_versions,
)
from okd_payload.release.new.remembered_checks import CheckManifest
from okd_payload.release.new.rewrite import ImageRewriter, VersionRewriter
from okd_payload.release.objects import check_manifest
from okd_payload.release.semver import parse_version
from okd_payload.release.times import EPOCH, from_seconds
from okd_payload.release.versions import ComponentVersions, declared_by, format_versions

_SECOND = 1_000_000_000


class ReleaseOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is to be called, and how strict to be about it."""

    name: str = ""
    """Its version; empty makes one of the time at which it counts as created."""
    previous: tuple[str, ...] = ()
    following: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    included: frozenset[str] = frozenset()
    """Tags that stay although no operator lists them."""
    base_tag: str = labels.BASE_TAG
    allow_missing_images: bool = False
    check_manifests: bool = True
    component_versions: ComponentVersions = {}
    """Versions that all operators may name, unless their own images declare them."""
    version_keys: frozenset[str] = frozenset()
    """Components that images may declare, beyond those that every release reports."""
    created: datetime | None = None
    """None takes the newest time that the inputs carry, so that equal inputs give equal bytes."""


class ReleaseParts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read and that a payload is made of."""

    given: ReleaseInput
    images: dict[str, InputImage] = {}
    """Images by tag, where they were read at all."""
    operators: tuple[Operator, ...] = ()
    architectures: tuple[str, ...] = ()
    """What the release is for, as its base says; empty when nothing was looked up."""

    @property
    def tags(self) -> list[TagReference]:
        """All tags, with what their images say about their build."""
        return [
            self.images[tag.name].tag if tag.name in self.images else tag for tag in self.given.tags
        ]


class PayloadFile(msgspec.Struct, frozen=True):
    """A file of the payload: its path below ``release-manifests/``."""

    name: str
    content: bytes
    mtime_ns: int = 0


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A release without the image around it."""

    name: str
    created: datetime
    references: RawImageStream
    metadata: ReleaseMetadata
    files: tuple[PayloadFile, ...]
    """In the order of the archive, beginning with the two files above."""
    newest_mtime: int
    """Seconds since the epoch, of the newest file that operators brought."""
    operators: tuple[str, ...] = ()
    """Tags of the images that are operators."""
    issues: tuple[Issue, ...] = ()

    @property
    def tags(self) -> tuple[TagReference, ...]:
        """The images of the release, sorted by name."""
        return self.references.spec.tags

    @property
    def is_sound(self) -> bool:
        """Whether no issue blocks its publication."""
        return not any(issue.blocks for issue in self.issues)


def make_payload(
    parts: ReleaseParts, options: ReleaseOptions, *, check: CheckManifest = check_manifest
) -> Payload:
    """The payload of ``parts``, whose manifests ``check`` looks at.

    Raises ReleaseError when there are no tags, and InputError for versions that are none.
    """
    if not parts.given.tags:
        raise ReleaseError(
            "no component images defined, unable to build a release payload",
            hint="give an image stream with tags, a release, or NAME=PULLSPEC",
        )
    operators = sorted(parts.operators, key=lambda operator: operator.tag)
    operands = {operator.tag: read_operands(operator) for operator in operators}
    kept = _prune(parts.tags, operands.values(), options)
    created = options.created or _newest_time(parts, kept)
    name = options.name or default_name(created)
    metadata = make_metadata(
        name,
        previous=options.previous,
        following=options.following,
        metadata=state_architecture(options.metadata, parts.architectures),
    )
    annotations = _with_versions(parts.given.annotations, options.component_versions)
    writer = _Writer(name, {tag.name: tag for tag in parts.tags}, annotations, options, check=check)
    for operator in operators:
        writer.add(operator, operands[operator.tag])
    references = make_references(name, created=created, tags=kept, annotations=annotations)
    newest = max((file.mtime_ns for file in _files_of(operators)), default=0) // _SECOND
    own = (
        PayloadFile(labels.IMAGE_REFERENCES, encode_image_stream(references), newest * _SECOND),
        PayloadFile(labels.RELEASE_METADATA, encode_metadata(metadata), newest * _SECOND),
    )
    return Payload(
        name=name,
        created=created,
        references=references,
        metadata=metadata,
        files=(*own, *writer.files),
        newest_mtime=newest,
        operators=tuple(operator.tag for operator in operators),
        issues=(
            *parts.given.issues,
            *(issue for image in parts.images.values() for issue in image.issues),
            *check_coverage(kept, parts.images, parts.architectures),
            *writer.issues,
        ),
    )


def default_name(created: datetime) -> str:
    """The version of a release that nobody named."""
    return created.strftime("0.0.1-%Y-%m-%d-%H%M%S")


def _files_of(operators: Iterable[Operator]) -> Iterable[SourceFile]:
    return (file for operator in operators for file in operator.top_files)


def _prune(
    tags: Iterable[TagReference], operands: Collection[Operands], options: ReleaseOptions
) -> list[TagReference]:
    """The tags that somebody needs: operators, what they list, the base, what was asked for."""
    needed = {options.base_tag, *options.included}
    for each in operands:
        needed |= {each.operator, *each.listed}
    return [tag for tag in tags if tag.name in needed]


def _newest_time(parts: ReleaseParts, kept: Iterable[TagReference]) -> datetime:
    """The newest time that the images kept or their files carry, in whole seconds."""
    images = [parts.images[tag.name] for tag in kept if tag.name in parts.images]
    times = [image.created for image in images if image.created is not None]
    times += [from_seconds(file.mtime_ns // _SECOND) for file in _files_of(parts.operators)]
    return max([EPOCH, *times]).replace(microsecond=0)


def _with_versions(annotations: Mapping[str, str], given: ComponentVersions) -> dict[str, str]:
    if not given:
        return dict(annotations)
    versions, names = format_versions(declared_by(annotations) | given)
    return {**annotations, labels.VERSIONS: versions, labels.DISPLAY_NAMES: names}


class _Writer:
    """Collects the files of all operators, in their order."""

    def __init__(
        self,
        release: str,
        tags: Mapping[str, TagReference],
        annotations: Mapping[str, str],
        options: ReleaseOptions,
        *,
        check: CheckManifest,
    ) -> None:
        self._release = str(parse_version(release).without_build())
        self._tags = tags
        self._inherited = declared_by(annotations)
        self._options = options
        self._check_manifest = check
        self._names = PayloadNames()
        self.files: list[PayloadFile] = []
        self.issues: list[Issue] = []

    def add(self, operator: Operator, operands: Operands) -> None:
        """Add the files of one operator."""
        pull_specs, missing = resolve_placeholders(
            operands, self._tags, allow_missing=self._options.allow_missing_images
        )
        defaults = self._inherited if operands.has_file else self._options.component_versions
        table, conflicts = tabulate_versions(operands, self._tags, defaults=defaults)
        self.issues += [*operands.issues, *missing, *conflicts]
        images = ImageRewriter(pull_specs)
        versions = VersionRewriter(self._release, table)
        for file in operator.top_files:
            if file.name != labels.IMAGE_REFERENCES:
                self._check(operator, file)
                rewritten = versions.rewrite(images.rewrite(file.content))
                self._report(operator, file, rewritten.problems)
                name = self._names.take(tag=operator.tag, source=file.name)
                self._check_place(operator, file, name)
                self.files.append(PayloadFile(name, rewritten.content, file.mtime_ns))

    def _check(self, operator: Operator, file: SourceFile) -> None:
        if self._options.check_manifests and is_manifest(file.name):
            self.issues += [
                codes.INVALID_MANIFEST.issue(
                    f"{operator.tag}/{file.name}: {problem.message}",
                    component=operator.tag,
                    file=file.name,
                    line=problem.line,
                    hint="mend the manifest in the operator's repository",
                )
                for problem in self._check_manifest(file.content)
            ]

    def _report(self, operator: Operator, file: SourceFile, problems: Sequence[str]) -> None:
        self.issues += [
            codes.UNKNOWN_VERSION_REFERENCE.issue(
                problem,
                component=operator.tag,
                file=file.name,
                hint="list the image that declares the version in the operator's image-references,"
                " or give it with --component-versions",
            )
            for problem in problems
        ]

    def _check_place(self, operator: Operator, file: SourceFile, name: str) -> None:
        if "/" in name:
            self.issues.append(
                codes.UNREACHABLE_MANIFEST.issue(
                    f"{file.name} becomes {name}, and clusters do not look into sub-folders",
                    component=operator.tag,
                    file=file.name,
                    hint="give the file a name that begins with 0000_, or the tag one without /",
                )
            )
