# SPDX-License-Identifier: Apache-2.0
"""Following paths and links within a tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from okd_payload.errors import SourceError
from okd_payload.source.git_objects import Entry, Mode, blob_id
from okd_payload.source.paths import find_file

LINKS = {
    "Dockerfile": "images/Dockerfile.rhel",
    "images/link": "../Dockerfile",
    "folder": "images",
    "loop": "loop",
    "out": "/etc/passwd",
    "up": "../secret",
    "dangling": "absent",
}
FILES = {
    "a": Entry(Mode.FILE, blob_id(b"a")),
    "images/Dockerfile.rhel": Entry(Mode.FILE, blob_id(b"FROM x")),
    **{path: Entry(Mode.LINK, blob_id(target.encode())) for path, target in LINKS.items()},
}


def find(path: str) -> str | None:
    """Where ``path`` leads in FILES."""
    return find_file(FILES, path, read_link=LINKS.__getitem__)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", "a"),
        ("./a", "a"),
        ("images//Dockerfile.rhel", "images/Dockerfile.rhel"),
        ("images/../a", "a"),
        ("Dockerfile", "images/Dockerfile.rhel"),
        ("images/link", "images/Dockerfile.rhel"),
        ("folder/Dockerfile.rhel", "images/Dockerfile.rhel"),
        ("folder/link", "images/Dockerfile.rhel"),
    ],
)
def test_files_are_found(path: str, found: str) -> None:
    """A path leads to a file through links, dots and doubled slashes."""
    assert find(path) == found


@pytest.mark.parametrize("path", ["", "absent", "images", "folder", "loop", "dangling", "a/b"])
def test_no_file(path: str) -> None:
    """What is absent, a folder, a loop or dangling is no file."""
    assert find(path) is None


@pytest.mark.parametrize("path", ["out", "up", "..", "../a", "images/../../a"])
def test_nothing_leads_out(path: str) -> None:
    """A path or link that leaves the tree is refused, whatever it would find there."""
    with pytest.raises(SourceError, match="leads out of the source"):
        find(path)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["", ".", "..", "a", "images", "folder", "loop", "link"])))
def test_any_path_ends(names: list[str]) -> None:
    """Every path leads to a file of the tree, to nothing, or is refused."""
    try:
        found = find("/".join(names))
    except SourceError:
        return
    assert found is None or found in FILES
