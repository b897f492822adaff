# SPDX-License-Identifier: Apache-2.0
"""Locations: what people type for an image, and what it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidReference
from okd_payload.oci.digest import Digest
from okd_payload.oci.location import (
    DiskLocation,
    LayoutLocation,
    RegistryLocation,
    parse_location,
)

DIGEST = Digest("sha256:" + "0a" * 32)


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("oci:images", LayoutLocation(path=Path("images"))),
        ("oci:/srv/images:etcd", LayoutLocation(path=Path("/srv/images"), tag="etcd")),
        (f"oci:a@b@{DIGEST}", LayoutLocation(path=Path("a@b"), digest=DIGEST)),
        ("oci:a@b/c:t", LayoutLocation(path=Path("a@b/c"), tag="t")),
        ("oci:a@b/:t", LayoutLocation(path=Path("a@b"), tag="t")),
    ],
)
def test_layouts_are_recognised(text, location):
    """A path ends at the first colon, or where a digest begins, and may contain an at sign."""
    assert parse_location(text) == location
    assert str(location) == text
    assert location.repository == f"oci:{location.path}"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("file://openshift/release", DiskLocation(path="openshift/release")),
        ("file:///openshift/release:4.20.0", DiskLocation(path="openshift/release", tag="4.20.0")),
        (f"file://a@{DIGEST}", DiskLocation(path="a", digest=DIGEST)),
        ("file://quay.io/okd/scos", DiskLocation(path="quay.io/okd/scos")),
    ],
)
def test_repositories_of_directories_are_recognised(text, location):
    """Behind file:// is the name of a repository; the directory is given apart."""
    assert parse_location(text) == location
    assert str(location) == text.replace("file:///", "file://")
    there = parse_location(text, folder=Path("/srv"))
    assert isinstance(there, DiskLocation)
    assert there.folder == Path("/srv")


@pytest.mark.parametrize("scheme", ["", "docker://"])
def test_pull_specs_are_recognised(scheme):
    """Everything else is a pull spec, with or without skopeo's scheme."""
    location = parse_location(f"{scheme}quay.io/okd/scos:x")
    assert isinstance(location, RegistryLocation)
    assert str(location) == "quay.io/okd/scos:x"
    assert location.repository == "quay.io/okd/scos"
    assert (location.tag, location.digest) == ("x", None)


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("oci:d", ""),
        ("oci:d:t", "t"),
        (f"oci:d@{DIGEST}", DIGEST),
        ("quay.io/a", ""),
        ("quay.io/a:t", "t"),
        (f"quay.io/a:t@{DIGEST}", DIGEST),
    ],
)
def test_selector_is_what_was_given(text, selector):
    """Nothing is made up where neither a tag nor a digest was given."""
    assert parse_location(text).selector == selector


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("oci:", "oci:PATH"),
        ("oci:d:", "1 to 128"),
        ("oci::t", "oci:PATH"),
        (f"oci:d:t@{DIGEST}", "oci:PATH@sha256"),
        ("oci:d@sha256:beef", "64 digits"),
        ("dir:/srv/image", "skopeo copy"),
        ("file://", "file://REPOSITORY:TAG"),
        ("file:///srv/My Releases", "the directory apart"),
        ("s3://eu-west-1/bucket/release", "file://REPOSITORY"),
        ("https://quay.io/okd/scos", "HOST/PATH"),
        ("Quay/okd", "lower case"),
    ],
)
def test_refusals_say_what_to_write(text, advice):
    """A mistyped location is refused with the forms that exist."""
    with pytest.raises(InvalidReference) as caught:
        parse_location(text)
    assert advice in caught.value.hint


@given(
    st.text(max_size=30)
    | st.text("oci:@/a0 ", max_size=30).map("oci:{}".format)
    | st.text(":@/a0.", max_size=30).map("file://{}".format)
)
def test_any_text_is_a_location_or_refused(text):
    """No text escapes as another error, and an accepted one reads back from its own form."""
    try:
        location = parse_location(text)
    except InvalidReference:
        return
    assert parse_location(str(location)) == location
