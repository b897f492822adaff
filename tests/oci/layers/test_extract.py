# SPDX-License-Identifier: Apache-2.0
"""Files of images on disk."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from okd_payload.errors import ContentError, StorageError, UnknownName, UnsafeEntry
from okd_payload.oci.layers.extract import extract_path


def tree_of(root: Path) -> dict[str, str]:
    """What is below ``root``: content of files, targets of links."""
    return {
        str(path.relative_to(root)): f"-> {path.readlink()}" if path.is_symlink() else text
        for path in sorted(root.rglob("*"))
        if (text := "/" if path.is_dir() and not path.is_symlink() else _read(path)) is not None
    }


def _read(path: Path) -> str:
    return "" if path.is_symlink() else path.read_text()


def names_in(folder: Path) -> list[str]:
    """The names in ``folder``, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def special(kind: bytes, **fields: Any) -> tarfile.TarInfo:
    """A member that is neither file nor folder."""
    info = tarfile.TarInfo()
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/opt/app/tool", {"tool": "tool"}),
        ("opt/app/tool", {"tool": "tool"}),
        ("/opt/app", {"app": "/", "app/sub": "/", "app/sub/x": "x", "app/tool": "tool"}),
        ("/opt/app/", {"app": "/", "app/sub": "/", "app/sub/x": "x", "app/tool": "tool"}),
        ("/opt/app/.", {"sub": "/", "sub/x": "x", "tool": "tool"}),
        ("/opt/app/tool/.", {"tool": "tool"}),
        ("/opt/app/sub/..", {"app": "/", "app/sub": "/", "app/sub/x": "x", "app/tool": "tool"}),
    ],
)
async def test_files_and_folders_are_taken(
    image: Callable[..., Any], tmp_path: Path, source: str, expected: dict[str, str]
) -> None:
    """A file or folder lands under its name; a final dot means the content of the folder."""
    repository, layers = await image(
        {"opt/app/tool": "old", "opt/app/sub/x": "x", "opt/app/sub/y": "y", "opt/other": "no"},
        {"opt/app/tool": "tool", "opt/app/sub/.wh.y": ""},
    )
    await extract_path(repository.blobs, layers, source, root=tmp_path, destination="in/here")
    assert tree_of(tmp_path / "in/here") == expected
    assert names_in(tmp_path) == ["in"]


async def test_the_whole_image_can_be_taken(image: Callable[..., Any], tmp_path: Path) -> None:
    """The root stands for everything."""
    repository, layers = await image({"./": "", "a": "1"}, {"b/c": "2"})
    await extract_path(repository.blobs, layers, "/", root=tmp_path)
    assert tree_of(tmp_path) == {"a": "1", "b": "/", "b/c": "2"}


async def test_a_file_of_the_top_layer_needs_no_other_layer(
    image: Callable[..., Any], tmp_path: Path
) -> None:
    """Reading ends where the answer is complete."""
    repository, layers = await image({"a": "low"}, {"opt/tool": "tool"})
    repository.operations.clear()
    await extract_path(repository.blobs, layers, "/opt/tool", root=tmp_path)
    assert [digest for _, digest in repository.operations] == [layers[1].digest]


