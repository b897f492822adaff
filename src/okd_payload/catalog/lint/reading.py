# SPDX-License-Identifier: Apache-2.0
"""From files and folders to what is checked.

Everything below a folder is read, whatever it is: BuildConfigs, ImageStreams, kustomizations,
Tekton objects, configurations of OpenShift CI. What is none of these is passed over, because a
repository holds other things too; what cannot be read at all is an issue. A file with a stream,
or a folder with ``stream.yaml`` in it, is the catalog that it names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from okd_payload.catalog.ci_operator.reading import read_configuration
from okd_payload.catalog.lint.files import Files, files_below
from okd_payload.catalog.lint.kustomizations import follow_kustomizations, json_operations
from okd_payload.catalog.lint.streams import read_stream
from okd_payload.catalog.lint.subject import ReadConfiguration, Subject
from okd_payload.catalog.lint.tekton import (
    GROUP,
    Pipeline,
    Run,
    Task,
    read_pipeline,
    read_runs,
    read_task,
)
from okd_payload.catalog.lint.views import ReadViews, read_folders
from okd_payload.catalog.load import STREAM_FILE
from okd_payload.catalog.sources import issue_of
from okd_payload.documents import Document
from okd_payload.errors import InputError, InvalidDocument
from okd_payload.issues import Issue

_CI_FIELDS = frozenset({"zz_generated_metadata", "build_root", "tag_specification", "promotion"})


def read_subject(paths: Sequence[Path], *, dockerfiles: Mapping[str, bytes] = {}) -> Subject:
    """All that is at ``paths``, with the Dockerfiles of components that somebody has read.

    Raises InputError when a path is not there or has nothing to check, InvalidDocument for a
    stream file that is wrong in itself.
    """
    files = Files()
    streams = []
    folders = []
    for path in paths:
        if not path.exists():
            raise InputError(f"there is no {path}", hint="name a stream file, or folders")
        if _is_stream(path, files):
            streams.append(read_stream(path, files))
        else:
            folders.append(path)
    for path in folders:
        found = files_below(path)
        if not found:
            raise InputError(
                f"{path} has no files that end in .yaml or .yml",
                hint="name a stream file, or a folder with definitions",
            )
        for file in found:
            files.read(file)
    return _assemble(files, folders, streams, dockerfiles)


def _is_stream(path: Path, files: Files) -> bool:
    """Whether ``path`` is a folder with a stream file, or one itself."""
    if path.is_dir():
        return (path / STREAM_FILE).is_file()
    documents = files.read(path)
    value = documents[0].value if len(documents) == 1 else None
    return isinstance(value, dict) and "kind" not in value and {"name", "catalog"} <= value.keys()


def _assemble(
    files: Files,
    folders: Sequence[Path],
    streams: Sequence[ReadViews],
    dockerfiles: Mapping[str, bytes],
) -> Subject:
    kustomizations = follow_kustomizations(files)
    views = [read_folders(files, folders, kustomizations), *streams] if folders else [*streams]
    documents = files.documents
    written = kustomizations.documents.values()
    operations = tuple(tuple(patch) for each in written for patch in json_operations(each, files))
    issues = [issue for view in views for issue in view.issues]
    unreadable = {(issue.file, issue.line) for issue in files.issues}
    issues = [issue for issue in issues if (issue.file, issue.line) not in unreadable]
    tekton = _Tekton(documents, issues)
    configurations = tuple(_configurations(documents, issues))
    return Subject(
        documents=documents,
        views=tuple(each for view in views for each in view.views),
        definitions=tuple(each for view in views for each in view.definitions),
        operations=operations,
        tasks=tuple(tekton.tasks),
        pipelines=tuple(tekton.pipelines),
        runs=tuple(tekton.runs),
        configurations=configurations,
        dockerfiles=dockerfiles,
        issues=tuple(dict.fromkeys([*files.issues, *issues])),
    )


class _Tekton:
    """The Tekton objects among ``documents``; what is wrong with one is added to ``issues``."""

    def __init__(self, documents: Iterable[Document], issues: list[Issue]) -> None:
        self.tasks: list[Task] = []
        self.pipelines: list[Pipeline] = []
        self.runs: list[Run] = []
        for document in documents:
            try:
                self._add(document)
            except InvalidDocument as error:
                issues.append(issue_of(error))

    def _add(self, document: Document) -> None:
        value = document.value
        if not isinstance(value, dict) or GROUP not in str(value.get("apiVersion")):
            return
        match value.get("kind"):
            case "Task" | "ClusterTask":
                self.tasks.append(read_task(document))
            case "Pipeline":
                self.pipelines.append(read_pipeline(document))
            case "PipelineRun" | "TriggerTemplate":
                self.runs += read_runs(document)


def _configurations(
    documents: Iterable[Document], issues: list[Issue]
) -> Iterator[ReadConfiguration]:
    for document in documents:
        if not _is_configuration(document.value):
            continue
        try:
            read = read_configuration(document)
        except InvalidDocument as error:
            issues.append(issue_of(error))
            continue
        issues += read.issues
        yield ReadConfiguration(read.configuration, document)


def _is_configuration(value: Any) -> bool:
    return isinstance(value, dict) and "kind" not in value and bool(_CI_FIELDS & value.keys())
