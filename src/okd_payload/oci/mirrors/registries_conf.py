# SPDX-License-Identifier: Apache-2.0
"""``registries.conf`` of podman, skopeo and buildah, as containers-registries.conf(5) describes it.

Read are the ``[[registry]]`` tables: prefix, location, insecure, blocked and mirrors. Short
names are not resolved here, and so search lists and aliases mean nothing. Entries about a single
tag or digest are left out: places are chosen for whole repositories.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from okd_payload.errors import InvalidDocument, InvalidReference
from okd_payload.oci.mirrors.rules import (
    Mirror,
    MirrorRule,
    MirrorRules,
    Pulls,
    check_location,
    check_prefix,
)
from okd_payload.oci.reference import parse_reference

_FILE = "registries.conf"
_FOLDER = "registries.conf.d"
_SYSTEM = Path("/etc/containers")
_HINT = "see containers-registries.conf(5)"


class _MirrorTable(msgspec.Struct, frozen=True, rename="kebab"):
    location: str
    insecure: bool = False
    pull_from_mirror: Pulls | None = None


class _RegistryTable(msgspec.Struct, frozen=True, rename="kebab"):
    prefix: str = ""
    location: str = ""
    insecure: bool = False
    blocked: bool = False
    mirror_by_digest_only: bool = False
    mirror: tuple[_MirrorTable, ...] = ()


class _OldList(msgspec.Struct, frozen=True):
    registries: tuple[str, ...] = ()


class _OldTables(msgspec.Struct, frozen=True):
    """The first version of the format, in which registries were lists of hosts."""

    insecure: _OldList = _OldList()
    block: _OldList = _OldList()


class _File(msgspec.Struct, frozen=True):
    registry: tuple[_RegistryTable, ...] = ()
    registries: _OldTables = _OldTables()


def standard_files() -> list[Path]:
    """The files of this machine, later ones beating earlier ones.

    With ``CONTAINERS_REGISTRIES_CONF`` set it is that file alone. Otherwise the user's own file
    stands instead of the system's, and drop-in files of both are read.
    """
    chosen = os.environ.get("CONTAINERS_REGISTRIES_CONF")
    if chosen:
        return [Path(chosen)]
    own = _own_folder()
    main = next((path for path in (own / _FILE, _SYSTEM / _FILE) if path.is_file()), None)
    files = [] if main is None else [main]
    for folder in (_SYSTEM / _FOLDER, own / _FOLDER):
        with contextlib.suppress(OSError):  # an absent folder, or one that is not ours to read
            files += sorted(path for path in folder.iterdir() if path.suffix == ".conf")
    return files


def read_registries_conf(paths: Iterable[Path]) -> MirrorRules:
    """The rules in ``paths``; a later file replaces what an earlier one says about a prefix.

    Raises InvalidDocument.
    """
    rules: dict[str, tuple[MirrorRule, frozenset[str]]] = {}
    for path in paths:
        for table in _tables(_read(path)):
            try:
                found = _make_rule(table, str(path))
            except InvalidReference as error:
                raise InvalidDocument(error.message, path=str(path), hint=error.hint) from error
            if found is not None:
                rules[found[0].prefix] = found
    lenient: set[str] = set()
    return MirrorRules(
        rules=tuple(rule for rule, _ in rules.values()),
        lenient_hosts=frozenset(lenient.union(*(hosts for _, hosts in rules.values()))),
    )


def _own_folder() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME")
    return (Path(configured) if configured else Path.home() / ".config") / "containers"


def _read(path: Path) -> _File:
    import tomllib

    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise InvalidDocument(
            error.strerror or str(error), path=str(path), hint="check the path, and who may read it"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidDocument(f"not valid TOML: {error}", path=str(path), hint=_HINT) from error
    except msgspec.ValidationError as error:
        raise InvalidDocument(str(error), path=str(path), hint=_HINT) from error


def _tables(file: _File) -> list[_RegistryTable]:
    old = [
        _RegistryTable(location=host, insecure=True) for host in file.registries.insecure.registries
    ]
    old += [
        _RegistryTable(location=host, blocked=True) for host in file.registries.block.registries
    ]
    return [*old, *file.registry]


def _make_rule(table: _RegistryTable, path: str) -> tuple[MirrorRule, frozenset[str]] | None:
    """The rule of ``table`` and the hosts it calls insecure; None when it is about one image."""
    prefix = table.prefix or table.location
    if not prefix:
        raise InvalidDocument(
            "a [[registry]] has neither prefix nor location", path=path, hint=_HINT
        )
    if _is_one_image(prefix):
        return None
    location = check_location(table.location) if table.location and table.prefix else ""
    rule = MirrorRule(
        prefix=check_prefix(prefix),
        location="" if location == prefix else location,
        mirrors=tuple(_make_mirror(table, mirror, path) for mirror in table.mirror),
        blocked=table.blocked,
    )
    lenient = {mirror.location for mirror in table.mirror if mirror.insecure}
    if table.insecure:
        lenient.add(location or prefix)
    return rule, frozenset(place.partition("/")[0] for place in lenient)


def _make_mirror(table: _RegistryTable, mirror: _MirrorTable, path: str) -> Mirror:
    if mirror.pull_from_mirror is not None and table.mirror_by_digest_only:
        raise InvalidDocument(
            f"the mirror {mirror.location} has pull-from-mirror, and its registry"
            " mirror-by-digest-only",
            path=path,
            hint="keep one of them",
        )
    default = Pulls.BY_DIGEST if table.mirror_by_digest_only else Pulls.ALL
    return Mirror(check_location(mirror.location), mirror.pull_from_mirror or default)


def _is_one_image(prefix: str) -> bool:
    """Whether ``prefix`` names a tag or digest of a repository."""
    try:
        reference = parse_reference(prefix)
    except InvalidReference:
        return False
    return "/" in prefix and bool(reference.tag or reference.digest)
