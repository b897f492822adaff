# SPDX-License-Identifier: Apache-2.0
"""Where images go, by the rules of oc."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InputError
from okd_payload.release.mirror.targets import Naming, parse_target

X86 = Naming(version="4.20.0", architecture="amd64")


@pytest.mark.parametrize(
    ("text", "component", "naming", "place"),
    [
        ("r.test/okd", "", X86, "r.test/okd:4.20.0-x86_64"),
        ("r.test/okd", "etcd", X86, "r.test/okd:4.20.0-x86_64-etcd"),
        ("oci:dir", "etcd", X86, "oci:dir:4.20.0-x86_64-etcd"),
        ("file://okd/release", "etcd", X86, "file://okd/release:4.20.0-x86_64-etcd"),
        (
            "r.test/okd",
            "",
            Naming(version="4.20.0", architecture="arm64"),
            "r.test/okd:4.20.0-aarch64",
        ),
        (
            "r.test/okd",
            "",
            Naming(version="4.20.0", architecture="s390x"),
            "r.test/okd:4.20.0-s390x",
        ),
        (
            "r.test/okd",
            "",
            Naming(version="4.20.0", architecture="multi"),
            "r.test/okd:4.20.0-multi",
        ),
        ("r.test/okd", "", Naming(version="4.20.0", architecture=""), "r.test/okd:4.20.0"),
        (
            "r.test/okd",
            "",
            Naming(version="4.20.0+b1", architecture="amd64"),
            "r.test/okd:4.20.0_b1-x86_64",
        ),
        ("r.test/okd:${version}-${component}", "etcd", X86, "r.test/okd:4.20.0-etcd-x86_64"),
        ("r.test/okd:${component}", "", X86, "r.test/okd:release-x86_64"),
        ("r.test/${version}/okd:${component}", "etcd", X86, "r.test/4.20.0/okd:etcd-x86_64"),
    ],
)
def test_places_have_the_tags_of_oc(text, component, naming, place):
    """Version, architecture in its Linux name, and component make the tag."""
    assert str(parse_target(text, folder=Path()).place(component, naming)) == place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r.test/okd:tag", "may not contain a tag or digest"),
        ("oci:dir:tag", "may not contain a tag or digest"),
        ("file://okd@sha256:" + "0" * 64, "may not contain a tag or digest"),
        ("r.test/OKD", "must be a valid image repository"),
        ("r.test/okd:${component}:x", "must be a valid image reference"),
        ("r.test/${component}", "multiple repositories"),
        ("r.test/${component}:${component}", "multiple repositories"),
        ("s3://region/bucket/okd", "buckets are not written to"),
        ("r.test/${version}", "must be a valid image repository"),
    ],
)
def test_other_targets_are_refused(text, message):
    """A target that is no one repository is refused in the words of oc."""
    with pytest.raises(InputError, match=message):
        parse_target(text, folder=Path())


def test_a_directory_is_part_of_the_place():
    """Places in a directory know which one."""
    place = parse_target("file://okd", folder=Path("/srv")).place("", X86)
    assert place.folder == Path("/srv")


@given(st.text("rt./:@${}componentversion-", max_size=40))
def test_any_text_is_a_target_or_refused(text):
    """No text escapes as another error; an accepted one gives different places."""
    try:
        target = parse_target(text, folder=Path())
        places = {str(target.place(name, X86)) for name in ("", "etcd")}
    except InputError:
        return
    assert len(places) == 2
