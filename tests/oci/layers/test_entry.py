# SPDX-License-Identifier: Apache-2.0
"""Names of entries."""

from __future__ import annotations

import pytest

from okd_payload.errors import TooLarge, UnsafeEntry
from okd_payload.oci.layers.entry import (
    Entry,
    Whiteout,
    clean_path,
    rooted_path,
    whiteout_of,
)


@pytest.mark.parametrize(
    ("name", "path", "rooted"),
    [
        ("manifests/x", "manifests/x", "manifests/x"),
        ("./manifests/x", "manifests/x", "manifests/x"),
        ("manifests/./x", "manifests/x", "manifests/x"),
        ("manifests//x/", "manifests/x", "manifests/x"),
        ("a/../manifests/x", "manifests/x", "manifests/x"),
        ("manifests/../x", "x", "x"),
        ("/manifests/x", "/manifests/x", "manifests/x"),
        ("//manifests/x", "/manifests/x", "manifests/x"),
        ("/../x", "/x", "x"),
        ("./", "", ""),
        (".", "", ""),
        ("/", "/", ""),
        ("..x", "..x", "..x"),
    ],
)
def test_spellings_of_a_name_are_one_path(name: str, path: str, rooted: str) -> None:
    """Names are cleaned as container tools do; a leading slash is another place until rooted."""
    assert (clean_path(name), Entry(name=name).path, rooted_path(name)) == (path, path, rooted)


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "./../x"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    """No name may climb above the root."""
    with pytest.raises(UnsafeEntry, match="leads out of the image"):
        rooted_path(name)


def test_very_deep_names_are_refused() -> None:
    """A name of thousands of folders is no real tree."""
    with pytest.raises(TooLarge, match="deeper than 256 folders"):
        rooted_path("a/" * 300 + "b")


@pytest.mark.parametrize(
    ("path", "whiteout"),
    [
        ("a/b", None),
        ("a/.wh.b", Whiteout("a/b")),
        (".wh.b", Whiteout("b")),
        ("a/.wh..wh..opq", Whiteout("a", opaque=True)),
        (".wh..wh..opq", Whiteout("", opaque=True)),
        ("a/.wh.b/c", None),
    ],
)
def test_whiteouts_are_told_by_their_name(path: str, whiteout: Whiteout | None) -> None:
    """The last part of a name says whether it hides something, and what."""
    assert whiteout_of(path) == whiteout


@pytest.mark.parametrize("path", ["a/.wh.", ".wh..", "a/.wh..."])
def test_whiteouts_of_the_folder_itself_are_refused(path: str) -> None:
    """A whiteout cannot hide its own folder or the one above by a trick."""
    with pytest.raises(UnsafeEntry, match="hides nothing"):
        whiteout_of(path)


def test_times_are_rounded_down_or_to_the_nearest() -> None:
    """Go rounds in headers and cuts elsewhere; both are offered."""
    entry = Entry(name="a", mtime_ns=1_500_000_000)
    assert (entry.mtime, entry.rounded_mtime) == (1, 2)
