# SPDX-License-Identifier: Apache-2.0
"""The examples in the description of releases, each as it stands there.

What the layer, the image, names, rewriting and signatures are like beyond these is tested beside
their modules and by the recorded runs; here people find the whole documents.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest

from okd_payload.imagestream.openshift import encode_image_stream, parse_image_stream
from okd_payload.oci.config import ImageConfig
from okd_payload.oci.digest import digest_of
from okd_payload.oci.image import Image
from okd_payload.oci.manifest import Descriptor, ImageManifest, Index, encode_manifest
from okd_payload.oci.media_types import DOCKER_CONFIG
from okd_payload.oci.reference import parse_reference
from okd_payload.release import labels
from okd_payload.release.go_text import align
from okd_payload.release.inputs import pull_spec_tag
from okd_payload.release.load import ReleaseContent, parse_release
from okd_payload.release.metadata import (
    ARCHITECTURE_KEY,
    encode_metadata,
    make_metadata,
    make_references,
)
from okd_payload.release.naming import PayloadNames, run_level_of
from okd_payload.release.new.images import Operator, SourceFile
from okd_payload.release.new.operands import read_operands, tabulate_versions
from okd_payload.release.new.rewrite import ImageRewriter, VersionRewriter
from okd_payload.release.report.describe import ImageColumn, describe_release, list_images

_HEX = "9a" * 32

_CREATED = datetime(2025, 10, 20, 11, 22, 33, tzinfo=UTC)

_IMAGE_REFERENCES = """\
{
  "kind": "ImageStream",
  "apiVersion": "image.openshift.io/v1",
  "metadata": {
    "name": "4.20.1",
    "creationTimestamp": "2025-10-20T11:22:33Z",
    "annotations": {
      "release.openshift.io/from-image-stream": "ocp/4.20-art-assembly-4.20.1",
      "release.openshift.io/from-release": "registry.example.com/ocp/release:4.20.0-0.nightly"
    }
  },
  "spec": {
    "lookupPolicy": {
      "local": false
    },
    "tags": [
      {
        "name": "cli",
        "annotations": {
          "io.openshift.build.commit.id": "0123456789abcdef0123456789abcdef01234567",
          "io.openshift.build.commit.ref": "release-4.20",
          "io.openshift.build.source-location": "https://github.com/openshift/oc",
          "io.openshift.build.version-display-names": "",
          "io.openshift.build.versions": "kubectl=1.33.3"
        },
        "from": {
          "kind": "DockerImage",
          "name": "quay.io/example/repo@sha256:HEX"
        },
        "generation": null,
        "importPolicy": {},
        "referencePolicy": {
          "type": ""
        }
      }
    ]
  },
  "status": {
    "dockerImageRepository": ""
  }
}""".replace("HEX", _HEX)

_RELEASE_METADATA = """\
{
  "kind": "cincinnati-metadata-v0",
  "version": "4.20.1",
  "previous": [
    "4.19.20",
    "4.20.0"
  ],
  "next": [
    "4.20.2"
  ],
  "metadata": {
    "description": "",
    "release.openshift.io/architecture": "multi",
    "url": "https://access.redhat.com/errata/RHSA-2025:0001"
  }
}"""

_METADATA = {
    "url": "https://access.redhat.com/errata/RHSA-2025:0001",
    "release.openshift.io/architecture": "multi",
    "description": "",
}

_VERSIONS = ("kubernetes=1.33.5", "kubernetes-tests=1.33.5", "machine-os=9.6.20251015-1")


def _tag(name, pull_spec, annotations):
    return msgspec.structs.replace(pull_spec_tag(name, pull_spec), annotations=annotations)


def test_image_references():
    """Two blanks of indentation, Go's order of keys, sorted annotations, no line end (1.4)."""
    cli = _tag(
        "cli",
        f"quay.io/example/repo@sha256:{_HEX}",
        {
            labels.VERSIONS: "kubectl=1.33.3",
            labels.DISPLAY_NAMES: "",
            labels.SOURCE: "https://github.com/openshift/oc",
            labels.COMMIT_ID: "0123456789abcdef0123456789abcdef01234567",
            labels.COMMIT_REF: "release-4.20",
        },
    )
    annotations = {
        labels.FROM_RELEASE: "registry.example.com/ocp/release:4.20.0-0.nightly",
        labels.FROM_IMAGE_STREAM: "ocp/4.20-art-assembly-4.20.1",
    }
    made = make_references("4.20.1", created=_CREATED, tags=[cli], annotations=annotations)
    assert encode_image_stream(made).decode() == _IMAGE_REFERENCES
    assert parse_image_stream(_IMAGE_REFERENCES.encode(), path="x") == made


def test_keys_of_image_references_in_any_case():
    """What documentation writes as Name: is read, in YAML as in JSON (1.4)."""
    text = (
        b"Kind: ImageStream\nApiVersion: image.openshift.io/v1\nSPEC: {Tags: [{Name: cli, "
        b"From: {Kind: DockerImage, Name: r/x}}]}\n"
    )
    (tag,) = parse_image_stream(text, path="x").spec.tags
    assert (tag.name, tag.origin.name) == ("cli", "r/x")


