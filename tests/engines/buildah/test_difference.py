# SPDX-License-Identifier: Apache-2.0
"""Layers as differences: what is left out must not be missed by anybody."""

from __future__ import annotations

import asyncio
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.engines.buildah.difference import ParentTree, ParentTrees, read_difference
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.scan import LayerScan
from okd_payload.oci.layers.tar_encoder import encode_header
from okd_payload.oci.layers.tar_header import padding_of
from okd_payload.oci.media_types import OCI_LAYER
from okd_payload.testing.images import push_blob
from okd_payload.testing.memory_repository import MemoryRepository

Tree = dict[str, tuple[Any, Any]]
"""What is at each path: ``folder``, ``file`` or ``link``, and what to call it with."""


def folder(name: str, mode: int = 0o755, **fields: Any) -> tuple[Entry, bytes]:
    """A folder."""
    return Entry(name=f"{name}/", kind=EntryKind.DIRECTORY, mode=mode, **fields), b""


def file(name: str, content: str = "", mode: int = 0o644, **fields: Any) -> tuple[Entry, bytes]:
    """A regular file."""
    return Entry(name=name, mode=mode, size=len(content), **fields), content.encode()


def link(name: str, target: str) -> tuple[Entry, bytes]:
    """A symbolic link."""
    return Entry(name=name, kind=EntryKind.SYMBOLIC_LINK, mode=0o777, link=target), b""


def hard_link(name: str, target: str) -> tuple[Entry, bytes]:
    """A second name of a file."""
    return Entry(name=name, kind=EntryKind.HARD_LINK, link=target), b""


def gone(name: str) -> tuple[Entry, bytes]:
    """A whiteout of one name."""
    head, _, tail = name.rpartition("/")
    return file(f"{head}/.wh.{tail}" if head else f".wh.{tail}")


def opaque(name: str) -> tuple[Entry, bytes]:
    """A whiteout of all that a folder holds below."""
    return file(f"{name}/.wh..wh..opq")


def archive_of(*members: tuple[Entry, bytes]) -> bytes:
    """An uncompressed layer."""
    parts = [
        encode_header(entry) + content + bytes(padding_of(entry.size)) for entry, content in members
    ]
    return b"".join([*parts, bytes(1024)])


async def difference(base: list[bytes], own: bytes) -> dict[str, tuple[Entry, bytes]]:
    """The members of the difference that ``own`` is from the layers ``base``, by name."""
    repository = MemoryRepository()
    layers = [await push_blob(repository, layer, OCI_LAYER) for layer in base]
    tree = ParentTree(repository.blobs, tuple(layers))
    await tree.read()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "own"
        path.write_bytes(own)
        return members_of(b"".join([chunk async for chunk in read_difference(path, tree)]))


def members_of(archive: bytes) -> dict[str, tuple[Entry, bytes]]:
    """The members of an archive by name."""
    reader = _Reader()
    layer = LayerScan(reader, media_type=OCI_LAYER)
    layer.feed(archive)
    layer.finish()
    return {entry.path: (entry, content.getvalue()) for entry, content in reader.members}


class _Reader:
    def __init__(self) -> None:
        self.members: list[tuple[Entry, BytesIO]] = []

    def enter(self, entry: Entry) -> bool:
        self.members.append((entry, BytesIO()))
        return True

    def take(self, content: memoryview) -> None:
        self.members[-1][1].write(content)

    def leave(self) -> None:
        """Everything is kept."""


