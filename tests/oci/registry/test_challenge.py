# SPDX-License-Identifier: Apache-2.0
"""Reading WWW-Authenticate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.oci.registry.challenge import Challenge, parse_challenges

TOKENS = st.text("abcXYZ019-_.", min_size=1, max_size=8)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            'Bearer realm="https://quay.io/v2/auth",service="quay.io",scope="repository:a/b:pull"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://quay.io/v2/auth",
                        "service": "quay.io",
                        "scope": "repository:a/b:pull",
                    },
                )
            ],
        ),
        (
            'Bearer realm="x",scope="a:b:pull,push"',
            [("bearer", {"realm": "x", "scope": "a:b:pull,push"})],
        ),
        ("Basic realm=registry", [("basic", {"realm": "registry"})]),
        ('BASIC Realm = "a \\"b\\" c"', [("basic", {"realm": 'a "b" c'})]),
        ('Negotiate, Basic realm="x"', [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('NTLM TlRMTVNT==, Bearer realm="x"', [("ntlm", {}), ("bearer", {"realm": "x"})]),
        (
            'Basic realm="x", Bearer realm="y", service=z',
            [("basic", {"realm": "x"}), ("bearer", {"realm": "y", "service": "z"})],
        ),
        ('Bearer realm="x",,  service="y",', [("bearer", {"realm": "x", "service": "y"})]),
        ('Bearer realm="first",realm="second"', [("bearer", {"realm": "first"})]),
        ('Bearer realm="unclosed', [("bearer", {})]),
        ('realm="no scheme"', []),
        ("", []),
    ],
)
def test_headers_of_real_registries_are_read(header, expected):
    """Schemes, quoted and bare parameters and lists of challenges are all understood."""
    assert parse_challenges([header]) == [Challenge(scheme, fields) for scheme, fields in expected]


def test_several_headers_add_up():
    """A registry may send one header per scheme."""
    found = parse_challenges(['Bearer realm="x"', "Basic realm=y"])
    assert [challenge.scheme for challenge in found] == ["bearer", "basic"]


@given(
    st.lists(
        st.tuples(TOKENS, st.dictionaries(TOKENS.map(str.lower), VALUES, min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_written_is_read(challenges):
    """Any challenges, written with quoted values, are read back as they were."""
    written = []
    for scheme, fields in challenges:
        pairs = []
        for name, value in fields.items():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            pairs.append(f'{name}="{escaped}"')
        written.append(f"{scheme} {', '.join(pairs)}")
    assert parse_challenges([", ".join(written)]) == [
        Challenge(scheme.lower(), fields) for scheme, fields in challenges
    ]


@given(st.text(max_size=200))
def test_any_header_can_be_read(header):
    """Whatever stands in the header, reading ends and raises nothing."""
    for challenge in parse_challenges([header]):
        assert challenge.scheme == challenge.scheme.lower()
