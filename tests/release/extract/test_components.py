# SPDX-License-Identifier: Apache-2.0
"""Sources of components are checked out once each, and failures stay alone."""

from __future__ import annotations

import pytest

from okd_payload.errors import SourceError
from okd_payload.imagestream.openshift import TagReference
from okd_payload.release.extract.components import (
    check_out_sources,
    folder_of,
    sources_of,
)
from okd_payload.release.labels import COMMIT_ID, SOURCE

_URL = "https://git.example.com/okd/{}"


def tag(name, url="", commit=""):
    """A tag whose image says where it comes from."""
    return TagReference(name=name, annotations={SOURCE: url, COMMIT_ID: commit})


class Cloned:
    """Remembers what was to be checked out, and fails for some URLs."""

    def __init__(self, *failing):
        self.done = {}
        self._failing = failing

    async def check_out(self, url, commit, folder):
        if url in self._failing:
            raise SourceError(f"{url} is gone", hint="ask somebody")
        self.done[str(folder)] = commit


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("https://github.com/openshift/oc", "github.com/openshift/oc"),
        ("https://user@github.com/openshift/oc.git/", "github.com/openshift/oc"),
        ("git@github.com:openshift/oc.git", "github.com/openshift/oc"),
        ("ssh://git@git.example.com:2222/a/b", "git.example.com/a/b"),
        ("https://git.example.com/a/../b", "git.example.com/b"),
        ("https://git.example.com/../../etc/passwd", ""),
        ("https://../etc/passwd", ""),
        ("https://git.example.com", ""),
        ("/srv/git/oc", ""),
        ("https://[bad/x", ""),
        ("", ""),
    ],
)
def test_a_repository_has_its_place(url, folder):
    """Host and path, never a place outside."""
    assert folder_of(url) == folder


def test_repositories_are_listed_once():
    """Images of one repository share it; those that say nothing have none."""
    one, two = _URL.format("one"), _URL.format("two")
    found = sources_of(
        [tag("a", one, "1"), tag("b", two, "2"), tag("c", one, "1"), tag("d", one), tag("e")]
    )
    assert [(item.url, item.commit, item.components) for item in found] == [
        (one, "1", ("a", "c")),
        (two, "2", ("b",)),
    ]


async def test_one_failure_does_not_stop_the_others(tmp_path):
    """Everything else is checked out, and each failure has its issue."""
    urls = [_URL.format(name) for name in ("one", "two", "three")]
    cloned = Cloned(urls[1])
    sources = sources_of([tag(url[-3:], url, "1") for url in urls] + [tag("bad", "nowhere", "1")])
    issues = await check_out_sources(sources, tmp_path, check_out=cloned.check_out)
    assert sorted(cloned.done) == [
        str(tmp_path / "git.example.com/okd" / name) for name in ("one", "three")
    ]
    assert [(issue.code, issue.component) for issue in issues] == [
        ("source-not-checked-out", "two"),
        ("source-not-checked-out", "bad"),
    ]
    assert issues[0].hint == "ask somebody"


async def test_several_commits_of_a_repository_are_told(tmp_path):
    """The first one is checked out; the issue is a warning and names the others."""
    url, cloned = _URL.format("one"), Cloned()
    sources = sources_of([tag("a", url, "1"), tag("b", url, "2")])
    issues = await check_out_sources(sources, tmp_path, check_out=cloned.check_out)
    assert list(cloned.done.values()) == ["1"]
    assert [(issue.code, issue.blocks) for issue in issues] == [("several-commits", False)]
    assert issues[0].message.endswith("from 2")
