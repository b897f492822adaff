# SPDX-License-Identifier: Apache-2.0
"""Catalogs in folders: what writing one would change, and writing it.

A new folder appears whole or not at all. In a folder that is there, each file is replaced whole;
files of components are edited, so that what people wrote into them besides stays, and so is the
part of the stream file that says where sources are. Everything else in the stream file belongs to
people, and files that the import does not know are left alone and named.
"""

from __future__ import annotations

import contextlib
import enum
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from okd_payload.catalog.load import STREAM_FILE
from okd_payload.catalog.writing.catalog_files import CatalogFiles
from okd_payload.catalog.writing.component_text import COMPONENTS
from okd_payload.catalog.writing.edit import differences, edit_yaml, read_mapping
from okd_payload.catalog.writing.model import CatalogFile
from okd_payload.errors import InvalidDocument, StorageError


class Change(enum.Enum):
    """What becomes of a file."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    LEFT = "left"
    """It is not of the import, so it stays as it is."""


class FileChange(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the folder, before and after."""

    path: str
    change: Change
    before: str = ""
    after: str = ""


def plan_writing(folder: Path, files: CatalogFiles) -> tuple[FileChange, ...]:
    """What writing ``files`` into ``folder`` would do, by path.

    Raises InvalidDocument for a file there that cannot be edited, StorageError.
    """
    changes = [_plan_file(folder, file, files) for file in files.all]
    known = {change.path for change in changes}
    changes += [
        FileChange(path=path, change=Change.LEFT)
        for path in _component_files(folder)
        if path not in known
    ]
    return tuple(sorted(changes, key=lambda change: change.path))


def carry_out(folder: Path, changes: tuple[FileChange, ...]) -> None:
    """Make ``changes`` in ``folder``, which appears whole where it is new. Raises StorageError."""
    wanted = [each for each in changes if each.change in (Change.NEW, Change.CHANGED)]
    with _storage(folder):
        if is_vacant(folder):
            _write_new(folder, wanted)
        else:
            for change in wanted:
                _write_file(folder / change.path, change.after)


def is_vacant(folder: Path) -> bool:
    """Whether there is nothing at ``folder``, or an empty folder. Raises StorageError."""
    with _storage(folder):
        return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _plan_file(folder: Path, file: CatalogFile, files: CatalogFiles) -> FileChange:
    before = _read(folder / file.path)
    if before is None:
        return FileChange(path=file.path, change=Change.NEW, after=file.text)
    path = str(folder / file.path)
    old = read_mapping(before, path)
    is_stream = file is files.stream
    new = _merge_stream(old, file.value, files, folder) if is_stream else file.value
    edits = differences(old, new)
    after = edit_yaml(before, edits, path=path) if edits else before
    change = Change.SAME if after == before else Change.CHANGED
    return FileChange(path=file.path, change=change, before=before, after=after)


def _merge_stream(
    old: dict[str, object], new: dict[str, object], files: CatalogFiles, folder: Path
) -> dict[str, object]:
    """The stream file that is there, with what the import knows better.

    That is where sources are, and imports that it lacks. A stub gives way to the component that
    it stood in for, and none is added for a component that is there already.
    """
    built = {Path(file.path).stem: file.value.get("tag") for file in files.components}
    tags = {tag or name for name, tag in built.items()}
    there = {Path(path).stem for path in _component_files(folder)}
    known = old.get("imports")
    imports = {
        name: entry
        for name, entry in (known.items() if isinstance(known, dict) else ())
        if not (name in tags and isinstance(entry, dict) and entry.get("stub"))
    }
    added = new.get("imports")
    for name, entry in added.items() if isinstance(added, dict) else ():
        if name not in there:
            imports.setdefault(name, entry)
    merged = {**old, "git": new.get("git"), "imports": imports}
    return {key: value for key, value in merged.items() if value}


def _component_files(folder: Path) -> list[str]:
    components = folder / COMPONENTS
    with _storage(components):
        if not components.is_dir():
            return []
        return sorted(
            f"{COMPONENTS}/{path.name}"
            for path in components.iterdir()
            if path.suffix in (".yaml", ".yml")
        )


def _read(path: Path) -> str | None:
    with _storage(path):
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise InvalidDocument("not UTF-8", path=str(path), hint="save it as UTF-8") from error


def _write_new(folder: Path, files: list[FileChange]) -> None:
    """Write ``files`` beside ``folder`` and give the folder its name at the end."""
    folder = folder.absolute()
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    try:
        (beside / COMPONENTS).mkdir(parents=True)
        for file in files:
            (beside / file.path).write_text(file.after, encoding="utf-8")
        beside.rename(folder)  # an empty folder that is there gives way
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _write_file(path: Path, text: str) -> None:
    """Replace the file at ``path`` whole, with the permissions that it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(path, beside)
        beside.replace(path.resolve())
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot use {error.filename or path}: {error.strerror or error}",
            hint=f"a catalog is a folder with {STREAM_FILE} and {COMPONENTS}/",
        ) from error
