# SPDX-License-Identifier: Apache-2.0
"""In what two releases differ, and how it is shown."""

from __future__ import annotations

import pytest

from okd_payload.imagestream.openshift import (
    DOCKER_IMAGE,
    ObjectReference,
    TagReference,
    encode_image_stream,
)
from okd_payload.release import labels
from okd_payload.release.load import ReleaseContent, parse_release
from okd_payload.release.metadata import ReleaseMetadata, encode_metadata, make_references
from okd_payload.release.report.compare import changed_images, describe_comparison
from okd_payload.release.report.difference import Fate, describe_difference, find_difference
from okd_payload.release.report.source_links import link_change, link_new_commit
from okd_payload.release.times import EPOCH


def image(
    name, number, *, source="https://git.test/a", commit="c1", versions="", place="quay.test/okd"
):
    """A tag of a release."""
    said = {labels.SOURCE: source, labels.COMMIT_ID: commit}
    if versions:
        said[labels.VERSIONS] = versions
    name_of_image = f"{place}@sha256:{number:064x}"
    return TagReference(
        name=name,
        annotations=said,
        origin=ObjectReference(kind=DOCKER_IMAGE, name=name_of_image),
    )


def release(name, *images, manifests=None, previous=(), metadata=True):
    """A release of these images and manifests."""
    references = make_references(name, created=EPOCH, tags=images, annotations={})
    files = {labels.IMAGE_REFERENCES: encode_image_stream(references), **(manifests or {})}
    if metadata:
        told = ReleaseMetadata(version=name, previous=tuple(previous))
        files[labels.RELEASE_METADATA] = encode_metadata(told)
    return parse_release(ReleaseContent(origin=name, files=files))


@pytest.mark.parametrize(
    ("after", "fate"),
    [
        (image("a", 2), Fate.REBUILT),
        (image("a", 2, commit="c2"), Fate.CHANGED),
        (image("a", 2, commit=""), Fate.REBUILT),
        (image("a", 2, source="https://git.test/b", commit="c2"), Fate.MOVED),
        (image("b", 1), Fate.ADDED),
    ],
)
def test_an_image_differs_for_a_reason(after, fate):
    """Rebuilt, changed, moved to another repository, or new: the source tells."""
    found = find_difference(release("1.0.0", image("a", 1)), release("1.0.1", after))
    assert {item.name: item.fate for item in found.images}[after.name] is fate


def test_a_source_that_nobody_told_is_called_unknown():
    """Images that are built from folders say a commit, and no repository."""
    old = release("1.0.0", image("a", 1, source=""))
    new = release("1.0.1", image("a", 2, source="", commit="c2"))
    text = describe_difference(find_difference(old, new), unified=False)
    assert "\n    (unknown) c1 -> c2\n" in text


def test_equal_releases_do_not_differ():
    """The same images and manifests are no difference, whatever the releases are called."""
    old, new = release("1.0.0", image("a", 1)), release("1.0.1", image("a", 1))
    found = find_difference(old, new)
    assert found.is_empty
    assert "nothing differs" in describe_difference(found, unified=True)


def test_of_a_release_and_itself_no_update_is_told():
    """Nothing leads from a release to itself, and nothing has to."""
    one = release("1.0.0", image("a", 1))
    assert describe_difference(find_difference(one, one), unified=True).splitlines() == [
        *("from 1.0.0", "to   1.0.0", "", "nothing differs"),
    ]


def test_versions_come_and_go():
    """A component that one of them does not report has no version there."""
    old = release("1.0.0", image("a", 1, versions="kernel=1.0.0,crio=1.0.0"))
    new = release("1.0.1", image("a", 1, versions="kernel=1.0.1,kubernetes=1.30.0"))
    text = describe_difference(find_difference(old, new), unified=False)
    assert "  crio 1.0.0 -> (none)\n" in text
    assert "  kernel 1.0.0 -> 1.0.1\n" in text
    assert "  kubernetes (none) -> 1.30.0\n" in text


