# SPDX-License-Identifier: Apache-2.0
"""A folder of configured streams: files of ours (``*.yaml``) and OpenShift's (``*.json``).

It is read anew when a file changed, whole: what is wrong in one file leaves that stream as it
was before, and everything wrong stands in ``issues`` and in the log. Hidden files are those of
editors and clusters, and a folder that is gone changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from okd_payload.controller.configuration import codes
from okd_payload.controller.configuration.checks import check_stream, check_together
from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.configuration.openshift import read_openshift
from okd_payload.controller.configuration.written import ReleaseStreamFile
from okd_payload.documents import Document, convert, invalid_field, parse_documents, read_documents
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.issues import Issue

_log = logging.getLogger(__name__)

_SUFFIXES = (".yaml", ".yml", ".json")


class LoadedStreams(msgspec.Struct, frozen=True, kw_only=True):
    """The streams of a folder, by name, and what is wrong there."""

    streams: dict[str, StreamConfiguration]
    files: dict[str, str] = {}
    """Where each of them is configured."""
    issues: tuple[Issue, ...] = ()


def load_streams(folder: Path) -> LoadedStreams:
    """Every stream of the files in ``folder`` that can be acted on.

    Raises InputError when there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}", hint="name the folder with your release streams"
        )
    streams: dict[str, StreamConfiguration] = {}
    files: dict[str, str] = {}
    issues: list[Issue] = []
    for path in sorted(_files_of(folder)):
        try:
            found = [read_stream(document) for document in read_documents(path)]
        except InvalidDocument as error:
            issues.append(
                codes.INVALID_STREAM_CONFIGURATION.issue(
                    error.detail, file=str(path), line=error.line, hint=error.hint
                )
            )
            continue
        for stream, told in found:
            wrong = check_stream(stream, file=str(path))
            issues += [*told, *wrong]
            if stream.name in streams:
                issues.append(
                    codes.DUPLICATE_RELEASE_STREAM.issue(
                        f"{stream.name} is configured already",
                        component=stream.name,
                        file=str(path),
                    )
                )
            elif not any(issue.blocks for issue in wrong):
                streams[stream.name] = stream
                files[stream.name] = str(path)
    return LoadedStreams(streams=streams, files=files, issues=(*issues, *check_together(streams)))


def read_stream(document: Document) -> tuple[StreamConfiguration, tuple[Issue, ...]]:
    """The stream in ``document``, of whichever form. Raises InvalidDocument."""
    if not isinstance(document.value, dict):
        raise invalid_field(document, (), "a release stream is a mapping of fields")
    if "apiVersion" in document.value:
        return convert(document, ReleaseStreamFile).to_configuration(), ()
    return read_openshift(document)


def read_annotation(text: str, *, path: str) -> tuple[StreamConfiguration, tuple[Issue, ...]]:
    """The stream in the annotation ``release.openshift.io/config``. Raises InvalidDocument."""
    documents = parse_documents(text.encode(), path=path)
    if len(documents) != 1:
        raise InvalidDocument("the annotation holds no configuration", path=path)
    return read_openshift(documents[0])


class StreamFolder:
    """The streams of a folder as they are now, read again only when something changed."""

    def __init__(self, folder: Path) -> None:
        """Raises InputError when there is no such folder."""
        self._folder = folder
        self._state = self._look()
        self._loaded = load_streams(folder)
        _tell(self.issues)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What is wrong in the folder as it was seen last."""
        return self._loaded.issues

    def __call__(self) -> Mapping[str, StreamConfiguration]:
        """The streams by name; one whose file broke is as it was before."""
        state = self._look()
        if state != self._state:
            self._state = state
            self._loaded = self._load()
            _tell(self.issues)
        return self._loaded.streams

    def _load(self) -> LoadedStreams:
        try:
            return _carry_on(self._loaded, load_streams(self._folder))
        except (InputError, OSError) as error:
            told = error.message if isinstance(error, InputError) else str(error)
            gone = codes.INVALID_STREAM_CONFIGURATION.issue(told, file=str(self._folder))
            return msgspec.structs.replace(self._loaded, issues=(gone,))

    def _look(self) -> tuple[tuple[str, int, int], ...] | None:
        """What tells whether a file changed: names, moments and sizes; None without a folder."""
        found = []
        try:
            for path in _files_of(self._folder):
                with contextlib.suppress(FileNotFoundError):  # it went just now, or leads nowhere
                    stat = path.stat()
                    found.append((path.name, stat.st_mtime_ns, stat.st_size))
        except OSError:
            return None
        return tuple(sorted(found))


def _files_of(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix in _SUFFIXES and not path.name.startswith("."):
            yield path


def _tell(issues: Iterable[Issue]) -> None:
    for issue in issues:
        level = logging.WARNING if issue.blocks else logging.INFO
        place = f"{issue.file}, line {issue.line}" if issue.line else issue.file
        _log.log(level, "%s: %s", place, issue.message)


def _carry_on(before: LoadedStreams, now: LoadedStreams) -> LoadedStreams:
    broken = {issue.file for issue in now.issues if issue.blocks}
    kept = [
        name
        for name, file in before.files.items()
        if name in before.streams and name not in now.streams and file in broken
    ]
    return LoadedStreams(
        streams=now.streams | {name: before.streams[name] for name in kept},
        files=now.files | {name: before.files[name] for name in kept},
        issues=now.issues,
    )
