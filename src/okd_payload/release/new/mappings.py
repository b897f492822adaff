# SPDX-License-Identifier: Apache-2.0
"""``NAME=PULLSPEC`` as people write it: as arguments, and in files.

A file has one or more on a line, with single blanks between them; ``#`` begins a comment.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from okd_payload.documents.files import read_file
from okd_payload.errors import InputError, InvalidDocument

_RULE = "all arguments must be valid SRC=DST mappings"
_HINT = "write NAME=PULLSPEC, as in etcd=quay.io/me/etcd:latest"


def parse_mappings(arguments: Iterable[str]) -> dict[str, str]:
    """``arguments`` as pull specs by name. Raises InputError, also for a name given twice."""
    found: dict[str, str] = {}
    for argument in arguments:
        _add(found, argument)
    return found


def read_mapping_files(paths: Iterable[Path]) -> dict[str, str]:
    """The mappings of all files. Raises InputError and InvalidDocument."""
    found: dict[str, str] = {}
    for path in paths:
        for number, line in enumerate(_read_lines(path), 1):
            text = line.partition("#")[0].strip()
            for argument in text.split(" ") if text else ():
                _add(found, argument, place=f"file {path}, line {number}: ")
    return found


def _add(found: dict[str, str], argument: str, *, place: str = "") -> None:
    name, _, pull_spec = argument.partition("=")
    if not name or not pull_spec:
        raise InputError(f"{place}{_RULE}: {argument!r} is none", hint=_HINT)
    if name in found:
        raise InputError(f"{place}{name} is mapped twice", hint="each name may be given once")
    found[name] = pull_spec


def _read_lines(path: Path) -> list[str]:
    try:
        return read_file(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise InvalidDocument("not UTF-8 text", path=str(path), hint=_HINT) from error
