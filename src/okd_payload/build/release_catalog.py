# SPDX-License-Identifier: Apache-2.0
"""The catalog of a release that somebody else made: what its annotations say of each image.

Every image that says from which repository and commit it was built becomes a component; its
Dockerfile is looked for in that commit, of which nothing but the list of files is fetched. An
image that says nothing, and one whose source cannot be read, is taken over from the release, so
that the stream is whole whatever happens.
"""

from __future__ import annotations

import re
from collections import defaultdict

import msgspec

from okd_payload.build.codes import MISSING_DOCKERFILE, SOURCE_UNAVAILABLE
from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.definition import Definition, Import, PulledImage
from okd_payload.catalog.dockerfile_choice import choose_dockerfile
from okd_payload.catalog.writing.importing import RELEASE_IMAGES, Imported
from okd_payload.catalog.writing.model import ImportedCatalog
from okd_payload.errors import InputError, SourceError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.issues import Issue
from okd_payload.release import labels
from okd_payload.release.concurrency import map_concurrently
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.load import Release
from okd_payload.release.semver import parse_version
from okd_payload.source.listing import ListedSourceTree
from okd_payload.source.model import GitSource

_AT_ONCE = 32
_COMMIT = re.compile(r"[0-9a-f]{40}")
_STREAM = re.compile(r".*?-[0-9]+\.(?P<stream>[a-z][a-z0-9-]*?)-[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
_UNNAMED = "imported"


class _Built(msgspec.Struct, frozen=True):
    """An image of the release, and what it says it was built from."""

    tag: str
    source: GitSource
    """At its commit, where it says one."""
    ref: str
    pull_spec: str


class _Reading(msgspec.Struct, frozen=True):
    """What became of some images of the release."""

    definitions: tuple[Definition, ...] = ()
    imports: tuple[Import, ...] = ()
    issues: tuple[Issue, ...] = ()
    evidence: dict[str, str] = {}

    def __add__(self, other: _Reading) -> _Reading:
        return _Reading(
            self.definitions + other.definitions,
            self.imports + other.imports,
            self.issues + other.issues,
            self.evidence | other.evidence,
        )


async def import_release(
    release: Release,
    sources: ListedSourceTree,
    *,
    name: str = "",
    follow_branches: bool = False,
) -> Imported:
    """The images of ``release`` as components of a stream called ``name``.

    Sources are pinned to the commits of the release unless they shall follow their branches.
    Raises MissingTool or StorageError when no source can be read at all.
    """
    found = _Reading()
    built = defaultdict(list)
    for tag in release.tags:
        image = _read_tag(tag)
        if image is not None:
            built[image.source].append(image)
        elif pull_spec_of(tag):
            found += _take_over(tag.name, pull_spec_of(tag))

    async def read(source: GitSource) -> _Reading:
        return await _read_source(source, built[source], sources, follow=follow_branches)

    found = sum(await map_concurrently(read, built, at_once=_AT_ONCE), start=found)
    catalog = ImportedCatalog(
        stream=name or _stream_name(release.name),
        came_from=(
            f"Images of the release {release.name}, by what its annotations say.",
            "okd-payload catalog import --release PULLSPEC brings it up to another one.",
        ),
        definitions=found.definitions,
        imports=tuple(sorted(found.imports, key=lambda entry: entry.name)),
        substitutions=(RELEASE_IMAGES,),
        version=_version(release.name),
        evidence=found.evidence,
    )
    issues = sorted(found.issues, key=lambda issue: (issue.component, issue.code))
    return Imported(catalog=catalog, issues=tuple(issues))


def _read_tag(tag: TagReference) -> _Built | None:
    """What the annotations of ``tag`` say; None when they name no repository."""
    said = tag.annotations or {}
    location = said.get(labels.SOURCE, "").removesuffix("/")
    commit, ref = said.get(labels.COMMIT_ID, ""), said.get(labels.COMMIT_REF, "")
    if not location or not pull_spec_of(tag):
        return None
    pinned = commit if _COMMIT.fullmatch(commit) else ref
    return _Built(tag.name, GitSource(url=location, ref=pinned), ref, pull_spec_of(tag))


async def _read_source(
    source: GitSource, images: list[_Built], sources: ListedSourceTree, *, follow: bool
) -> _Reading:
    """The components that are made of ``source``: its list of files is read once for them all."""
    try:
        commit = await sources.resolve(source)
        files = await sources.list_files(source, commit)
    except SourceError as error:
        found = _Reading()
        for image in images:
            issue = SOURCE_UNAVAILABLE.issue(error.message, component=image.tag, hint=error.hint)
            reason = f"its source cannot be read: {error.message}"
            found += _take_over(image.tag, image.pull_spec, reason=reason)
            found += _Reading(issues=(issue,))
        return found
    readings = (_define(image, files, follow=follow) for image in images)
    return sum(readings, start=_Reading())


def _define(image: _Built, files: tuple[str, ...], *, follow: bool) -> _Reading:
    repository = image.source.url.rpartition("/")[2].removesuffix(".git")
    choice = choose_dockerfile(files, component=image.tag, repository=repository)
    if not choice.path:
        issue = MISSING_DOCKERFILE.issue(
            f"{image.source}: {choice.reason}",
            component=image.tag,
            hint=f"it has {', '.join(choice.candidates)}: write a component that names one"
            if choice.candidates
            else "",
        )
        taken = _take_over(image.tag, image.pull_spec, reason=choice.reason)
        return taken + _Reading(issues=(issue,))
    followed = follow and bool(image.ref)
    source = GitSource(url=image.source.url, ref=image.ref) if followed else image.source
    component = Component(
        name=image.tag,
        tag=image.tag,
        origin=Origin(""),
        source=source,
        dockerfile_path=choice.path,
    )
    built = f"The release has it from {image.ref or 'a branch without name'}"
    evidence = f"{choice.evidence}\n{built} at {image.source.ref or 'an unknown commit'}."
    return _Reading(definitions=(Definition(component),), evidence={image.tag: evidence})


def _take_over(tag: str, pull_spec: str, *, reason: str = "") -> _Reading:
    """The image of the release, as it is; with a ``reason`` it stands in for a component."""
    stub = " ".join(reason.split())
    entry = Import(name=tag, content=PulledImage(pull_spec), origin=Origin(""), stub=stub)
    return _Reading(imports=(entry,))


def _stream_name(release: str) -> str:
    match = _STREAM.fullmatch(release)
    return match["stream"] if match else _UNNAMED


def _version(release: str) -> str:
    """The numbers of ``release``; "" when it is called otherwise."""
    try:
        version = parse_version(release)
    except InputError:
        return ""
    return f"{version.major}.{version.minor}.{version.patch}"