def test_release_metadata():
    """Versions are sorted as text, keys of metadata too, and empty values stay (1.5)."""
    made = make_metadata(
        "4.20.1", previous=["4.20.0", "4.19.20"], following=["4.20.2"], metadata=_METADATA
    )
    assert encode_metadata(made).decode() == _RELEASE_METADATA
    least = json.loads(encode_metadata(make_metadata("4.20.1+build")))
    assert least == {"kind": "cincinnati-metadata-v0", "version": "4.20.1+build", "previous": []}


def test_names_of_manifests():
    """The place that a file chose, or level 50 and the tag; equal names are numbered (1.6)."""
    names = PayloadNames()
    taken = [
        names.take(tag=tag, source=source)
        for tag, source in [
            ("op", "a.yaml"),
            ("op", "0000_30_op_crd.yaml"),
            ("other", "0000_30_op_crd.yaml"),
            ("third", "0000_30_op_crd.yaml"),
            ("op", "0000_50_op_a.yaml"),
            ("op", "note"),
            ("team/op", "a.b.json"),
        ]
    ]
    assert taken == [
        "0000_50_op_a.yaml",
        "0000_30_op_crd.yaml",
        "0000_30_op_crd_2.yaml",
        "0000_30_op_crd_3.yaml",
        "0000_50_op_a_2.yaml",
        "0000_50_op_note",
        "0000_50_team/op_a.b.json",
    ]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("0000_90_cluster-update-keys_configmap.yaml", ("90", "cluster-update-keys")),
        ("0000_50_op_a_2.yaml", ("50", "op")),
        ("0000_100_a_x.yaml", ("100", "a")),
        ("0000_50_my_op_x.yaml", ("50", "my")),
        ("0000_50_-op_x.yaml", None),
        ("0000_\u0661_op_x.yaml", None),
        ("0001_50_op_x.yaml", None),
        ("a.yaml", None),
    ],
)
def test_run_levels(name, place):
    """What the cluster reads out of a name (1.6)."""
    assert run_level_of(name) == place


_TARGET = "q.io/r@sha256:aa"


@pytest.mark.parametrize(
    ("placeholder", "text", "expected"),
    [
        ("repo", "repo", _TARGET),
        ("repo", "- repo\n", f"- {_TARGET}\n"),
        ("repo", '-images=x=repo:latest"', f'-images=x={_TARGET}"'),
        ("r.io/x:cli", "image: r.io/x:cli\n", f"image: {_TARGET}\n"),
        ("r.io/x:cli", "image: r.io/x:cli@sha256:00\n", f"image: {_TARGET}\n"),
        ("r.io/x", "a.r.io/x", f"a.{_TARGET}"),
        ("r.io/x", "docker://r.io/x", f"docker://{_TARGET}"),
        ("r.io/x", "r.io/x@sha256:0f0f", _TARGET),
        ("$(OP)", "image: $(OP)", f"image: {_TARGET}"),
        ("{{ .Image }}", "image: '{{ .Image }}'", f"image: '{_TARGET}'"),
        ("repo", "repo\trepo\n\nrepo", f"{_TARGET}\trepo\n\n{_TARGET}"),
    ],
)
def test_what_is_replaced(placeholder, text, expected):
    """The list of what is replaced (2.6)."""
    assert ImageRewriter({placeholder: _TARGET}).rewrite(text.encode()).decode() == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://a/b:8443/test",
        "a/b-other:latest",
        "[a/b:tag]",
        "a/b:tag,",
        "a/b:1,c/d:2",
        "a/b:tag@sha256:0f0f",
        "a/b\v",
        "a/b/c",
        "xa/b",
    ],
)
def test_what_is_left_alone(text):
    """The list of what is left alone (2.6)."""
    assert ImageRewriter({"a/b": _TARGET}).rewrite(text.encode()).decode() == text


def _table(tags, listing):
    operator = Operator("op", (SourceFile("image-references", listing.encode(), 0),))
    return tabulate_versions(read_operands(operator), {tag.name: tag for tag in tags}, defaults={})


def test_versions_by_the_table(listing):
    """Each row; display names are never written, and of a version no build metadata (2.6)."""
    tags = [
        _tag(
            "hyperkube",
            "r/a",
            {
                labels.VERSIONS: "kubernetes=1.33.5+x,machine-os=9.1.0",
                labels.DISPLAY_NAMES: "kubernetes=Kubernetes (ours)",
            },
        ),
        _tag("os", "r/b", {labels.VERSIONS: "machine-os=9.2.0"}),
    ]
    table, issues = _table(tags, listing(hyperkube="r/h", os="r/o"))
    assert issues == []
    rewriter = VersionRewriter("4.20.1", table)
    refused = {
        "-": "empty version references are not allowed",
        "-nope": 'unknown version reference "nope"',
        "-kubernetes-foo": 'unknown version reference "kubernetes-foo"',
        "-machine-os": 'the version for "machine-os" is inconsistent across the referenced images',
    }
    for suffix, problem in refused.items():
        found = rewriter.rewrite(f"0.0.1-snapshot{suffix}".encode())
        assert found.content.decode() == f"0.0.1-snapshot{suffix}"
        assert [text.partition(":")[0] for text in found.problems] == [problem]
    replaced = {"": "4.20.1", "foo": "0.0.1-snapshotfoo", "-kubernetes": "1.33.5"}
    for suffix, text in replaced.items():
        found = rewriter.rewrite(f"0.0.1-snapshot{suffix}".encode())
        assert (found.content.decode(), found.problems) == (text, ())


