# SPDX-License-Identifier: Apache-2.0
"""Reading the images that a release may be made of: labels of all, manifests of operators.

The configuration of an image says whether a layer is worth reading at all. The manifests of an
operator are those in its last layer, because that is where ``oc adm release new`` looks and what
images are built for; only images named by hand are searched whole. Whatever is missing or
damaged becomes an issue, so that one run tells about all images.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

import msgspec

from okd_payload.errors import ContentError, InvalidReference, NotFound, OkdPayloadError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.oci.cache import read_layer_folder
from okd_payload.oci.image import Image, describe_image
from okd_payload.oci.layers.entry import Entry
from okd_payload.oci.layers.read import LayerFile, read_merged_files
from okd_payload.oci.manifest import Descriptor, Index, Platform
from okd_payload.oci.platform import choose_member, image_members
from okd_payload.oci.reference import Reference, parse_reference
from okd_payload.oci.repository import Repository
from okd_payload.oci.threads import finish_in_thread
from okd_payload.progress import Noticed, Progress, ignore_progress
from okd_payload.release import codes, labels
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.naming import is_manifest
from okd_payload.release.new.remembered_checks import CheckManifest
from okd_payload.release.times import parse_time
from okd_payload.release.versions import ALLOWED_KEYS, parse_versions

RepositoryOf = Callable[[Reference], Awaitable[Repository]]
"""Where the image of a reference is read: its registry, or the layout it is published from."""

_FOLDER = "manifests"
_MANIFESTS = f"{_FOLDER}/"
_WHITEOUT = ".wh."
_IMAGES_AT_ONCE = 32
"""Bound on images under way; the registry client adapts below it to what the host bears."""
_LAYERS_AT_ONCE = 4
"""Inflating is work for processors, and more layers at once are only more memory."""
_GLANCE_BYTES = 1024 * 1024
"""An unlabelled image's last layer is looked into when it is this small, or its history speaks
of manifests: reading all operands to find one forgotten label would cost more than the rest."""
_SPEAKS_OF_MANIFESTS = re.compile(r"\bmanifests\b")


class SourceFile(msgspec.Struct, frozen=True):
    """A file of an operator: its path below ``manifests/``, as it came."""

    name: str
    content: bytes
    mtime_ns: int = 0


class Operator(msgspec.Struct, frozen=True):
    """An image that brings manifests, and its files in byte order of their names."""

    tag: str
    files: tuple[SourceFile, ...] = ()

    @property
    def top_files(self) -> tuple[SourceFile, ...]:
        """The files directly in ``manifests/``, which are all that counts."""
        return tuple(file for file in self.files if "/" not in file.name)


class InputImage(msgspec.Struct, frozen=True, kw_only=True):
    """One tag with what its image says; ``image`` is None when it could not be read."""

    tag: TagReference
    image: Image | None = None
    operator: Operator | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def created(self) -> datetime | None:
        """When the image was made, as its configuration says."""
        return parse_time(self.image.config.created) if self.image else None


class ImageReader:
    """Reads images and remembers nothing; many may be read at once."""

    def __init__(
        self,
        repository_of: RepositoryOf,
        *,
        member: Platform | None = None,
        version_keys: Collection[str] = (),
        progress: Progress = ignore_progress,
        look_at: CheckManifest | None = None,
    ) -> None:
        """Of indexes, read the member for ``member``, else the first one.

        ``look_at`` is called with every manifest of operators, in threads, beside the reading.
        ``version_keys`` are component names beyond those that every release may report.
        """
        self._repository_of = repository_of
        self._member = member
        self._version_keys = ALLOWED_KEYS.union(version_keys)
        self._progress = progress
        self._look_at = look_at
        self._layer_places = asyncio.Semaphore(_LAYERS_AT_ONCE)

    async def read_all(self, tags: Collection[TagReference], *, base: str) -> list[InputImage]:
        """Every tag of ``tags`` that is a pull spec; ``base`` needs no operator's label."""
        bases = (base, labels.BASE_TAG)
        return await map_concurrently(
            lambda tag: self.read(tag, is_base=tag.name in bases),
            [tag for tag in tags if pull_spec_of(tag)],
            at_once=_IMAGES_AT_ONCE,
        )

    async def read(self, tag: TagReference, *, is_base: bool = False) -> InputImage:
        """One tag with its image, or with the issue why there is none."""
        pull_spec = pull_spec_of(tag)
        try:
            reference = parse_reference(pull_spec)
            repository = await self._repository_of(reference)
            image = await read_member(repository, reference.selector, platform=self._member)
            self._tell_of_other_member(tag, image)
            found = InputImage(
                tag=_annotate(tag, image.config.labels),
                image=image,
                issues=tuple(self._check_labels(tag, image.config.labels)),
            )
            if image.config.labels.get(labels.OPERATOR):
                return await self._read_operator(found, image, repository)
            if not is_base and _may_be_operator(image):
                return await self._glance(found, image, repository)
        except (InvalidReference, NotFound, ContentError) as error:
            return InputImage(tag=tag, issues=(_describe(tag.name, pull_spec, error),))
        return found

    def _tell_of_other_member(self, tag: TagReference, image: Image) -> None:
        wanted, read = self._member, image.config.architecture
        if wanted and image.referenced.is_index and read not in ("", wanted.architecture):
            message = f"The list {tag.name} has no {wanted}; its image for {read} speaks for it"
            self._progress(Noticed(subject="", message=message))

    async def _read_operator(
        self, found: InputImage, image: Image, repository: Repository
    ) -> InputImage:
        by_hand = labels.OVERRIDE in (found.tag.annotations or {})
        subject = f"override {pull_spec_of(found.tag)}" if by_hand else image.referenced.digest
        self._progress(Noticed(subject=found.tag.name, message=f"Loading {subject}"))
        async with self._layer_places:
            operator = await read_operator(found.tag, image, repository)
        if self._look_at is not None:
            await finish_in_thread(_look_at_all, operator, self._look_at)
        issues = found.issues
        if not operator.top_files:
            issue = codes.OPERATOR_WITHOUT_MANIFESTS.issue(
                "no manifests/ in the last layer of the image, so nothing of it is in the payload",
                component=found.tag.name,
                hint="copy manifests/ as the last step of the build, or take the label off",
            )
            issues = (*issues, issue)
        return msgspec.structs.replace(found, operator=operator, issues=issues)

    async def _glance(self, found: InputImage, image: Image, repository: Repository) -> InputImage:
        async with self._layer_places:
            files = await _read_last_layer(image, repository)
        names = [file.name for file in _sorted_files(files) if "/" not in file.name]
        if not names:
            return found
        issue = codes.UNLABELLED_OPERATOR.issue(
            f"the image brings manifests ({', '.join(names[:3])}{', ...' * (len(names) > 3)})"
            f" and lacks the label {labels.OPERATOR}, so nothing of it is in the payload",
            component=found.tag.name,
            file=f"{_MANIFESTS}{names[0]}",
            hint=f"add `LABEL {labels.OPERATOR}=true` to its Dockerfile if it is an operator",
        )
        return msgspec.structs.replace(found, issues=(*found.issues, issue))

    def _check_labels(self, tag: TagReference, given: dict[str, str]) -> list[Issue]:
        declared = parse_versions(
            given.get(labels.VERSIONS, ""), given.get(labels.DISPLAY_NAMES, "")
        )
        invalid = [
            codes.INVALID_VERSION_LABEL.issue(
                f"an invalid {labels.VERSIONS} or {labels.DISPLAY_NAMES} label: {problem}",
                component=tag.name,
                hint="labels are KEY=VERSION[,KEY=VERSION] and KEY=NAME[,KEY=NAME]",
            )
            for problem in declared.problems
        ]
        unknown = [
            codes.UNKNOWN_VERSION_KEY.issue(
                f'references a component version "{key}" which is not in the allowed list',
                component=tag.name,
                hint=f"allowed: {', '.join(sorted(self._version_keys))};"
                " --component-version-key adds to them",
            )
            for key in sorted(declared.versions)
            if key not in self._version_keys
        ]
        return invalid + unknown