FOLDER = (folder, 0o755)
LINK = (link, "")
BASE = archive_of(
    folder("etc"),
    file("etc/passwd", "root"),
    folder("srv", 0o700),
    folder("srv/sub"),
    file("srv/sub/a", "a"),
    file("srv/b", "b"),
    link("lib", "usr/lib"),
    folder("run"),
)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param([folder("run"), folder("etc")], [], id="folders that were only touched"),
        pytest.param([folder("run", 0o700)], ["run"], id="a folder with another mode"),
        pytest.param([folder("run", uid=7)], ["run"], id="a folder with another owner"),
        pytest.param([file("etc/passwd", "root", mtime_ns=9)], [], id="a file that was touched"),
        pytest.param(
            [folder("etc"), file("etc/passwd", "toor")], ["etc", "etc/passwd"], id="other content"
        ),
        pytest.param([file("etc/passwd", "root", 0o600)], ["etc/passwd"], id="another mode"),
        pytest.param([link("lib", "usr/lib")], [], id="the same link"),
        pytest.param([link("lib", "usr/lib64")], ["lib"], id="another link"),
        pytest.param([gone("nothing")], [], id="a whiteout of nothing"),
        pytest.param([gone("srv")], [".wh.srv"], id="a whiteout"),
        pytest.param(
            [gone("srv"), gone("srv/b")], [".wh.srv"], id="a whiteout in a removed folder"
        ),
        pytest.param(
            [folder("srv", 0o700), opaque("srv")],
            ["srv", "srv/.wh.b", "srv/.wh.sub"],
            id="an opaque folder",
        ),
        pytest.param(
            [folder("srv", 0o700), opaque("srv"), folder("srv/sub"), file("srv/b", "b")],
            ["srv", "srv/sub", "srv/sub/.wh.a"],
            id="an opaque folder that brings things back",
        ),
        pytest.param(
            [file("srv", "x"), gone("srv/b")], ["srv"], id="a file in the place of a folder"
        ),
        pytest.param(
            [file("new", "x"), hard_link("new2", "new")], ["new", "new2"], id="hard links"
        ),
        pytest.param(
            [file("etc/passwd", "root"), hard_link("copy", "etc/passwd")],
            ["copy", "etc/passwd"],
            id="a file with a second name",
        ),
        pytest.param(
            [file("etc/passwd", "toor"), file("etc/passwd", "root")], [], id="the last one counts"
        ),
    ],
)
async def test_a_layer_holds_what_differs(own, expected) -> None:
    """What is the same goes, what differs stays with the folders it is in."""
    assert sorted(await difference([BASE], archive_of(*own))) == expected


async def test_upper_layers_hide_lower_ones() -> None:
    """What is compared is what a container of the parent sees."""
    upper = archive_of(gone("etc/passwd"), file("srv/b", "c"))

    found = await difference(
        [BASE, upper], archive_of(file("etc/passwd", "root"), file("srv/b", "c"))
    )

    assert sorted(found) == ["etc/passwd"]


async def test_content_is_whole() -> None:
    """Files of more than one piece arrive unchanged, with everything their headers say."""
    content = "0123456789abcdef" * 200_000
    member = file("new", content, 0o4755, uid=5, gid=6, xattrs={"security.capability": b"\1\2"})

    found = await difference([BASE], archive_of(member))

    entry, taken = found["new"]
    assert taken == content.encode()
    assert (entry.mode, entry.uid, entry.gid) == (0o4755, 5, 6)
    assert entry.xattrs == {"security.capability": b"\1\2"}


async def test_from_scratch_everything_differs() -> None:
    """Without a parent all entries stay, and whiteouts have nothing to hide."""
    found = await difference([], archive_of(folder("run"), gone("x"), file("a")))

    assert sorted(found) == ["a", "run"]


async def test_trees_are_read_once() -> None:
    """Builds on the same parent share its tree; only the last ones are kept."""
    repository = MemoryRepository()
    trees = ParentTrees(repository.blobs)
    layers = [
        await push_blob(repository, archive_of(file(f"f{number}")), OCI_LAYER)
        for number in range(10)
    ]

    first = await trees.tree_of(layers[:1])
    assert await trees.tree_of(layers[:1]) is first
    for layer in layers[1:]:
        await trees.tree_of([layer])

    assert await trees.tree_of(layers[:1]) is not first


