# SPDX-License-Identifier: Apache-2.0
"""ImageStream objects in files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from okd_payload.errors import InvalidDocument
from okd_payload.imagestream.openshift import (
    ImageStreamSpec,
    ImageStreamStatus,
    ImportPolicy,
    ObjectMetadata,
    ObjectReference,
    RawImageStream,
    ReferencePolicy,
    TagEvent,
    TagEventCondition,
    TagHistory,
    TagReference,
    encode_image_stream,
    parse_image_stream,
    read_image_stream_file,
)

STREAM = RawImageStream(
    metadata=ObjectMetadata(
        name="4.20.1",
        namespace="ocp",
        creation_timestamp=datetime(2025, 10, 20, 11, 22, 33, tzinfo=UTC),
        annotations={"b": "2", "a": "<1>"},
    ),
    spec=ImageStreamSpec(
        tags=(
            TagReference(
                name="cli",
                annotations={"z": "", "a": "b"},
                origin=ObjectReference(kind="DockerImage", name="quay.io/o/c@sha256:1"),
                generation=4,
                import_policy=ImportPolicy(insecure=True, import_mode="PreserveOriginal"),
                reference_policy=ReferencePolicy(type="Source"),
            ),
            TagReference(name="bare"),
        ),
    ),
    status=ImageStreamStatus(
        docker_image_repository="registry/ocp/4.20",
        public_docker_image_repository="quay.io/ocp/4.20",
        tags=(
            TagHistory(
                tag="cli",
                items=(
                    TagEvent(docker_image_reference="quay.io/o/c", image="sha256:1", generation=4),
                ),
            ),
            TagHistory(
                tag="bare",
                conditions=(TagEventCondition(type="ImportSuccess", status="False", generation=2),),
            ),
        ),
    ),
)


def test_writing_and_reading_give_the_same_stream() -> None:
    """A stream survives its file."""
    assert parse_image_stream(encode_image_stream(STREAM), path="f") == STREAM


def test_an_empty_stream_has_the_form_that_go_gives_it() -> None:
    """Go writes some empty fields and leaves others out."""
    stream = RawImageStream(
        metadata=ObjectMetadata(name="x"), spec=ImageStreamSpec(tags=(TagReference(name="t"),))
    )
    assert json.loads(encode_image_stream(stream)) == {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "x", "creationTimestamp": None},
        "spec": {
            "lookupPolicy": {"local": False},
            "tags": [
                {
                    "name": "t",
                    "annotations": None,
                    "generation": None,
                    "importPolicy": {},
                    "referencePolicy": {"type": ""},
                }
            ],
        },
        "status": {"dockerImageRepository": ""},
    }


def test_keys_of_any_case_are_read() -> None:
    """YAML with capitals where nobody expects them is read all the same."""
    content = (
        "Kind: ImageStream\napiversion: image.openshift.io/v1\nSPEC:\n  Tags:\n  - NAME: cli\n"
        "    From: {kind: DockerImage, Name: 'r/x'}\nstatus:\n  publicdockerimagerepository: r/y\n"
    )
    stream = parse_image_stream(content.encode(), path="f")
    assert [tag.name for tag in stream.spec.tags] == ["cli"]
    assert stream.spec.tags[0].origin == ObjectReference(kind="DockerImage", name="r/x")
    assert stream.status.public_docker_image_repository == "r/y"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not an ImageStream in image.openshift.io/v1, but kind ''"),
        ("kind: List\napiVersion: v1\n", "but kind 'List' in apiVersion 'v1'"),
        ("kind: ImageStream\n  apiVersion: x\n", "f:2: not valid YAML"),
        (
            (
                "kind: ImageStream\napiVersion: image.openshift.io/v1\n"
                "metadata: {creationTimestamp: yesterday}\n"
            ),
            "metadata.creationTimestamp: a time like",
        ),
        (
            "kind: ImageStream\napiVersion: image.openshift.io/v1\nspec: {tags: {a: b}}\n",
            "spec.tags: a list is needed here",
        ),
    ],
)
def test_other_files_are_refused(content: str, message: str) -> None:
    """What is not an image stream is refused by file and field."""
    with pytest.raises(InvalidDocument, match=message):
        parse_image_stream(content.encode(), path="f")


def test_files_are_read_by_path(tmp_path: Path) -> None:
    """A file is read, and an absent one is named."""
    file = tmp_path / "stream.json"
    file.write_bytes(encode_image_stream(STREAM))
    assert read_image_stream_file(file) == STREAM
    with pytest.raises(InvalidDocument, match=r"absent\.json: No such file"):
        read_image_stream_file(tmp_path / "absent.json")


def test_recorded_image_references_are_reproduced(shared_data: Path) -> None:
    """Every file that the Go tool wrote comes out byte for byte when read and written."""
    recorded = sorted(
        shared_data.glob("oc-golden/cases/*/expected/release-manifests/image-references")
    )
    assert recorded
    for file in recorded:
        content = file.read_bytes().replace(b'"{now}"', b'"2026-01-02T03:04:05Z"')
        stream = parse_image_stream(content, path=str(file))
        assert encode_image_stream(stream) == content, file
