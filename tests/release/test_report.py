# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from okd_payload.errors import ContentError, NotFound, ReleaseError
from okd_payload.oci.config import ImageConfig
from okd_payload.oci.digest import digest_of
from okd_payload.oci.image import Image
from okd_payload.oci.manifest import Descriptor, ImageManifest
from okd_payload.oci.media_types import Family
from okd_payload.release.components import look_up, require_all
from okd_payload.release.docker_config import parse_docker_config
from okd_payload.release.go_text import align, format_value
from okd_payload.release.inputs import pull_spec_tag
from okd_payload.release.load import ReleaseContent, load_release, parse_release
from okd_payload.release.new.publish import publish_release
from okd_payload.release.report.describe import ImageColumn, list_images, list_sizes
from okd_payload.release.report.sizes import describe_sizes, format_duration
from okd_payload.release.times import from_seconds


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (True, "true"),
        (0.0, "0"),
        (1.5, "1.5"),
        (100000.0, "100000"),
        (1000000.0, "1e+06"),
        (123456789.0, "1.23456789e+08"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (["x", 1.0], "[x 1]"),
        ({"y": "z", "a": False}, "map[a:false y:z]"),
        ("text", "text"),
    ],
)
def test_values_look_like_go(value, text):
    """Values out of JSON are shown as Go's %v shows them."""
    assert format_value(value) == text


def test_columns():
    """Columns are as wide as their widest cell, run by run; the last text of a line is free."""
    assert align(["a\tb\tcc", "aaa\tbbb\tc", "free text", "x\ty"]) == (
        "a   b   cc\naaa bbb c\nfree text\nx y\n"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (86400 * 3, "3d"), (86400 * 800, "2y")],
)
def test_ages(seconds, text):
    """Ages are in one unit."""
    assert format_duration(seconds) == text


async def _load(world):
    release = await world.release()
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    return await load_release(world.target, "x")


async def test_sizes(world, listing):
    """Shared layers count once in the total; every base has a letter in its own column."""
    image = await world.add_base(family=Family.OCI)
    await world.add("op", {})
    world.tags["same"] = image.digest
    await world.add("list", {"image-references": listing(same="r/same")})
    release = await _load(world)
    images = require_all(await look_up(release.tags, world.repository_of))
    lines = list_sizes(release, images, now=from_seconds(1_800_000_000))
    assert lines[1].split()[0] == "cluster-version-operator"
    assert lines[1].endswith("  A")
    assert [line.rpartition(" ")[2] for line in lines[1:5]] == ["A", "B", "C", "A"]
    assert lines[2].endswith("   B")
    assert lines[-1] == "  61.44kB across 6 layers, 3 different base images"
    assert len(list_sizes(release, {}, now=from_seconds(0))) == 3


def _image(*layers):
    """An image of which only the layers are known: their names, and their sizes in MiB."""
    content = ImageManifest(
        config=Descriptor(media_type="x", digest=digest_of(b"{}"), size=2),
        layers=tuple(
            Descriptor(media_type="x", digest=digest_of(name.encode()), size=size * 2**20)
            for name, size in layers
        ),
    )
    return Image(
        referenced=None, manifest=None, content=content, config=ImageConfig(), config_bytes=b"{}"
    )


def _sizes(**images):
    tags = [pull_spec_tag(name, f"q.test/r@sha256:{name}") for name in images]
    return describe_sizes(tags, images, now=from_seconds(0))


def test_one_base_is_not_shown():
    """Where all images have the same first layer, no column tells it, and the total neither."""
    lines = _sizes(a=_image(("b", 1), ("x", 2)), b=_image(("b", 1)))
    assert lines == [
        "  NAME  AGE  LAYERS  SIZE MB  UNIQUE MB  ",
        "  a               2      3.0        2.0  ",
        "  b               1      1.0        1.0  ",
        "",
        "  3.146MB across 2 layers",
    ]


def test_many_bases_are_numbered():
    """More than five bases would need too many columns of letters."""
    lines = _sizes(**{name: _image((name, 1)) for name in "abcdef"})
    assert [line.split()[-1] for line in lines[1:7]] == ["1", "2", "3", "4", "5", "6"]
    assert lines[-1].endswith("6 different base images")


def test_shared_images_are_told_once():
    """An image without layers of its own shows its last one, the first time."""
    lines = _sizes(a=_image(("b", 1), ("x", 2)), same=_image(("b", 1), ("x", 2)))
    assert [line.split()[-1] for line in lines[1:3]] == ["2.0", "0.0"]


async def test_images_that_are_gone(world):
    """All images that cannot be had are told in one error."""
    await world.add_base()
    await world.add("op", {})
    release = await _load(world)
    config = (await world.repository.manifests.get("op")).image().config.digest
    world.repository.blobs.contents[config] = b"{" * len(world.repository.blobs.contents[config])
    del world.repository.manifests.images[world.tags["cluster-version-operator"]]
    components = await look_up(release.tags, world.repository_of)
    with pytest.raises(NotFound) as caught:
        require_all(components)
    assert len(caught.value.message.splitlines()) == 2


def test_what_is_no_release():
    """An image without the files of a release, or with broken ones, is refused with a reason."""
    with pytest.raises(ReleaseError, match="did not contain an image-references"):
        parse_release(ReleaseContent(origin="x", files={}))
    with pytest.raises(ReleaseError, match="not an ImageStream"):
        parse_release(ReleaseContent(origin="x", files={"image-references": b"{}"}))


def test_damaged_configuration():
    """A configuration that is no JSON is an error of content."""
    with pytest.raises(ContentError, match="damaged"):
        parse_docker_config(b"{")


async def test_commit_links(world):
    """GitHub is linked, however its location is written; other places are named."""
    await world.add_base()
    release = await _load(world)
    tag = release.tags[0]
    shown = {
        "https://github.com/o/r": "https://github.com/o/r/commit/abc",
        "git@github.com:o/r.git": "https://github.com/o/r/commit/abc",
        "https://git.test/o/r": "https://git.test/o/r abc",
    }
    for location, link in shown.items():
        tag.annotations.update(
            {"io.openshift.build.source-location": location, "io.openshift.build.commit.id": "abc"}
        )
        assert list_images(release, ImageColumn.COMMIT_URL)[1].endswith(f"\t{link}")