PATHS = st.sampled_from(["a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/a/b"])
THINGS = st.one_of(
    st.tuples(st.just(folder), st.sampled_from([0o755, 0o700])),
    st.tuples(st.just(file), st.sampled_from(["x", "y", "xy"])),
    st.tuples(st.just(link), st.sampled_from(["x", "y"])),
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Some folders, files and links, each below folders only."""
    tree: Tree = {}
    for path, thing in draw(st.dictionaries(PATHS, THINGS, max_size=7)).items():
        if all(tree.setdefault(parent, FOLDER)[0] is folder for parent in parents(path)):
            tree.setdefault(path, thing)
    return tree


def parents(path: str) -> list[str]:
    """The folders that ``path`` is in, outermost first."""
    return [path[:end] for end, letter in enumerate(path) if letter == "/"]


def comparing_driver(old: Tree, new: Tree) -> bytes:
    """The layer that a driver writes which compares two trees."""
    changed = {path for path in new if new[path] != old.get(path)}
    removed = removed_paths(old, new)
    around = {parent for path in {*changed, *removed} for parent in parents(path)}
    return layer_of(new, changed | around, [gone(path) for path in removed])


def copying_driver(old: Tree, new: Tree, touched: set[str], anew: set[str]) -> bytes:
    """The layer that an overlay has: with what was opened for writing, or removed and made anew."""
    opaque_folders = {path for path in anew if old.get(path, LINK)[0] is new[path][0] is folder}
    inside = {path for path in new if opaque_folders.intersection(parents(path))}
    upper = touched | opaque_folders | inside
    upper |= {path for path in new if new[path] != old.get(path)}
    removed = [
        path for path in removed_paths(old, new) if not opaque_folders.intersection(parents(path))
    ]
    around = {parent for path in {*upper, *removed} for parent in parents(path)}
    hidden = [*map(gone, removed), *map(opaque, sorted(opaque_folders))]
    return layer_of(new, upper | around, hidden)


def removed_paths(old: Tree, new: Tree) -> list[str]:
    """What is gone from folders that are still there."""
    return [
        path
        for path in sorted(old)
        if path not in new and all(new.get(parent, LINK)[0] is folder for parent in parents(path))
    ]


def layer_of(tree: Tree, paths: set[str], whiteouts: list[tuple[Entry, bytes]]) -> bytes:
    """The layer that says of ``paths`` what ``tree`` has there."""
    return archive_of(*[tree[path][0](path, tree[path][1]) for path in sorted(paths)], *whiteouts)


@given(old=trees(), new=trees(), data=st.data())
def test_drivers_agree_and_nothing_is_lost(old, new, data) -> None:
    """However a driver tells it, the layer is the same, and turns the old tree into the new."""
    some = st.sets(st.sampled_from(sorted(new))) if new else st.just(set())
    base = layer_of(old, set(old), [])
    compared = comparing_driver(old, new)
    copied = copying_driver(old, new, data.draw(some), data.draw(some))

    found = asyncio.run(difference([base], compared))

    assert asyncio.run(difference([base], copied)) == found
    assert with_layer(old, found) == new


def with_layer(old: Tree, members: dict[str, tuple[Entry, bytes]]) -> Tree:
    """``old`` with a layer on top, done as simply as can be."""
    tree = dict(old)
    for path in sorted(members, key=lambda path: ".wh." not in path):
        entry, content = members[path]
        hidden = path.replace(".wh.", "", 1)
        if hidden != path or entry.kind is not EntryKind.DIRECTORY:
            tree = {name: thing for name, thing in tree.items() if hidden not in parents(name)}
            tree.pop(hidden, None)
        if hidden == path:
            tree[path] = {
                EntryKind.DIRECTORY: (folder, entry.mode),
                EntryKind.FILE: (file, content.decode()),
                EntryKind.SYMBOLIC_LINK: (link, entry.link),
            }[entry.kind]
    return tree
