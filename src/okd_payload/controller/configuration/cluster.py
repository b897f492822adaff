# SPDX-License-Identifier: Apache-2.0
"""Streams that image streams of a cluster configure: ``release.openshift.io/config``.

So the controller takes the place of OpenShift's without anything being written anew. Where the
images are, the annotation leaves to the cluster: the input is the image stream itself, releases
are tags of the stream that it names as ``to`` (of a stable stream, its own), and images are kept
in a repository beside that. A stream whose annotation broke, contradicts itself or has lost its
place stays as it was; all that is wrong stands in ``issues``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from okd_payload.clock import Clock
from okd_payload.cluster import ClusterReader, kinds
from okd_payload.controller.configuration import codes
from okd_payload.controller.configuration.checks import check_stream
from okd_payload.controller.configuration.folder import read_annotation
from okd_payload.controller.configuration.model import Input, StreamConfiguration, StreamKind
from okd_payload.errors import ClusterError, InvalidDocument
from okd_payload.imagestream.openshift import RawImageStream, parse_image_stream
from okd_payload.issues import Issue

ANNOTATION = "release.openshift.io/config"
_PREFIX, _OVERRIDE = "release.openshift.io/messagePrefix", "release.openshift.io/messageOverride"
"""What stands above a stream's message, and in its place; for whoever may not change the rest."""
REFRESH_SECONDS = 30.0
_LEAST_SECONDS = 1.0
"""Between two refreshes, however much changes."""
_CONTENT_SUFFIX = "-content"

_log = logging.getLogger(__name__)

Configurations = Callable[[], Mapping[str, StreamConfiguration]]


class ClusterStreams:
    """The streams that image streams of some namespaces configure."""

    def __init__(self, cluster: ClusterReader, namespaces: Sequence[str]) -> None:
        """Nothing is read before the first ``refresh``."""
        self._cluster = cluster
        self._namespaces = tuple(namespaces)
        self._changed = asyncio.Event()
        self._streams: Mapping[str, StreamConfiguration] = {}
        self.issues: tuple[Issue, ...] = ()
        """What is wrong with annotations, as of the last ``refresh``."""

    def __call__(self) -> Mapping[str, StreamConfiguration]:
        """The streams by name, as of the last ``refresh``."""
        return self._streams

    async def refresh(self) -> bool:
        """Read the image streams again; whether anything changed.

        Raises ClusterError, and InvalidDocument for an object that is no image stream; then
        everything is as it was.
        """
        streams: dict[str, StreamConfiguration] = {}
        issues: list[Issue] = []
        for namespace in self._namespaces:
            listed = await self._cluster.list(kinds.IMAGE_STREAM, namespace=namespace)
            known = {
                stream.metadata.name: stream
                for stream in (parse_image_stream(each, path=namespace) for each in listed.items)
            }
            for name, stream in sorted(known.items()):
                text = (stream.metadata.annotations or {}).get(ANNOTATION, "")
                if not text:
                    continue
                place = f"{namespace}/{name}"
                found, told = self._read(text, place, known)
                issues += told
                if found is None:
                    continue
                if found.name in streams:
                    issues.append(
                        codes.DUPLICATE_RELEASE_STREAM.issue(
                            f"{found.name} is configured already", component=found.name, file=place
                        )
                    )
                else:
                    streams[found.name] = found
        changed = streams != self._streams
        self._streams, self.issues = streams, tuple(issues)
        return changed

    def note_change(self, namespace: str, name: str) -> None:
        """Let ``follow`` refresh soon: an image stream of the cluster changed."""
        del name
        if namespace in self._namespaces:
            self._changed.set()

    async def follow(self, clock: Clock, *, seconds: float = REFRESH_SECONDS) -> None:
        """Refresh every so many seconds, and after changes, for ever.

        A cluster that is away is asked again. Of many changes one after the other each is seen,
        and few make the cluster list.
        """
        while True:
            await self._wait(clock, seconds)
            self._changed.clear()
            try:
                await self.refresh()
            except (ClusterError, InvalidDocument) as error:
                _log.warning("streams of the cluster: %s", error.message)
            await clock.wait(_LEAST_SECONDS)

    async def _wait(self, clock: Clock, seconds: float) -> None:
        """Return after ``seconds``, or when something changed."""
        ways = [
            asyncio.create_task(clock.wait(seconds)),
            asyncio.create_task(self._changed.wait()),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()

    def _read(
        self, text: str, place: str, known: Mapping[str, RawImageStream]
    ) -> tuple[StreamConfiguration | None, list[Issue]]:
        """The stream in an annotation, in its place; as it was before where it is broken."""
        before = next(
            (each for each in self._streams.values() if each.input.image_stream == place), None
        )
        try:
            read, told = read_annotation(text, path=place)
        except InvalidDocument as error:
            broken = codes.INVALID_STREAM_CONFIGURATION.issue(
                error.detail, file=place, line=error.line, hint=error.hint
            )
            return before, [broken]
        found = put_in_place(read, place, known)
        if found is None:
            missing = codes.UNUSABLE_STREAM.issue(
                f"{read.name} goes to {read.target}, which has no repository that can be pushed to",
                component=read.name,
                file=place,
            )
            return before, [*told, missing]
        wrong = check_stream(found, file=place)
        usable = not any(issue.blocks for issue in wrong)
        return found if usable else before, [*told, *wrong]


def put_in_place(
    stream: StreamConfiguration, place: str, known: Mapping[str, RawImageStream]
) -> StreamConfiguration | None:
    """``stream``, which the image stream ``place`` configures, with the places that it means.

    ``known`` are the image streams of the namespace. None where there is no repository.
    """
    name = place.rpartition("/")[2]
    target = name if stream.kind is StreamKind.STABLE else stream.target
    status = known[target].status if target in known else None
    if status is None:
        return None
    inside = status.docker_image_repository
    outside = status.public_docker_image_repository or inside
    if not outside:
        return None
    return msgspec.structs.replace(
        stream,
        message=_message(stream, known[name].metadata.annotations or {}),
        input=Input(image_stream=place),
        target=target,
        releases=outside,
        releases_name=outside,
        content=outside + _CONTENT_SUFFIX,
        content_name=outside + _CONTENT_SUFFIX,
    )


def _message(stream: StreamConfiguration, annotations: Mapping[str, str]) -> str:
    """What stands above the releases of ``stream``, a paragraph for each who says something."""
    said = (annotations.get(_PREFIX, ""), annotations.get(_OVERRIDE, "") or stream.message)
    return "\n\n".join(text for text in said if text)


def combine(first: Configurations, *others: Configurations) -> Configurations:
    """All streams of several sources; of two with one name, the one that comes first counts.

    One that does not say where its images are, as OpenShift's files, is where the next one is.
    """

    def combined() -> Mapping[str, StreamConfiguration]:
        found: dict[str, StreamConfiguration] = {}
        for source in (first, *others):
            for name, stream in source().items():
                before = found.setdefault(name, stream)
                if before.is_placeless:
                    found[name] = _put_where(before, stream)
        return found

    return combined


def _put_where(stream: StreamConfiguration, other: StreamConfiguration) -> StreamConfiguration:
    """``stream`` with the places of ``other``."""
    return msgspec.structs.replace(
        stream,
        input=other.input,
        target=other.target,
        releases=other.releases,
        releases_name=other.releases_name,
        content=other.content,
        content_name=other.content_name,
    )
