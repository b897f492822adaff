# SPDX-License-Identifier: Apache-2.0
"""Catalogs in folders: whole or not at all, and what people wrote stays."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.definition import Definition, Import, PulledImage
from okd_payload.catalog.load import load_catalog, load_stream
from okd_payload.catalog.writing.catalog_files import CatalogFiles, write_catalog
from okd_payload.catalog.writing.folder import (
    Change,
    FileChange,
    carry_out,
    is_vacant,
    plan_writing,
)
from okd_payload.catalog.writing.model import ImportedCatalog
from okd_payload.errors import InvalidDocument, StorageError
from okd_payload.source.model import GitSource


def files(
    refs: dict[str, str], *, stubs: tuple[str, ...] = (), existing: Path | None = None
) -> CatalogFiles:
    """A catalog of components with the ``refs``."""
    definitions = tuple(
        Definition(
            Component(
                name=name,
                tag=name,
                origin=Origin(""),
                source=GitSource(url=f"https://git.example.com/{name}", ref=ref),
            )
        )
        for name, ref in refs.items()
    )
    imports = tuple(
        Import(name=name, content=PulledImage("quay.test/a:1"), origin=Origin(""), stub="not read")
        for name in stubs
    )
    imported = ImportedCatalog(
        stream="demo", came_from=("Imported.",), definitions=definitions, imports=imports
    )
    return write_catalog(imported, existing=load_stream(existing) if existing else None)


def write(folder: Path, wanted: CatalogFiles) -> dict[str, str]:
    """Write, and what became of each file."""
    changes = plan_writing(folder, wanted)
    carry_out(folder, changes)
    return {change.path: change.change.value for change in changes}


def test_a_new_folder_appears_whole(tmp_path: Path) -> None:
    """Neither it nor anything beside it is there when writing fails half way."""
    folder = tmp_path / "deep" / "new"
    (tmp_path / "deep" / ".new.new").mkdir(parents=True)  # of a run that was killed
    assert is_vacant(folder)
    assert write(folder, files({"a": "main"})) == {"components/a.yaml": "new", "stream.yaml": "new"}
    assert [path.name for path in folder.parent.iterdir()] == ["new"]
    assert not is_vacant(folder)
    assert load_catalog(folder).component("a").source.ref == "main"

    changes = plan_writing(tmp_path / "other", files({"a": "main", "b": "main"}))
    broken = tuple(
        change if change.path != "components/b.yaml" else replace_path(change) for change in changes
    )
    with pytest.raises(StorageError):
        carry_out(tmp_path / "other", broken)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def replace_path(change: FileChange) -> FileChange:
    """``change``, for a file in a folder that nobody makes."""
    return msgspec.structs.replace(change, path="nowhere/b.yaml")


def test_an_empty_folder_is_as_good_as_none(tmp_path: Path) -> None:
    """People make the folder first."""
    (tmp_path / "new").mkdir()
    assert is_vacant(tmp_path / "new")
    write(tmp_path / "new", files({"a": "main"}))
    assert [each.name for each in load_catalog(tmp_path / "new").components] == ["a"]


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    """The same import into the same folder is the same folder."""
    wanted = files({"a": "main", "b": "main", "c": "other"})
    write(tmp_path / "new", wanted)
    assert set(write(tmp_path / "new", wanted).values()) == {"same"}


def test_what_people_wrote_stays(tmp_path: Path) -> None:
    """Comments, other fields of the stream file and unknown components are not touched."""
    folder = tmp_path / "new"
    write(folder, files({"a": "main", "b": "main", "gone": "main"}))
    stream = folder / "stream.yaml"
    stream.write_text(
        "# mine\nname: own  # ours\ncatalog: [{components: components}]\n"
        "resources: {limits: {cpu: 2}}\ngit:\n  # the branch\n  branch: main  # of all\n"
    )
    component = folder / "components" / "a.yaml"
    component.write_text("# about a\n" + component.read_text())
    component.chmod(0o600)
    wanted = files({"a": "next", "b": "next", "c": "main"}, existing=folder)
    assert write(folder, wanted) == {
        "components/a.yaml": "same",
        "components/b.yaml": "same",
        "components/c.yaml": "new",
        "components/gone.yaml": "left",
        "stream.yaml": "changed",
    }
    assert component.read_text().startswith("# about a\n")
    assert stream.read_text() == (
        "# mine\nname: own  # ours\ncatalog: [{components: components}]\n"
        "resources: {limits: {cpu: 2}}\ngit:\n  # the branch\n  branch: next  # of all\n"
        "  exceptions:\n    c: main\n"
    )
    catalog = load_catalog(folder)
    assert [each.source.ref for each in catalog.components] == ["next", "next", "main", "next"]


def test_a_changed_component_is_edited(tmp_path: Path) -> None:
    """Only the field that differs is replaced, and the permissions stay."""
    folder = tmp_path / "new"
    write(folder, files({"a": "0" * 40}))
    component = folder / "components" / "a.yaml"
    component.write_text("# about a\n" + component.read_text().replace("source:", "source: # here"))
    component.chmod(0o640)
    before = component.read_text()
    assert write(folder, files({"a": "1" * 40}))["components/a.yaml"] == "changed"
    assert component.read_text() == before.replace("0" * 40, "1" * 40)
    assert component.stat().st_mode & 0o777 == 0o640


def test_stubs_give_way_and_never_take(tmp_path: Path) -> None:
    """A second run that reads more replaces stubs; one that reads less hides no component."""
    folder = tmp_path / "new"
    write(folder, files({"a": "main"}, stubs=("b", "c")))
    write(folder, files({"a": "main", "b": "main"}, stubs=("c",)))
    catalog = load_catalog(folder)
    assert [each.name for each in catalog.components] == ["a", "b"]
    assert [each.name for each in catalog.imports] == ["c"]
    write(folder, files({"a": "main"}, stubs=("b", "c", "d")))
    catalog = load_catalog(folder)
    assert [each.name for each in catalog.components] == ["a", "b"]
    assert [each.name for each in catalog.imports] == ["c", "d"]


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n---\nb: 1\n", "a: [\n"])
def test_a_file_that_is_no_definition_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing is written over what is not understood."""
    folder = tmp_path / "new"
    write(folder, files({"a": "main"}))
    (folder / "components" / "a.yaml").write_text(text)
    with pytest.raises(InvalidDocument):
        plan_writing(folder, files({"a": "main"}))
    (folder / "components" / "a.yaml").write_bytes(b"\xff")
    with pytest.raises(InvalidDocument, match="UTF-8"):
        plan_writing(folder, files({"a": "main"}))


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    """A path through a file is no folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        plan_writing(tmp_path / "file" / "new", files({"a": "main"}))
    assert not is_vacant(tmp_path / "file")


def test_changes_have_names() -> None:
    """Programs that read the plan of a writing know four words."""
    assert [change.value for change in Change] == ["new", "changed", "same", "left"]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    """A failed write is told, and its half is gone."""
    folder = tmp_path / "new"
    write(folder, files({"a": "0" * 40}))
    changes = plan_writing(folder, files({"a": "1" * 40}))
    component = folder / "components" / "a.yaml"
    component.unlink()
    component.mkdir()
    with pytest.raises(StorageError):
        carry_out(folder, changes)
    assert [path.name for path in component.parent.iterdir()] == ["a.yaml"]
