# SPDX-License-Identifier: Apache-2.0
"""References: what is accepted, how it is completed, and what refusals advise."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from okd_payload.errors import InvalidReference
from okd_payload.oci.digest import Digest
from okd_payload.oci.reference import (
    MAX_NAME_LENGTH,
    Reference,
    is_tag,
    parse_reference,
    parse_tag,
)

HEX = "0123456789abcdef" * 4
DIGEST = Digest(f"sha256:{HEX}")

# The grammar once more, as one expression in the shape of distribution's own documentation,
# so that the parser (which splits and then checks the parts) is held against another reading.
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_HOSTLIKE = rf"(?=localhost/|[^/]*[.:]){_DOMAIN}"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_WHOLE = re.compile(
    rf"(?:(?P<host>{_HOSTLIKE})/)?(?P<path>{_PART}(?:/{_PART})*)"
    rf"(?::(?P<tag>[\w][\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?",
    re.ASCII,
)


def _read_independently(text: str) -> tuple[str, str, str, str] | None:
    matched = _WHOLE.fullmatch(text)
    if matched is None:
        return None
    host, path = matched["host"] or "docker.io", matched["path"]
    if matched["host"] is None and re.match(r"localhost/|[^/]*\.[^/]*/", path):
        return None  # a host that the optional group gave up for a worse reading
    if host == "index.docker.io":
        host = "docker.io"
    if re.fullmatch("[0-9a-f]{64}", path.removeprefix("library/")):
        return None
    if host == "docker.io" and "/" not in path:
        path = "library/" + path
    if len(f"{host}/{path}") > MAX_NAME_LENGTH:
        return None
    return host, path, matched["tag"] or "", matched["digest"] or ""


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("busybox", "docker.io/library/busybox"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("okd/scos", "docker.io/okd/scos"),
        ("index.docker.io/okd/scos", "docker.io/okd/scos"),
        ("docker.io/busybox", "docker.io/library/busybox"),
        ("localhost/app", "localhost/app"),
        ("localhost:5000/app:x", "localhost:5000/app:x"),
        ("[::1]:5000/app", "[::1]:5000/app"),
        ("[2001:db8::1]/a/b", "[2001:db8::1]/a/b"),
        ("registry.example.com/a__b/c-d--e/f.g_h", "registry.example.com/a__b/c-d--e/f.g_h"),
        (f"quay.io/okd/scos@{DIGEST}", f"quay.io/okd/scos@{DIGEST}"),
        (f"quay.io/okd/scos:x@{DIGEST}", f"quay.io/okd/scos:x@{DIGEST}"),
        ("quay.io/okd/scos-release:4.21.0-okd-scos.ec.9", None),
    ],
)
def test_references_are_completed_as_clients_do(text, canonical):
    """A reference means what it means to every other client."""
    assert str(parse_reference(text)) == (canonical or text)


def test_parts_are_told_apart():
    """Host with port, path, tag and digest each land in their field."""
    assert parse_reference(f"[::1]:5000/a/b:t@{DIGEST}") == Reference(
        host="[::1]:5000", path="a/b", tag="t", digest=DIGEST
    )


@pytest.mark.parametrize(
    ("reference", "selector"),
    [("q.io/a", "latest"), ("q.io/a:t", "t"), (f"q.io/a:t@{DIGEST}", DIGEST)],
)
def test_selector_prefers_the_digest(reference, selector):
    """The digest picks the manifest, else the tag, else the default tag."""
    assert parse_reference(reference).selector == selector


def test_a_reference_can_be_pointed_elsewhere_in_its_repository():
    """A new tag drops the digest, and a new digest drops the tag."""
    reference = parse_reference(f"quay.io/okd/scos:x@{DIGEST}")
    assert str(reference.with_tag("y")) == "quay.io/okd/scos:y"
    assert str(reference.with_digest(DIGEST)) == f"quay.io/okd/scos@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("quay.io/OKD/scos", "write 'okd'"),
        ("Team/app", "write 'team'"),
        ("quay.io/okd/scos:", "tag after ':' is missing"),
        ("quay.io/okd/scos:-x", "begins with neither"),
        ("quay.io/okd/scos:" + "x" * 129, "1 to 128"),
        ("quay.io/okd/scos@sha256:beef", "64 digits"),
        ("quay.io/okd/scos@sha512:" + HEX * 2, "sha256"),
        ("quay.io/okd/scos@", "64 digits"),
        ("https://quay.io/okd/scos", "no scheme"),
        ("quay.io//scos", "two slashes"),
        ("", "[HOST/]PATH"),
        ("quay.io/", "[HOST/]PATH"),
        ("quay.io/okd/ scos", "blanks"),
        ("quay.io/okd/s..cos", "separated by"),
        ("-quay.io/okd/scos", "not a host"),
        ("quay.io:port/okd/scos", "not a host"),
        ("[::1/app", "not a host"),
        (HEX, "image id"),
        ("quay.io/" + "a" * 300, "255 characters"),
    ],
)
def test_refusals_say_what_to_change(text, advice):
    """Every refusal names the reference and gives advice that fits the mistake."""
    with pytest.raises(InvalidReference) as caught:
        parse_reference(text)
    assert repr(text[:200]) in str(caught.value)
    assert advice in caught.value.hint


def test_the_name_may_have_exactly_255_characters():
    """The bound counts host and path together, slash included."""
    path = "a" * (MAX_NAME_LENGTH - len("quay.io/"))
    assert parse_reference(f"quay.io/{path}:tag").path == path
    with pytest.raises(InvalidReference):
        parse_reference(f"quay.io/{path}a")


@pytest.mark.parametrize("tag", ["x", "_x", "4.21.0-okd-scos.9", "A" * 128, "a..b--"])
def test_tags_are_accepted(tag):
    """A tag may have letters, digits and three marks, up to 128 characters."""
    assert parse_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", ".x", "-x", "a/b", "a:b", "é", "x\n", "A" * 129])
def test_no_tags_are_refused(tag):
    """What is no tag is refused with the rule."""
    assert not is_tag(tag)
    with pytest.raises(InvalidReference) as caught:
        parse_tag(tag)
    assert "128" in caught.value.hint


_words = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
_parts = st.lists(_words, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([".", "_", "__", "-", "---"]).map(lambda mark: mark.join(words))
)
_paths = st.lists(_parts, min_size=2, max_size=4).map("/".join)
_hosts = st.one_of(
    st.sampled_from(["localhost", "localhost:5000", "quay.io", "[::1]", "[fe80::1]:443"]),
    st.builds("{}.{}:{}".format, _words, _words, st.integers(0, 65535)),
)
_tags = st.one_of(
    st.just(""), st.from_regex(re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"), fullmatch=True)
)
_digests = st.one_of(
    st.none(), st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:{}".format)
)
_references = st.builds(Reference, host=_hosts, path=_paths, tag=_tags, digest=_digests)


@given(_references)
def test_canonical_form_reads_back(reference):
    """Every reference survives being written and parsed."""
    assert parse_reference(str(reference)) == reference


@given(st.text("ab0A._-/:@[] \n", max_size=24) | st.text(max_size=12))
@example("localhost/" + HEX)
@example("library/" + HEX)
@example("a:b/c")
@example("a_b.c/d")
@example("docker.io/library/a")
@example("a/b:c\n")
def test_parser_agrees_with_the_grammar(text):
    """Accepted are exactly the texts of the written grammar, with the same parts."""
    try:
        reference = parse_reference(text)
    except InvalidReference:
        assert _read_independently(text) is None
        return
    assert _read_independently(text) == (
        reference.host,
        reference.path,
        reference.tag,
        reference.digest or "",
    )