async def test_links_on_the_way_are_followed_inside_the_image(
    image: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    """A source behind links is found, also where that needs another layer and a second look."""
    repository, layers = await image(
        {"usr/bin/tool-1": "tool", "usr/bin/other": "other"},
        {"bin": link("../../usr/bin"), "usr/bin/tool": link("/usr/bin/tool-1")},
    )
    await extract_path(repository.blobs, layers, "/bin/tool", root=tmp_path)
    assert tree_of(tmp_path) == {"tool": "tool"}
    await extract_path(repository.blobs, layers, "/bin/.", root=tmp_path, destination="d")
    assert tree_of(tmp_path / "d") == {
        "other": "other",
        "tool": "-> /usr/bin/tool-1",
        "tool-1": "tool",
    }


async def test_a_name_behind_a_link_of_its_own_layer_is_not_taken_for_the_file(
    image: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    """What lies under a link cannot be reached by that name."""
    repository, layers = await image({"real/x": "real"}, {"way": link("real"), "way/x": "trick"})
    await extract_path(repository.blobs, layers, "/way/x", root=tmp_path)
    assert tree_of(tmp_path) == {"x": "real"}


async def test_hard_links_stay_links_to_one_file(
    image: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    """Hard links inside what is taken share a file; one to the outside gets its content."""
    repository, layers = await image(
        {
            "lower": "lower",
            "out": "out",
            "d/a": "a",
            "d/b": link("d/a", hard=True),
            "d/c": link("./out", hard=True),
        },
        {"d/e": link("lower", hard=True), "d/f": link("none", hard=True)},
    )
    await extract_path(repository.blobs, layers, "/d/.", root=tmp_path)
    assert tree_of(tmp_path) == {"a": "a", "b": "a", "c": "out", "e": "lower"}
    assert (tmp_path / "a").stat().st_ino == (tmp_path / "b").stat().st_ino


async def test_modes_and_times_are_kept_and_privileges_are_not(
    image: Callable[..., Any], tmp_path: Path
) -> None:
    """Permission bits and times survive, set-user-id and devices do not."""
    tool = special(tarfile.REGTYPE, mode=0o4755, mtime=1_700_000_000)
    repository, layers = await image(
        {
            "d/": special(tarfile.DIRTYPE, mode=0o1777),
            "d/tool": tool,
            "d/far": special(tarfile.REGTYPE, mode=0, mtime=2**59),
            "d/null": special(tarfile.CHRTYPE, devmajor=1, devminor=3),
            "d/pipe": special(tarfile.FIFOTYPE),
        }
    )
    await extract_path(repository.blobs, layers, "/d", root=tmp_path)
    assert names_in(tmp_path / "d") == ["far", "tool"]
    found = (tmp_path / "d/tool").stat()
    assert (found.st_mode & 0o7777, found.st_mtime) == (0o755, 1_700_000_000)
    assert (tmp_path / "d").stat().st_mode & 0o7777 == 0o777


async def test_what_is_there_is_replaced_or_joined(
    image: Callable[..., Any], link: Callable[..., Any], tmp_path: Path
) -> None:
    """Folders are joined, files and links are replaced and never written through."""
    outside = tmp_path / "outside"
    outside.write_text("safe")
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d/mine").write_text("mine")
    (root / "d/a").symlink_to(outside)
    (root / "d/l").symlink_to(outside)
    repository, layers = await image({"d/a": "a", "d/l": link("b")})
    await extract_path(repository.blobs, layers, "/d", root=root)
    assert tree_of(root) == {"d": "/", "d/a": "a", "d/l": "-> b", "d/mine": "mine"}
    assert outside.read_text() == "safe"


@pytest.mark.parametrize("destination", ["in", "in/deeper"])
async def test_a_link_in_the_destination_is_not_followed(
    image: Callable[..., Any], tmp_path: Path, destination: str
) -> None:
    """A checkout cannot redirect files by a link that it brings."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (root / "in").symlink_to(tmp_path / "outside")
    repository, layers = await image({"a": "a"})
    with pytest.raises(UnsafeEntry, match="'in' is a link or a file there"):
        await extract_path(repository.blobs, layers, "/a", root=root, destination=destination)
    assert names_in(tmp_path / "outside") == []
    assert names_in(root) == ["in"]


async def test_a_link_in_place_of_a_folder_of_the_image_is_not_followed(
    image: Callable[..., Any], tmp_path: Path
) -> None:
    """A folder of the image is not laid over a link that is there."""
    (tmp_path / "d").symlink_to(os.curdir)
    repository, layers = await image({"d/a": "a"})
    with pytest.raises(UnsafeEntry, match="'d' is a link or a file there"):
        await extract_path(repository.blobs, layers, "/d", root=tmp_path)


@pytest.mark.parametrize("destination", ["..", "a/../../b"])
async def test_destinations_stay_below_the_root(
    image: Callable[..., Any], tmp_path: Path, destination: str
) -> None:
    """The destination cannot climb out."""
    repository, layers = await image({"a": "a"})
    with pytest.raises(UnsafeEntry):
        await extract_path(repository.blobs, layers, "/a", root=tmp_path, destination=destination)


async def test_absent_paths_are_named_with_their_neighbours(
    image: Callable[..., Any], tmp_path: Path
) -> None:
    """An unknown path is an error that offers the nearest names beside it."""
    repository, layers = await image({"opt/tools/kubectl": "x"})
    with pytest.raises(UnknownName, match="'/opt/tools/kubectx'") as caught:
        await extract_path(repository.blobs, layers, "/opt/tools/kubectx", root=tmp_path)
    assert "/opt/tools/kubectl" in caught.value.hint
    with pytest.raises(UnknownName):
        await extract_path(repository.blobs, layers, "/none/x", root=tmp_path)
    assert names_in(tmp_path) == []


async def test_damaged_layers_leave_nothing_behind(
    image: Callable[..., Any], tmp_path: Path
) -> None:
    """A layer that cannot be read leaves neither files nor temporary folders."""
    repository, layers = await image({"a": "a" * 1000})
    contents = repository.blobs.contents
    contents[layers[0].digest] = contents[layers[0].digest][:-9]
    with pytest.raises(ContentError):
        await extract_path(repository.blobs, layers, "/a", root=tmp_path)
    assert names_in(tmp_path) == []


async def test_a_folder_in_the_way_of_a_file_is_reported(
    image: Callable[..., Any], tmp_path: Path
) -> None:
    """A folder is not removed to make place for a file."""
    (tmp_path / "a").mkdir()
    repository, layers = await image({"a": "a"})
    with pytest.raises(StorageError, match="Is a directory"):
        await extract_path(repository.blobs, layers, "/a", root=tmp_path)
