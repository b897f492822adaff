# SPDX-License-Identifier: Apache-2.0
"""Names of release branches, and which comes next."""

from __future__ import annotations

import re

import pytest

from okd_payload.build.sync.branch_names import expand, find_next, fits, pattern_of, version_in
from okd_payload.errors import InputError


def test_versions_are_taken_out_and_put_in():
    """A pattern is the name without its version; one that takes none stays as it is."""
    assert pattern_of("release-4.16") == "release-{version}"
    assert pattern_of("main") == "main"
    assert version_in("openshift-4.16") == "4.16"
    assert expand("openshift-{version}", "release-5.0") == "openshift-5.0"
    assert expand("openshift-{version}", "main") == ""
    assert expand("master", "release-5.0") == "master"


def test_names_fit_their_pattern_whatever_the_version():
    """Any version fits, another shape does not."""
    assert fits("openshift-4.12", "openshift-{version}")
    assert not fits("release-4.12", "openshift-{version}")
    assert fits("main", "main")
    assert not fits("main", "master")


def test_the_next_branch_is_one_that_exists():
    """5.0 follows 4.23, because there is no 4.24, and 4.9 is before 4.10."""
    having = [{"main", "release-4.9", "release-4.22", "release-4.23", "release-5.0", "release-5.1"}]
    assert find_next("release-4.23", having).name == "release-5.0"
    assert find_next("release-4.22", having).name == "release-4.23"
    assert find_next("release-4.9", having).name == "release-4.22"


def test_one_repository_alone_decides_nothing():
    """A branch that half of those lack that have the current one is not the next release."""
    repositories = [{"release-4.15", "release-4.16"}] * 2 + [
        {"release-4.15", "release-4.16", "release-4.15.1", "release-4.17"},
        {"release-4.15"},
        {"main", "release-4.99"},
    ]
    following = find_next("release-4.15", repositories)
    assert (following.name, following.repositories, following.of) == ("release-4.16", 3, 4)
    with pytest.raises(InputError, match=r"no branch after release-4\.16.*release-4\.17 in 1"):
        find_next("release-4.16", repositories)


def test_no_branch_is_next_to_one_without_a_version():
    """What has no number has no successor."""
    with pytest.raises(InputError, match="'main' names no version"):
        find_next("main", [{"main", "release-4.16"}])


def test_the_releases_that_are_configured_follow_each_other(shared_data):
    """Named as their branches are, each configured release of OKD is found after the last."""
    names = {
        f"release-{found[1]}"
        for path in (shared_data / "release-configs").glob("release-okd-scos-*.json")
        if (found := re.fullmatch(r"release-okd-scos-(\d+\.\d+)\.json", path.name))
    }
    order, name = [], "release-4.13"
    while name:
        order.append(name)
        try:
            name = find_next(name, [names]).name
        except InputError:
            name = ""
    assert set(order) == names
    assert order.index("release-4.16") < order.index("release-4.19")