async def read_operator(tag: TagReference, image: Image, repository: Repository) -> Operator:
    """The manifests of ``image``: of its last layer, of all layers when it was named by hand."""
    if labels.OVERRIDE in (tag.annotations or {}):
        files = await read_merged_files(repository.blobs, image.layers, want=_is_manifest)
    else:
        files = await _read_last_layer(image, repository)
    return Operator(tag.name, _sorted_files(files))


async def read_member(repository: Repository, selector: str, *, platform: Platform | None) -> Image:
    """An image; of an index the member for ``platform`` or, when there is none, the first one.

    Raises NotFound and ContentError.
    """
    referenced = manifest = await repository.manifests.get(selector)
    if referenced.is_index:
        member = _choose_member(referenced.index(), platform)
        if member is None:
            raise ContentError(
                f"{repository.name}@{referenced.digest} lists no image",
                hint="it is an index without images: push it again",
            )
        manifest = await repository.manifests.get(member.digest)
    return await describe_image(repository, manifest, referenced=referenced)


def _look_at_all(operator: Operator, look_at: CheckManifest) -> None:
    for file in operator.top_files:
        if is_manifest(file.name):
            look_at(file.content)


def _choose_member(index: Index, platform: Platform | None) -> Descriptor | None:
    if platform is not None:
        with contextlib.suppress(NotFound):  # then any other will do
            return choose_member(index, platform, name="")
    return next(iter(image_members(index)), None)


