# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from okd_payload.release.cluster.metadata import read_facts, read_images
from okd_payload.release.cluster.refusal import UnusableMetadata

_STREAM = "kind: ImageStream\napiVersion: image.openshift.io/v1\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"null", 'unrecognized Cincinnati metadata kind ""'),
        (b'{"version": "4.20.0"}', 'unrecognized Cincinnati metadata kind ""'),
        (b'{"kind": null, "version": "1.2.3"}', 'unrecognized Cincinnati metadata kind ""'),
        (
            b'{"kind": "cincinnati-metadata-v0", "version": "1..3"}',
            (
                'invalid Cincinnati metadata version "1..3": '
                'strconv.ParseUint: parsing "": invalid syntax'
            ),
        ),
        (b'{"kind": "cincinnati-metadata-v0"}', "missing required Cincinnati metadata version"),
    ],
)
def test_unusable_facts(content, message):
    """What is not said is not there: nothing has a default."""
    with pytest.raises(UnusableMetadata) as caught:
        read_facts(content)
    assert caught.value.message == message


def test_halves_of_characters():
    """What Go reads with a replacement character is no reason to refuse."""
    content = (
        b'{"kind": "cincinnati-metadata-v0", "version": "1.2.3", "metadata": {"a": "\\ud800"}}'
    )
    assert read_facts(content).metadata.metadata == {"a": "\ufffd"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("kind: ImageStream\n", "Object 'apiVersion' is missing in 'kind: ImageStream\n'"),
        ("kind: X\napiVersion: a/b/c\n", "unexpected GroupVersion string: a/b/c"),
        (_STREAM + "metadata: {labels: {a: 1}}\n", "labels.a: text is needed here, not '1'"),
        (_STREAM + "metadata: {generation: x}\n", "generation: a whole number is needed"),
        (
            _STREAM + 'metadata: {creationTimestamp: "2025-10-20 11:22:33Z"}\n',
            'parsing time "2025-10-20 11:22:33Z"',
        ),
        (_STREAM + "metadata: {name: 4.20}\n", "metadata.name: text is needed here, not '4.2'"),
        ('{"kind": "ImageStream"} x', "couldn't get version/kind; json parse error: "),
    ],
)
def test_unusable_images(content, problem):
    """Fields that nobody uses must be of their types, too."""
    with pytest.raises(UnusableMetadata) as caught:
        read_images(content.encode())
    assert caught.value.message.startswith(f"unmarshal image-references: {problem}")


def test_other_objects_are_told_by_their_types():
    """What the operator can read and is no ImageStream is named by its type."""
    with pytest.raises(UnusableMetadata) as caught:
        read_images(b"kind: Secret\napiVersion: v1\n")
    assert caught.value.message == "image-references is a *v1.Secret, not a v1 ImageStream"
