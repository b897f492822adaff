# SPDX-License-Identifier: Apache-2.0
"""Names of releases: derived from inputs, semantic versions, tags."""

from __future__ import annotations

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.release_name import DEFAULT_PATTERN, check_pattern, release_name
from okd_payload.errors import InputError
from okd_payload.oci.reference import is_tag

_MOMENT = 1670060857
_INPUTS = "ab12cd34ef56ab12cd34ef56"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{version}-0.okd-{stream}-{time}", "4.20.0-0.okd-scos-2022-12-03-094737"),
        ("{version}-0.{time:%Y%m%d}.{inputs}", "4.20.0-0.20221203.ab12cd34ef"),
        ("4.21.0-{stream}", "4.21.0-scos"),
        (DEFAULT_PATTERN, "4.20.0-0.scos-2022-12-03-094737-ab12cd34ef"),
    ],
)
def test_fields(pattern: str, name: str) -> None:
    """Each field has its documented value; time is that of the inputs, in UTC."""
    found = release_name(pattern, stream="scos", version="4.20.0", time=_MOMENT, inputs=_INPUTS)
    assert found == name


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{version}-{build}", "there is no field {build}"),
        ("{version:x}", "there is no field {version:x}"),
        ("{version}-{", "is not a semantic version"),
        ("{stream}", "'scos' is not a semantic version"),
        ("{version}+{stream}", "is not a semantic version that can be a tag"),
        ("{version}-0.{inputs}", "'4.20.0-0.0000000000' is not a semantic version"),
        ("{version}-{time:%H%M%S}", "'4.20.0-000000' is not a semantic version"),
        ("{version}-x" + "x" * 130, "is not a semantic version that can be a tag"),
    ],
)
def test_patterns_that_sometimes_fail_are_refused_always(pattern: str, message: str) -> None:
    """A pattern is refused when some time or hash would give a name that no cluster takes."""
    with pytest.raises(InputError) as caught:
        check_pattern(pattern, stream="scos", version="4.20.0")
    assert message in caught.value.message
    assert "{version}" in caught.value.hint


@given(
    st.integers(min_value=0, max_value=4102444800),
    st.text(alphabet="0123456789abcdef", min_size=10, max_size=64),
)
def test_default_names_are_versions_and_tags(time: int, inputs: str) -> None:
    """The default pattern gives a semantic version that can be a tag, whatever the inputs."""
    name = release_name(DEFAULT_PATTERN, stream="a.b-1", version="0.0.1", time=time, inputs=inputs)
    assert semver.Version.is_valid(name)
    assert is_tag(name)