_DEFAULT_LAYOUT = """Name:           4.20.1
Digest:         LIST
Created:        2025-10-20T11:22:33Z
OS/Arch:        multi (linux/amd64)
Manifests:      1
Metadata files: 2

Pull From: quay.io/openshift-release-dev/ocp-release@LIST

Release Metadata:
  Version:  4.20.1
  Upgrades: 4.19.18, 4.19.19, 4.20.0
  Metadata:
    url: https://access.redhat.com/errata/RHSA-2025:0001

Component Versions:
  kubectl          1.33.3
  kubernetes       1.33.5
  kubernetes-tests 1.33.5
  machine-os       9.6.20251015-1 Red Hat Enterprise Linux CoreOS

Images:
  NAME                       DIGEST
  agent-installer-api-server sha256:HEX
  cli                        sha256:HEX

Warnings:
* multiple versions or display names reported for the following component(s): kubernetes
"""


def _indexed_image():
    pointer = Descriptor(media_type=DOCKER_CONFIG, digest=digest_of(b"{}"), size=2)
    manifest = encode_manifest(ImageManifest(config=pointer))
    return Image(
        referenced=encode_manifest(Index(manifests=(manifest.descriptor,))),
        manifest=manifest,
        content=manifest.image(),
        config=ImageConfig(os="linux", architecture="amd64", created="2025-10-20T11:22:33.7Z"),
        config_bytes=b"{}",
    )


def test_default_layout():
    """The page that people and scripts read, to the blank (3.1)."""
    pull_spec = f"quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:{_HEX}"
    tags = [
        _tag(
            "agent-installer-api-server",
            pull_spec,
            {
                labels.VERSIONS: ",".join(_VERSIONS),
                labels.DISPLAY_NAMES: "machine-os=Red Hat Enterprise Linux CoreOS",
            },
        ),
        _tag("cli", pull_spec, {labels.VERSIONS: "kubectl=1.33.3,kubernetes=1.33.9"}),
    ]
    metadata = make_metadata(
        "4.20.1", previous=["4.20.0", "4.19.18", "4.19.19"], metadata={**_METADATA, "list": []}
    )
    del metadata.metadata[ARCHITECTURE_KEY]
    references = make_references("4.20.1", created=_CREATED, tags=tags, annotations={})
    image = _indexed_image()
    release = parse_release(
        ReleaseContent(
            origin="x",
            files={
                "image-references": encode_image_stream(references),
                "release-metadata": encode_metadata(metadata),
                "0000_50_op_a.yaml": b"",
                "0000_50_op_note.txt": b"",
                "README": b"",
            },
            image=image,
        )
    )
    place = parse_reference("quay.io/openshift-release-dev/ocp-release:4.20.1")
    text = describe_release(
        release,
        pull_from=place.with_digest(image.referenced.digest),
        images=list_images(release, ImageColumn.DIGEST),
    )
    found = "\n".join(line.rstrip() for line in text.splitlines())
    expected = _DEFAULT_LAYOUT.replace("LIST", image.referenced.digest).replace("HEX", _HEX)
    assert found == expected
    assert text.endswith("kubernetes\n\n")


_LAYOUTS = {
    ImageColumn.DIGEST: ["  NAME DIGEST", "  a    sha256:HEX", "  tag  q.test/r:v1"],
    ImageColumn.PULL_SPEC: ["  NAME PULL SPEC", "  a    q.test/r@sha256:HEX", "  tag  q.test/r:v1"],
    ImageColumn.COMMIT: [
        *("  NAME REPO                   COMMIT", "  a    https://github.com/o/r c1", "  tag"),
    ],
    ImageColumn.COMMIT_URL: ["  NAME URL", "  a    https://github.com/o/r/commit/c1", "  tag"],
}


@pytest.mark.parametrize("column", list(ImageColumn))
def test_columns_of_images(column):
    """Each table that a flag asks for (3)."""
    said = {labels.SOURCE: "https://github.com/o/r", labels.COMMIT_ID: "c1"}
    tags = [_tag("a", f"q.test/r@sha256:{_HEX}", said), pull_spec_tag("tag", "q.test/r:v1")]
    references = make_references("4.20.1", created=_CREATED, tags=tags, annotations={})
    files = {"image-references": encode_image_stream(references)}
    release = parse_release(ReleaseContent(origin="x", files=files))
    lines = align(list_images(release, column)).replace(_HEX, "HEX").splitlines()
    assert [line.rstrip() for line in lines] == _LAYOUTS[column]