def _annotate(tag: TagReference, given: dict[str, str]) -> TagReference:
    """``tag`` with what the labels of its image say about its build."""
    annotations = {
        **(tag.annotations or {}),
        **{key: given.get(key, "") for key in labels.BUILD_LABELS},
    }
    if given.get(labels.VERSIONS):
        for key in (labels.VERSIONS, labels.DISPLAY_NAMES):
            annotations[key] = given.get(key, "")
    return msgspec.structs.replace(tag, annotations=annotations)


async def _read_last_layer(image: Image, repository: Repository) -> list[LayerFile]:
    if not image.layers:
        return []
    return await read_layer_folder(repository, image.layers[-1], folder=_FOLDER)


def _is_manifest(entry: Entry) -> bool:
    return entry.path.startswith(_MANIFESTS)


def _may_be_operator(image: Image) -> bool:
    if not image.layers:
        return False
    last = next((item for item in reversed(image.config.history) if not item.empty_layer), None)
    told = last is not None and _SPEAKS_OF_MANIFESTS.search(last.created_by) is not None
    return told or image.layers[-1].size <= _GLANCE_BYTES


def _sorted_files(files: list[LayerFile]) -> tuple[SourceFile, ...]:
    """``files`` by name, each name once, without the marks of what a layer removes."""
    found = {
        file.entry.path.removeprefix(_MANIFESTS): SourceFile(
            file.entry.path.removeprefix(_MANIFESTS), file.content, file.entry.mtime_ns
        )
        for file in files
    }
    return tuple(
        found[name]
        for name in sorted(found, key=lambda name: name.encode(errors="surrogateescape"))
        if not name.rpartition("/")[2].startswith(_WHITEOUT)
    )


def _describe(tag: str, pull_spec: str, error: OkdPayloadError) -> Issue:
    """Why there is no image, as an issue."""
    if isinstance(error, InvalidReference):
        return codes.INVALID_PULL_SPEC.issue(error.message, component=tag, hint=error.hint)
    if isinstance(error, NotFound):
        return codes.MISSING_IMAGE.issue(
            f'image "{pull_spec}" not found: {error.message}',
            component=tag,
            hint=error.hint or "push it, correct the tag, or leave the tag out with --exclude",
        )
    return codes.UNREADABLE_IMAGE.issue(
        f"{pull_spec}: {error.message}", component=tag, hint=error.hint
    )
