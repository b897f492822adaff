# SPDX-License-Identifier: Apache-2.0
"""The periodic jobs of a Prow configuration, found by name.

Such a configuration has tens of thousands of jobs in hundreds of megabytes. So its files are
searched for names as text, and again only when one of them has changed, however often a job is
asked for that is nowhere. Only the file that a job stands in is read as YAML. What Prow itself adds
to jobs when it reads them stands in its ``config.yaml``, which may lie in the same folder.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import msgspec

from okd_payload.documents import convert, read_documents
from okd_payload.documents.reading import Document
from okd_payload.errors import InputError, UnknownName

_NAME_LINE = re.compile(rb"^[ \t-]*name: [\"']?([A-Za-z0-9._-]+)[\"']?[ \t]*$", re.MULTILINE)
_CONFIGURATIONS = ("config.yaml", "_config.yaml")
_MAX_FILE = 64 * 1024 * 1024


class PeriodicJob(msgspec.Struct, frozen=True, kw_only=True):
    """One periodic job; what stands deeper belongs to Kubernetes and Prow, and stays as it is."""

    name: str
    agent: str = "kubernetes"
    cluster: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    spec: dict[str, Any] = {}
    extra_refs: tuple[dict[str, Any], ...] = ()
    decorate: bool = False
    decoration_config: dict[str, Any] = {}
    reporter_config: dict[str, Any] = {}
    rerun_auth_config: dict[str, Any] = {}
    prowjob_defaults: dict[str, Any] = {}
    max_concurrency: int = 0
    hidden: bool = False
    error_on_eviction: bool = False
    job_queue_name: str = ""


class _Jobs(msgspec.Struct, frozen=True):
    periodics: tuple[PeriodicJob, ...] | None = None


class _DecorationEntry(msgspec.Struct, frozen=True):
    cluster: str = ""
    repo: str = ""
    config: dict[str, Any] = {}

    @property
    def is_for_all(self) -> bool:
        """Whether it holds for every job."""
        return self.cluster in ("", "*") and self.repo in ("", "*")


class _Plank(msgspec.Struct, frozen=True):
    default_decoration_config_entries: tuple[_DecorationEntry, ...] = ()
    default_decoration_configs: dict[str, dict[str, Any]] = {}


class _Configuration(msgspec.Struct, frozen=True):
    pod_namespace: str = "default"
    plank: _Plank = _Plank()


class JobDefinitions:
    """The jobs below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._searched: list[tuple[Path, int, int]] = []
        """The files that were searched, with their times and sizes."""
        self._places: dict[str, Path] = {}
        self._read: dict[Path, tuple[int, dict[str, PeriodicJob]]] = {}

    def find(self, name: str) -> PeriodicJob:
        """The job called ``name``, with what Prow's configuration adds to it.

        Raises UnknownName, InvalidDocument and InputError. Reads files: call it in a thread. Of
        several that call it one reads, and the others wait.
        """
        with self._lock:
            return self._find(name)

    def _find(self, name: str) -> PeriodicJob:
        job = self._look(name)
        if job is None:
            self._search()
            job = self._look(name)
        if job is None:
            raise UnknownName(
                "Prow job", name, known=self._places, hint=f"no periodic job in {self._folder}"
            )
        return self._complete(job)

    def _look(self, name: str) -> PeriodicJob | None:
        path = self._places.get(name)
        return self._jobs_of(path).get(name) if path is not None else None

    def _jobs_of(self, path: Path) -> dict[str, PeriodicJob]:
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return {}
        known = self._read.get(path)
        if known is None or known[0] != changed:
            jobs = [
                job
                for document in read_documents(path)
                for job in convert(document, _Jobs).periodics or ()
            ]
            known = self._read[path] = changed, {job.name: job for job in jobs}
        return known[1]

    def _search(self) -> None:
        """Note in which file each name stands: those with periodic jobs come to win."""
        if not self._folder.is_dir():
            raise InputError(
                f"there is no folder {self._folder} with jobs of Prow",
                hint="name the folder of the job configuration when the controller is started",
            )
        files = [
            (path, status.st_mtime_ns, status.st_size)
            for path in sorted(self._folder.rglob("*.yaml"))
            if path.is_file() and (status := path.stat()).st_size <= _MAX_FILE
        ]
        if files == self._searched:
            return
        found: dict[str, Path] = {}
        for path, _, _ in files:
            content = path.read_bytes()
            if b"periodics:" in content:
                found |= {name.decode(): path for name in _NAME_LINE.findall(content)}
        self._places, self._searched = found, files

    def _complete(self, job: PeriodicJob) -> PeriodicJob:
        configuration = self._configuration()
        decoration: dict[str, Any] = {}
        if job.decorate:
            plank = configuration.plank
            decoration |= plank.default_decoration_configs.get("*", {})
            for entry in plank.default_decoration_config_entries:
                if entry.is_for_all:
                    decoration |= entry.config
        return msgspec.structs.replace(
            job,
            namespace=job.namespace or configuration.pod_namespace,
            decoration_config=decoration | job.decoration_config,
        )

    def _configuration(self) -> _Configuration:
        for name in _CONFIGURATIONS:
            path = self._folder / name
            if path.is_file():
                documents: list[Document] = read_documents(path)
                return convert(documents[0], _Configuration) if documents else _Configuration()
        return _Configuration()
