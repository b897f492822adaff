# SPDX-License-Identifier: Apache-2.0
"""Which images go where, decided before anything is asked."""

from __future__ import annotations

import pytest

from okd_payload.errors import ReleaseError
from okd_payload.release.inputs import pull_spec_tag
from okd_payload.release.mirror.plan import find_components

DIGEST = "sha256:" + "1" * 64


def test_images_must_be_named_by_digest():
    """Every image that is named otherwise is told of, in the words of oc."""
    tags = [pull_spec_tag("a", "q.test/a:latest"), pull_spec_tag("b", "q.test/b@x")]
    with pytest.raises(ReleaseError) as caught:
        find_components([*tags, pull_spec_tag("c", f"q.test/c:t@{DIGEST}")])
    assert caught.value.message.splitlines() == [
        "image-references should only contain pointers to images by digest: q.test/a:latest",
        "release tag \"b\" is not valid: 'q.test/b@x' is not an image reference",
        f"image-references should only contain pointers to images by digest: q.test/c:t@{DIGEST}",
    ]


def test_tags_without_an_image_are_passed_over():
    """Only pull specs are mirrored."""
    found = find_components([pull_spec_tag("a", f"q.test/a@{DIGEST}"), pull_spec_tag("b", "")])
    assert set(found) == {"a"}
