# SPDX-License-Identifier: Apache-2.0
"""Another source for one component, as people write it on a command line.

``NAME=PATH``, ``NAME=URL``, ``NAME=URL@REF``. What has ``://``, or a colon before the first
slash as in ``git@github.com:org/repo``, is a URL; everything else is a path, so ``=`` and ``@``
need no escaping in paths. A ref is what follows the last ``@`` of a URL's path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource, GitSource, Source
from okd_payload.source.references import check_ref
from okd_payload.source.remote import parse_remote, redacted

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_WITH_SCHEME = re.compile(r"(?P<place>[A-Za-z][A-Za-z0-9+.-]*:(?:[a-z]+:)?//[^/]*)(?P<path>.*)")
_SCP_LIKE = re.compile(r"(?P<place>(?:[^@/:]+@)?[^@/:]+:)(?P<path>.+)")
_HINT = "write NAME=FOLDER, NAME=URL or NAME=URL@REF, as in etcd=./etcd"


def parse_overrides(texts: Iterable[str], *, directory: Path) -> dict[str, Source]:
    """Component names and their sources; paths are relative to ``directory``.

    Raises InputError for the first that is wrong, and when a name is given twice.
    """
    found: dict[str, Source] = {}
    for text in texts:
        name, source = parse_override(text, directory=directory)
        if name in found:
            raise InputError(
                f"component {name} is given twice: {found[name]} and {source}",
                hint="give each component once",
            )
        found[name] = source
    return found


def parse_override(text: str, *, directory: Path) -> tuple[str, Source]:
    """The component and the source that ``text`` names. Raises InputError."""
    name, separator, value = text.partition("=")
    if not separator or not value or not _NAME.fullmatch(name):
        raise InputError(f"{redacted(text)!r} does not name a component and a source", hint=_HINT)
    matched = _WITH_SCHEME.fullmatch(value) or _SCP_LIKE.fullmatch(value)
    if matched:
        return name, _git_source(matched["place"], matched["path"])
    return name, _folder_source(name, value, directory)


def _git_source(place: str, path: str) -> GitSource:
    repository, separator, ref = path.rpartition("@")
    url = place + (repository if separator else path)
    parse_remote(url)
    return GitSource(url=url, ref=check_ref(ref) if separator else "")


def _folder_source(name: str, value: str, directory: Path) -> FolderSource:
    try:
        path = directory / Path(value).expanduser()
        if path.is_dir():
            return FolderSource(path=str(path.resolve()))
        what = f"is not a folder: {path}" if path.exists() else f"does not exist: {path}"
    except (OSError, RuntimeError, ValueError) as error:  # too long, not ours, ~nobody, NUL
        what = f"cannot be read: {error}"
    raise InputError(f"the source of {name} {what}", hint=_HINT)