def test_manifests_are_shown_line_by_line():
    """Added, removed and changed files are counted in lines, and their diff can be applied."""
    old = release("1.0.0", manifests={"a.yaml": b"one\ntwo\n", "gone.yaml": b"x\n"})
    new = release("1.0.1", manifests={"a.yaml": b"one\n2\nthree", "new.yaml": b"- y\n+ z\n"})
    found = find_difference(old, new)
    counts = {
        item.name: (item.fate, item.added_lines, item.removed_lines) for item in found.manifests
    }
    assert counts == {
        "a.yaml": (Fate.CHANGED, 2, 1),
        "gone.yaml": (Fate.REMOVED, 0, 1),
        "new.yaml": (Fate.ADDED, 2, 0),
    }
    assert found.manifests[0].diff == (
        "--- 1.0.0/a.yaml\n"
        "+++ 1.0.1/a.yaml\n"
        "@@ -1,2 +1,3 @@\n"
        " one\n"
        "-two\n"
        "+2\n"
        "+three\n"
        "\\ No newline at end of file\n"
    )
    assert found.manifests[1].diff.startswith("--- 1.0.0/gone.yaml\n+++ /dev/null\n")
    assert "@@" not in describe_difference(found, unified=False)
    assert "@@ -1,2 +1,3 @@" in describe_difference(found, unified=True)


@pytest.mark.parametrize(("previous", "may"), [(("1.0.0",), True), ((), False)])
def test_the_update_between_them_is_told(previous, may):
    """Whether the newer one can be reached is what its own metadata says."""
    new = release("1.0.1", previous=previous)
    found = find_difference(release("1.0.0"), new)
    assert found.may_update is may
    assert ("is offered" in describe_difference(found, unified=False)) is may


def test_a_release_without_metadata_can_be_compared():
    """What is missing is empty, and no error."""
    found = find_difference(release("1.0.0", metadata=False), release("1.0.1"))
    assert (found.before.version, found.may_update) == ("", False)


def test_the_layout_of_oc():
    """Names are as wide as the widest, also those of removed images; pull specs are columns."""
    by_tag = TagReference(
        name="tagged", origin=ObjectReference(kind=DOCKER_IMAGE, name="quay.test/okd:v1")
    )
    old = release("1.0.0", image("a", 1), image("gone", 2), image("tagged", 3), image("moved", 4))
    new = release(
        *("1.0.1", image("a", 5), image("longer-name", 6), by_tag),
        image("moved", 4, place="quay.test/other"),
    )
    zero = "sha256:" + "0" * 63
    assert describe_comparison(old, new, now=EPOCH).splitlines()[6:] == [
        "",
        "Images Rebuilt:",
        f"  a           {zero}1 {zero}5",
        f"  tagged      {zero}3 quay.test/okd:v1",
        "",
        "Images Added:",
        f"  longer-name {zero}6",
        "",
        "Images Removed:",
        "  gone       ",
        "",
    ]
    assert "moved" in changed_images(old, new)
    assert not any(item.name == "moved" for item in find_difference(old, new).images)


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (False, True, ["Has Release Metadata:    Yes"]),
        (True, False, ["Has Release Metadata:  Yes"]),
        (False, False, []),
    ],
)
def test_only_one_may_have_metadata(before, after, lines):
    """What only one of them says cannot be compared, and that is told."""
    text = describe_comparison(
        release("1.0.0", metadata=before), release("1.0.1", metadata=after), now=EPOCH
    )
    found = [line.rstrip() for line in text.splitlines()[4:] if line.strip()]
    assert [line.split() for line in found] == [line.split() for line in lines]


_HUB, _GIT = "https://github.com/o/r", "https://git.test/o/r"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ((_HUB, "1"), (_HUB, "2"), f"{_HUB}/compare/1...2"),
        ((_HUB, "1"), (_HUB, "1"), f"{_HUB}/commit/1"),
        ((_HUB, "1"), (f"{_HUB}//", "2"), f"{_HUB}/commit/1 -> {_HUB}/commit/2"),
        ((_GIT, "1"), (_GIT, "2"), f"{_GIT} 1 2"),
        ((_GIT, ""), (_HUB, "2"), f"{_GIT} <unknown> -> {_HUB}/commit/2"),
        ((_GIT, "1"), (_HUB, "1"), f"{_GIT} -> {_HUB}/commit/1"),
        ((_GIT, "1"), ("git@github.com:o/r.git", "2"), f"{_GIT} 1 -> {_HUB}/commit/2"),
        ((_HUB, "1"), (_HUB, ""), "<unknown>"),
    ],
)
def test_what_lies_between_two_images(before, after, shown):
    """With --commits, images are shown by what changed in their sources."""
    old, new = (image("a", 1, source=place, commit=commit) for place, commit in (before, after))
    assert link_change(old, new) == shown
    text = describe_comparison(
        release("1.0.0", image("a", 2)), release("1.0.1", image("b", 1)), now=EPOCH, commits=True
    )
    assert "  b https://git.test/a c1\n" in text
    assert link_new_commit(image("a", 1, commit="")) == "<unknown>"
