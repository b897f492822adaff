# SPDX-License-Identifier: Apache-2.0
"""Where forges show things."""

from __future__ import annotations

import pytest

from okd_payload.release.changelog.forges import find_forge


@pytest.mark.parametrize(
    "location",
    [
        "https://github.com/openshift/oc",
        "https://github.com/openshift/oc.git",
        "https://github.com/openshift/oc/",
        "https://me:secret@github.com/openshift/oc",
        "git@github.com:openshift/oc.git",
        "ssh://git@github.com/openshift/oc",
        "ssh://git@github.com:22/openshift/oc.git",
    ],
)
def test_every_way_to_write_a_repository_has_one_address(location):
    """However a label writes it, people get the page that a browser can open."""
    forge = find_forge(location)
    assert forge.address == "https://github.com/openshift/oc"
    assert forge.commit("abc") == "https://github.com/openshift/oc/commit/abc"
    assert forge.request(3) == "https://github.com/openshift/oc/pull/3"
    assert forge.comparison("a", "b") == "https://github.com/openshift/oc/compare/a...b"


def test_gitlab_has_addresses_of_its_own():
    """Hosts called after GitLab have their pages below a dash."""
    forge = find_forge("https://gitlab.example.com/group/sub/project.git")
    assert forge.request(3) == "https://gitlab.example.com/group/sub/project/-/merge_requests/3"
    assert forge.tree("abc") == "https://gitlab.example.com/group/sub/project/-/tree/abc"


@pytest.mark.parametrize("location", ["", "/srv/git/x", "file:///srv/git/x", "https://github.com/"])
def test_what_no_browser_opens_has_no_address(location):
    """A path of a machine leads nowhere."""
    assert find_forge(location) is None
