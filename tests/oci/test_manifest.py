# SPDX-License-Identifier: Apache-2.0
"""Manifests: what is read, what is refused, and that nothing but our errors escapes."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import ContentError, TooLarge, UnsupportedContent
from okd_payload.oci import media_types
from okd_payload.oci.digest import digest_of
from okd_payload.oci.manifest import (
    MAX_MANIFEST_BYTES,
    Descriptor,
    ImageManifest,
    Index,
    Platform,
    encode_manifest,
    read_manifest,
)
from okd_payload.oci.media_types import Family, family_of

CONFIG = Descriptor(media_type=media_types.OCI_CONFIG, digest=digest_of(b"{}"), size=2)
LAYER = Descriptor(media_type=media_types.OCI_LAYER_GZIP, digest=digest_of(b"l"), size=1)


def _json(**fields):
    return json.dumps({"schemaVersion": 2, **fields}).encode()


def _plain(descriptor):
    return msgspec.to_builtins(descriptor)


IMAGE = {"config": _plain(CONFIG), "layers": [_plain(LAYER)]}


@pytest.mark.parametrize("family", list(Family))
def test_images_of_both_families_are_read(family):
    """Config and layers are what the bytes say, and the bytes stay as they came."""
    content = b" " + _json(mediaType=family.manifest, **IMAGE)
    manifest = read_manifest(content)
    assert (manifest.content, manifest.digest) == (content, digest_of(content))
    assert not manifest.is_index
    assert manifest.image().config == CONFIG
    assert manifest.needs() == (CONFIG, LAYER)
    assert manifest.value() == manifest.image()
    assert family_of(manifest.media_type) is family


@pytest.mark.parametrize("family", list(Family))
def test_indexes_of_both_families_are_read(family):
    """Members come with their platforms, odd ones included."""
    member = {
        **_plain(LAYER),
        "platform": {
            "architecture": "amd64",
            "os": "windows",
            "os.version": "10.0",
            "os.features": ["win32k"],
        },
    }
    manifest = read_manifest(_json(mediaType=family.index, manifests=[member]))
    assert manifest.is_index
    (found,) = manifest.index().manifests
    assert found.platform == Platform(
        architecture="amd64", os="windows", os_version="10.0", os_features=("win32k",)
    )
    assert manifest.needs() == (found,)
    assert manifest.value() == manifest.index()


@pytest.mark.parametrize(
    ("fields", "header", "expected"),
    [
        (IMAGE, "", media_types.OCI_MANIFEST),
        ({"manifests": []}, "", media_types.OCI_INDEX),
        (IMAGE, "application/json; charset=utf-8", media_types.OCI_MANIFEST),
        (IMAGE, media_types.DOCKER_MANIFEST + "; q=1", media_types.DOCKER_MANIFEST),
        (
            {"mediaType": media_types.OCI_MANIFEST, **IMAGE},
            media_types.DOCKER_MANIFEST,
            media_types.OCI_MANIFEST,
        ),
        ({"mediaType": None, **IMAGE, "manifests": None}, "", media_types.OCI_MANIFEST),
    ],
)
def test_the_type_inside_wins_then_the_header_then_the_shape(fields, header, expected):
    """A manifest is what it says it is; only a silent one is what the header or its shape says."""
    assert read_manifest(_json(**fields), media_type=header).media_type == expected


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b'{"schemaVersion":1,"name":"x","fsLayers":[]}', ""),
        (_json(**IMAGE), media_types.DOCKER_SCHEMA1_SIGNED),
    ],
)
def test_schema_1_is_refused_with_the_way_out(content, header):
    """The refusal says why, and which command makes a current image of it."""
    with pytest.raises(UnsupportedContent) as caught:
        read_manifest(content, media_type=header)
    assert "schema 1" in str(caught.value)
    assert "skopeo copy --format v2s2" in caught.value.hint


def test_unknown_types_are_refused_by_name():
    """The message names the media type that is not supported."""
    with pytest.raises(UnsupportedContent, match="application/x-strange"):
        read_manifest(_json(mediaType="application/x-strange", **IMAGE))


@pytest.mark.parametrize(
    "fields",
    [
        {**IMAGE, "manifests": []},
        {"layers": [], "manifests": []},
        {"mediaType": media_types.OCI_INDEX, **IMAGE},
        {"mediaType": media_types.OCI_INDEX, "layers": [], "manifests": []},
        {"mediaType": media_types.OCI_MANIFEST, "manifests": []},
        {"mediaType": media_types.OCI_MANIFEST},
        {"schemaVersion": 3, **IMAGE},
        {"schemaVersion": 0, "config": {}, "architecture": "amd64"},
    ],
)
def test_what_two_programs_may_read_differently_is_refused(fields):
    """Neither an image nor an index, or both at once, is no manifest."""
    with pytest.raises(ContentError):
        read_manifest(_json(**fields))


def test_manifests_are_bounded():
    """More bytes than any registry takes are refused before they are looked at."""
    with pytest.raises(TooLarge, match=str(MAX_MANIFEST_BYTES)):
        read_manifest(b" " * (MAX_MANIFEST_BYTES + 1))


@pytest.mark.parametrize(
    "config",
    [
        {"mediaType": "x", "digest": "sha256:beef", "size": 1},
        {"mediaType": "x", "digest": CONFIG.digest, "size": -1},
        {"mediaType": "x", "size": 1},
        "text",
    ],
)
def test_damaged_descriptors_are_refused_when_decoded(config):
    """A pointer at nothing is a damaged manifest, which the error names."""
    manifest = read_manifest(_json(config=config, layers=[]))
    with pytest.raises(ContentError, match=manifest.digest):
        manifest.image()


def test_an_image_is_no_index_and_an_index_no_image():
    """Asking for the wrong kind is an error, not an empty value."""
    image = read_manifest(_json(**IMAGE))
    index = read_manifest(_json(manifests=[]))
    with pytest.raises(ContentError, match=image.digest):
        image.index()
    with pytest.raises(ContentError, match=index.digest):
        index.image()


def test_nulls_are_absent_as_they_are_in_go():
    """A null leaves a field as if it were not written."""
    content = _json(config={**_plain(CONFIG), "urls": None}, layers=None, annotations=None)
    manifest = read_manifest(content[:-1] + b', "subject": null}')
    assert manifest.image() == ImageManifest(config=CONFIG)


def test_new_manifests_read_back():
    """What is encoded reads back as the same value, under the digest that was announced."""
    image = ImageManifest(
        media_type=media_types.DOCKER_MANIFEST,
        config=CONFIG,
        layers=(LAYER,),
        annotations={"a": ""},
    )
    manifest = encode_manifest(image)
    assert read_manifest(manifest.content) == manifest
    assert manifest.image() == image
    assert manifest.descriptor.size == len(manifest.content)


def test_new_manifests_name_type_and_platform_in_full():
    """What the specification requires is written, although it is a default here."""
    member = msgspec.structs.replace(LAYER, platform=Platform("arm64"))
    fields = json.loads(encode_manifest(Index(manifests=(member,))).content)
    assert fields["mediaType"] == media_types.OCI_INDEX
    assert fields["manifests"][0]["platform"] == {"architecture": "arm64", "os": "linux"}
    assert json.loads(encode_manifest(ImageManifest(config=CONFIG)).content)["layers"] == []


def test_an_image_needs_each_blob_once_and_no_foreign_layer():
    """Repeated layers count once; layers that may not be distributed do not count."""
    foreign = msgspec.structs.replace(
        LAYER, media_type=media_types.OCI_FOREIGN_LAYER_GZIP, digest=digest_of(b"f")
    )
    elsewhere = msgspec.structs.replace(foreign, urls=("https://example.com",))
    image = ImageManifest(config=CONFIG, layers=(LAYER, LAYER, elsewhere))
    assert image.blobs == (CONFIG, LAYER)
    assert ImageManifest(config=CONFIG, layers=(foreign,)).blobs == (CONFIG, foreign)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_names = st.sampled_from(
    ["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "annotations"]
)
_documents = st.dictionaries(
    _names, _values | st.sampled_from([2, *media_types.ACCEPTED, _plain(CONFIG), [_plain(LAYER)]])
)


@given(st.binary(max_size=40) | _documents.map(lambda fields: json.dumps(fields).encode()))
def test_foreign_bytes_raise_nothing_but_content_errors(content):
    """Whatever a registry sends, the caller sees a manifest or a ContentError."""
    try:
        manifest = read_manifest(content)
        manifest.value()
        manifest.needs()
    except ContentError:
        return
    assert manifest.digest == digest_of(content)


@pytest.mark.parametrize("depth", [100_000])
@pytest.mark.parametrize("opening", [b'{"schemaVersion":2,"config":', b"[", b'{"a":'])
def test_deep_nesting_is_refused(opening, depth):
    """A document nested without end is damaged content, not a crash."""
    with pytest.raises(ContentError):
        read_manifest(opening + b"[" * depth)
