# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.new.rewrite import ImageRewriter, VersionRewriter
from okd_payload.release.versions import ComponentVersion, VersionTable

_X, _Y = "q.io/r@sha256:xx", "q.io/r@sha256:yy"
_IMAGES = ImageRewriter({"r.io/x": _X, "r.io/x:cli": _Y, "repo": "R"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r.io/x", _X),
        ("r.io/x:v1", _X),
        ("r.io/x@sha256:abcdef", _X),
        ("'r.io/x'", f"'{_X}'"),
        ('-images=x=repo:latest"', '-images=x=R"'),
        ("a.r.io/x docker://r.io/x", f"a.{_X} docker://{_X}"),
        ("r.io/x  r.io/x", f"{_X}  {_X}"),
    ],
)
def test_replaced(text, expected):
    """A placeholder goes with its tag or digest: at the end, before blanks, before quotes."""
    assert _IMAGES.rewrite(text.encode()).decode() == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://repo:8443/test",
        "repo-other:latest",
        "[r.io/x:tag]",
        "r.io/x:tag,",
        "ar.io/x",
        "r.io/x/sub",
        "r.io/x:v1@sha256:abcdef",
        "r.io/x:",
    ],
)
def test_left_alone(text):
    """Everything else that looks like it stays."""
    assert _IMAGES.rewrite(text.encode()).decode() == text


def test_one_blank_belongs_to_the_first():
    """Of two references with one blank between them the second stays, as with oc."""
    assert _IMAGES.rewrite(b"r.io/x r.io/x r.io/x").decode() == f"{_X} r.io/x {_X}"


def test_longer_placeholder_counts():
    """Where two placeholders fit, the longer one does, whatever order they are given in."""
    assert _IMAGES.rewrite(b"r.io/x:cli").decode() == _Y


def test_bytes_that_are_no_text():
    """Content need not be text, and characters beyond ASCII are no letters here."""
    assert _IMAGES.rewrite("é".encode() + b"r.io/x\n\xff").decode("latin-1") == f"Ã©{_X}\nÿ"


@given(st.binary(max_size=60))
def test_nothing_to_replace(content):
    """Content without placeholders is the same content, and so it is without an operator's list."""
    assert ImageRewriter({"no.such/placeholder": _X}).rewrite(content) is content
    assert ImageRewriter({}).rewrite(content) is content


_TABLE = VersionTable(
    versions={"kubernetes": ComponentVersion("1.33.5"), "machine-os": ComponentVersion("9.6.0")},
    ambiguous={"machine-os": "a, b"},
)
_VERSIONS = VersionRewriter("4.20.0", _TABLE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.1-snapshot", "4.20.0"),
        ('"0.0.1-snapshot",0.0.1-snapshot', '"4.20.0",4.20.0'),
        ("0.0.1-snapshot-kubernetes_1", "1.33.5_1"),
        ("v0.0.1-snapshot", "v0.0.1-snapshot"),
        ("10.0.1-snapshot", "10.0.1-snapshot"),
        ("0.0.1-snapshotfoo", "0.0.1-snapshotfoo"),
        ("0.0.1-snapshotX", "4.20.0X"),
    ],
)
def test_versions(text, expected):
    """The placeholder is the release's version, and with a key the component's."""
    rewritten = _VERSIONS.rewrite(text.encode())
    assert (rewritten.content.decode(), rewritten.problems) == (expected, ())


def test_version_problems():
    """What means nothing stays, and each of it is told once."""
    text = b"0.0.1-snapshot- 0.0.1-snapshot-nope 0.0.1-snapshot-nope 0.0.1-snapshot-machine-os"
    rewritten = _VERSIONS.rewrite(text)
    assert rewritten.content == text
    assert rewritten.problems == (
        "empty version references are not allowed",
        'unknown version reference "nope"',
        'the version for "machine-os" is inconsistent across the referenced images: a, b',
    )


def _by_one_pattern(pull_specs: dict[str, str], content: bytes) -> bytes:
    """The rewriting as the peer does it: one pattern of all placeholders, the longest first."""
    given = {key.encode(): spec.encode() for key, spec in pull_specs.items()}
    longest_first = sorted(given, key=lambda text: (-len(text), text))
    locator = (
        rb"(:[0-9A-Za-z_][0-9A-Za-z_.\-]{0,127}"
        rb"|@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{2,})?"
    )
    pattern = re.compile(
        rb"([^0-9A-Za-z_]|\A)("
        + b"|".join(map(re.escape, longest_first))
        + b")"
        + locator
        + rb"([\t\n\f\r \"']|\Z)"
    )
    return pattern.sub(lambda match: match[1] + given[match[2]] + match[4], content)


@given(
    st.dictionaries(
        st.text("aA/:.x", min_size=1, max_size=4) | st.sampled_from(["a/b", "a/b:v", ":a", "/a"]),
        st.sampled_from(["NEW@sha256:00", "OTHER"]),
        min_size=1,
        max_size=4,
    ),
    st.lists(
        st.sampled_from(["a", "a/b", ":v", ":a", "@sha256:0f", " ", "\n", '"', "x", "/", "_", "."]),
        max_size=14,
    ).map("".join),
)
def test_every_match_is_that_of_the_one_pattern(pull_specs, text) -> None:
    """Whatever placeholders look like, the result is that of the peer's single pattern."""
    content = text.encode()

    assert ImageRewriter(pull_specs).rewrite(content) == _by_one_pattern(pull_specs, content)
