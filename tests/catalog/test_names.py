# SPDX-License-Identifier: Apache-2.0
"""What the name of an image means in a stream."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.names import ExternalImage, TagImage, Unresolved, resolve_image
from okd_payload.errors import UnknownName

_STREAM = """
substitutions:
  - {glob: "registry.ci.openshift.org/ocp/builder:*", image: base}
  - {glob: "fedora:*", image: "quay.io/fedora/fedora:{1}"}
  - {glob: "old:*", image: "{1}"}
  - {glob: "mirror:*", image: "registry.ci.openshift.org/x/y:{1}"}
  - {glob: "alias:*", image: "tools:centos9"}
imports:
  os: {image: "quay.io/okd/os:1"}
  tools:centos9: {image: "quay.io/centos/centos:stream9"}
  tools:same: {tag: "tools:centos9"}
  tools:own: {tag: os}
  tools:a: {tag: "tools:b"}
  tools:b: {tag: "tools:a"}
components: {gone: {skip: does not build}}
"""


@pytest.fixture
def catalog(load: Callable[..., Catalog]) -> Catalog:
    """A stream with two components, one of them left out, and imports."""
    return load(_STREAM, base="base: os\n", gone="base: base\n")


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("base", TagImage("base")),
        ("os", TagImage("os")),
        ("tools:centos9", ExternalImage("quay.io/centos/centos:stream9")),
        ("tools:same", ExternalImage("quay.io/centos/centos:stream9")),
        ("tools:own", TagImage("os")),
        (
            "registry.ci.openshift.org/ocp/builder:x",
            TagImage("base", rule="registry.ci.openshift.org/ocp/builder:*"),
        ),
        ("fedora:36", ExternalImage("quay.io/fedora/fedora:36", rule="fedora:*")),
        ("alias:x", ExternalImage("quay.io/centos/centos:stream9", rule="alias:*")),
        ("quay.io/x/y@sha256:" + "0" * 64, ExternalImage("quay.io/x/y@sha256:" + "0" * 64)),
        ("localhost:5000/x", ExternalImage("localhost:5000/x")),
    ],
)
def test_meanings(catalog: Catalog, name: str, image: TagImage | ExternalImage) -> None:
    """Tags come first, then other streams' tags, substitutions, and pull specs with a host."""
    assert resolve_image(name, catalog) == image


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("bas", "bas is neither a tag of the stream nor an image elsewhere", "did you mean base?"),
        ("golang:1.21", "golang:1.21 is neither", "write docker.io/library/golang:1.21"),
        ("tools:centos8", "tools:centos8 is neither", "did you mean tools:centos9"),
        ("tools:a", "tools:a is neither", ""),
        ("gone", "gone is left out of the stream: does not build", "`stub`"),
        ("old:bas", "the substitution 'old:*' gives for old:bas", "did you mean base?"),
        ("A b", "'A b' is not an image reference", "lower case"),
    ],
)
def test_names_that_mean_nothing(catalog: Catalog, name: str, message: str, hint: str) -> None:
    """A dangling name says why, and offers what was probably meant."""
    found = resolve_image(name, catalog)
    assert isinstance(found, Unresolved)
    issue = found.problem.issue(component="c", file="f", line=3)
    assert (issue.code, issue.component, issue.file, issue.line) == (
        "dangling-reference",
        *("c", "f", 3),
    )
    assert message in issue.message
    assert hint in issue.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            "registry.ci.openshift.org/ocp/4.15:base",
            "add to substitutions: {glob: 'registry.ci.openshift.org/ocp/4.15:base', image: base}",
        ),
        ("mirror:cli", "{glob: 'registry.ci.openshift.org/x/y:cli', image: TAG}"),
    ],
)
def test_private_references_are_problems(catalog: Catalog, name: str, hint: str) -> None:
    """A private image is an image with an issue, which a stream may permit; the hint mends it."""
    found = resolve_image(name, catalog)
    assert isinstance(found, ExternalImage)
    assert found.problem is not None
    assert found.problem.code.code == "private-reference"
    assert hint in found.problem.hint


def test_components_are_found_by_name(catalog: Catalog) -> None:
    """The error for an unknown component offers others, or says that it is left out."""
    assert catalog.component("base").name == "base"
    with pytest.raises(UnknownName, match="unknown component 'bose'") as caught:
        catalog.component("bose")
    assert caught.value.hint == "did you mean base?"
    with pytest.raises(UnknownName) as caught:
        catalog.component("gone")
    assert caught.value.hint == "the stream leaves it out: does not build"
