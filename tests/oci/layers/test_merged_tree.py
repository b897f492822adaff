# SPDX-License-Identifier: Apache-2.0
"""Layers on top of each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ContentError
from okd_payload.oci.layers.entry import Entry, EntryKind
from okd_payload.oci.layers.merged_tree import MergedTree

NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
WHITEOUTS = st.builds(
    lambda folder, name: f"{folder}/{name}".lstrip("/"),
    st.just("") | NAMES,
    st.sampled_from([".wh.a", ".wh.b", ".wh..wh..opq"]),
)
LAYER = st.lists(
    st.tuples(NAMES, st.sampled_from([EntryKind.FILE, EntryKind.DIRECTORY]))
    | st.tuples(WHITEOUTS, st.just(EntryKind.FILE)),
    max_size=6,
    unique_by=lambda item: item[0],
)


def entry(name: str, kind: EntryKind = EntryKind.FILE, link: str = "") -> Entry:
    """An entry."""
    return Entry(name=name, kind=kind, link=link, position=hash(name))


def folder(name: str) -> Entry:
    """A folder."""
    return entry(name, EntryKind.DIRECTORY)


def symlink(name: str, target: str) -> Entry:
    """A symbolic link."""
    return entry(name, EntryKind.SYMBOLIC_LINK, target)


def hard_link(name: str, target: str) -> Entry:
    """A hard link."""
    return entry(name, EntryKind.HARD_LINK, target)


def merge(*layers: list[Entry]) -> MergedTree:
    """The tree of ``layers``, lowest first."""
    tree = MergedTree()
    for number in reversed(range(len(layers))):
        tree.add_layer(number, layers[number])
    return tree


def paths(tree: MergedTree) -> dict[str, int]:
    """All paths that can be reached, and the layer of each."""
    return {path: node.layer for path in tree.walk("") if (node := tree.node(path))}


def unpack(layers: list[list[tuple[str, EntryKind]]]) -> dict[str, EntryKind]:
    """What is there after unpacking layers one by one, as the specification words it."""
    files: dict[str, EntryKind] = {}
    for layer in layers:
        for name, _ in layer:
            files = {path: kind for path, kind in files.items() if not is_hidden(path, name)}
        for name, kind in layer:
            parts = name.split("/")
            for depth in range(1, len(parts)):
                put(files, "/".join(parts[:depth]), EntryKind.DIRECTORY)
            if not parts[-1].startswith(".wh."):
                put(files, name, kind)
    return files


def is_hidden(path: str, whiteout: str) -> bool:
    """Whether an entry named ``whiteout`` hides ``path``."""
    folder, _, name = whiteout.rpartition("/")
    inside = folder + "/" if folder else ""
    if name == ".wh..wh..opq":
        return path.startswith(inside) and path != folder
    hidden = inside + name.removeprefix(".wh.")
    return name.startswith(".wh.") and f"{path}/".startswith(f"{hidden}/")


def put(files: dict[str, EntryKind], path: str, kind: EntryKind) -> None:
    """Make ``path`` a ``kind``; a file takes the place of a whole folder."""
    if files.get(path) is not EntryKind.DIRECTORY or kind is not EntryKind.DIRECTORY:
        for other in [other for other in files if other.startswith(f"{path}/")]:
            del files[other]
    files[path] = kind


def conflicts(layer: list[tuple[str, EntryKind]]) -> bool:
    """Whether something in the layer lies in what is a file there."""
    kinds = dict(layer)
    return any(
        kinds.get(name[:cut]) is EntryKind.FILE
        for name in kinds
        for cut in range(len(name))
        if name[cut] == "/"
    )


@given(st.lists(LAYER.filter(lambda layer: not conflicts(layer)), max_size=4))
def test_merging_from_the_top_equals_unpacking_from_the_bottom(
    layers: list[list[tuple[str, EntryKind]]],
) -> None:
    """The tree is what unpacking every layer in order would leave."""
    tree = merge(*([entry(name, kind) for name, kind in layer] for layer in layers))
    kinds = {path: node.entry.kind for path in tree.walk("") if (node := tree.node(path))}
    assert kinds == unpack(layers)


def test_upper_layers_hide_lower_ones() -> None:
    """Files are replaced, removed by whiteouts, and hidden by whatever is no folder."""
    tree = merge(
        [entry("a"), entry("b"), entry("d/x"), entry("d/y"), entry("e/x"), entry("f/x")],
        [entry("a"), entry(".wh.b"), entry("d/.wh..wh..opq"), entry("d/z"), entry("e"), entry("c")],
    )
    assert paths(tree) == {"a": 1, "c": 1, "d": 1, "d/z": 1, "e": 1, "f": 0, "f/x": 0}


def test_a_whiteout_spares_its_own_layer() -> None:
    """What a layer removes and adds again is there, without what was in it before."""
    tree = merge([entry("a/old")], [entry("a/new"), entry(".wh.a")])
    assert paths(tree) == {"a": 1, "a/new": 1}


def test_folders_that_no_archive_mentions_exist() -> None:
    """A folder implied by an upper layer hides a link of that name below."""
    tree = merge([folder("usr"), symlink("lib", "usr")], [entry("lib/x")])
    assert tree.is_folder("lib")
    assert tree.resolve("lib/x") == "lib/x"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/usr/bin/tool", "usr/bin/tool"),
        ("bin/tool", "usr/bin/tool"),
        ("/absolute/tool", "usr/bin/tool"),
        ("out/tool", "usr/bin/tool"),
        ("usr/bin/../bin/./tool", "usr/bin/tool"),
        ("/", ""),
        ("../..", ""),
        ("usr/bin/none", None),
        ("usr/bin/tool/x", None),
        ("usr/bin/tool/..", "usr/bin"),
        ("dangling", None),
    ],
)
def test_links_are_followed_inside_the_image_only(path: str, found: str | None) -> None:
    """Relative, absolute and climbing links all end within the root."""
    tree = merge(
        [
            entry("usr/bin/tool"),
            symlink("bin", "usr/bin"),
            symlink("absolute", "/usr/bin"),
            symlink("out", "../../../usr/bin"),
            symlink("dangling", "/etc/passwd"),
        ]
    )
    assert tree.resolve(path) == found


def test_circles_of_links_end() -> None:
    """Links that lead to each other are an error, not an endless walk."""
    tree = merge([symlink("a", "b"), symlink("b", "a"), hard_link("x", "y"), hard_link("y", "x")])
    with pytest.raises(ContentError, match="too many symbolic links"):
        tree.resolve("a")
    assert tree.file("x") is None


def test_hard_links_share_the_file_of_their_layer() -> None:
    """A hard link keeps its file when an upper layer replaces the target."""
    tree = merge([entry("a"), hard_link("b", "./a")], [entry("a")])
    first, second = tree.file("a"), tree.file("b")
    assert first is not None
    assert second is not None
    assert (first.layer, second.layer, second.entry.name) == (1, 0, "a")


def test_hard_links_may_point_into_lower_layers() -> None:
    """A hard link without its target in the layer means the target of the layers below."""
    tree = merge([entry("a")], [hard_link("b", "a"), hard_link("c", "b"), hard_link("d", "none")])
    file = tree.file("c")
    assert file is not None
    assert file.layer == 0
    assert tree.file("d") is None


def test_hard_links_to_folders_are_refused() -> None:
    """No file system has hard links to folders."""
    with pytest.raises(ContentError, match="hard link to a folder"):
        merge([folder("a"), hard_link("b", "a")])
