# SPDX-License-Identifier: Apache-2.0
"""Writing layers."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from okd_payload.errors import ContentError, StorageError
from okd_payload.oci import media_types
from okd_payload.oci.digest import digest_of
from okd_payload.oci.layers.entry import NANOSECONDS, Entry, EntryKind
from okd_payload.oci.layers.writer import LayerBlob, LayerWriter


def write(path: Path, media_type: str = media_types.DOCKER_LAYER_GZIP) -> LayerBlob:
    """A small layer with everything in it."""
    with LayerWriter(path, media_type=media_type) as writer:
        writer.add_folder("release-manifests", mode=0o777, mtime=1_700_000_000)
        mtime_ns = 1_700_000_001 * NANOSECONDS
        file = Entry(name="release-manifests/a", mode=0o444, size=7, mtime_ns=mtime_ns)
        writer.add(file, [b"content"])
        link = Entry(name="l", kind=EntryKind.SYMBOLIC_LINK, mode=0o777, link="release-manifests")
        writer.add(link)
        return writer.finish()


def test_a_layer_holds_what_was_added_in_that_order(tmp_path: Path) -> None:
    """Names, modes, times and owners are those that were given."""
    blob = write(tmp_path / "layer")
    with tarfile.open(blob.path) as archive:
        found = [
            (info.name, info.mode, info.mtime, info.type, info.linkname, info.uid, info.uname)
            for info in archive
        ]
        file = archive.extractfile("release-manifests/a")
        assert file is not None
        assert file.read() == b"content"
    assert found == [
        ("release-manifests", 0o777, 1_700_000_000, tarfile.DIRTYPE, "", 0, ""),
        ("release-manifests/a", 0o444, 1_700_000_001, tarfile.REGTYPE, "", 0, ""),
        ("l", 0o777, 0, tarfile.SYMTYPE, "release-manifests", 0, ""),
    ]


@pytest.mark.parametrize("media_type", [media_types.OCI_LAYER_GZIP, media_types.OCI_LAYER])
def test_digests_and_sizes_are_those_of_the_file(tmp_path: Path, media_type: str) -> None:
    """What is said of a layer is true, compressed or not."""
    blob = write(tmp_path / "layer", media_type)
    content = blob.path.read_bytes()
    archive = gzip.decompress(content) if media_type == media_types.OCI_LAYER_GZIP else content
    assert (blob.digest, blob.size) == (digest_of(content), len(content))
    assert blob.diff_id == digest_of(archive)
    assert blob.descriptor.media_type == media_type
    assert archive.endswith(bytes(1024))
    assert len(archive) == 3 * 512 + 512 + 1024


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    """Nothing of the moment or the place gets into a layer."""
    assert write(tmp_path / "a").path.read_bytes() == write(tmp_path / "b").path.read_bytes()


def test_an_unfinished_layer_leaves_nothing(tmp_path: Path) -> None:
    """When something goes wrong on the way no file stays behind."""
    with pytest.raises(KeyError), LayerWriter(tmp_path / "a", media_type=media_types.OCI_LAYER):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_content_must_be_as_long_as_its_header_says(tmp_path: Path) -> None:
    """A file that changes size while it is added is refused."""
    writer = LayerWriter(tmp_path / "a", media_type=media_types.OCI_LAYER)
    with writer, pytest.raises(ContentError, match="not as long as its header says"):
        writer.add(Entry(name="a", size=3), [b"ab"])


def test_zstd_is_not_written(tmp_path: Path) -> None:
    """Only what every reader of the field understands is written."""
    with pytest.raises(ContentError, match="not with zstd"):
        LayerWriter(tmp_path / "a", media_type=media_types.OCI_LAYER_ZSTD)


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    """An absent folder and a name that is taken are StorageError."""
    with pytest.raises(StorageError, match="absent"):
        LayerWriter(tmp_path / "absent" / "a", media_type=media_types.OCI_LAYER)
    (tmp_path / "a" / "b").mkdir(parents=True)
    writer = LayerWriter(tmp_path / "a", media_type=media_types.OCI_LAYER)
    with writer, pytest.raises(StorageError, match="cannot write the layer"):
        writer.finish()


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    """On the device that is always full there is a message, not a traceback."""
    (tmp_path / ".a.partial").symlink_to("/dev/full")
    writer = LayerWriter(tmp_path / "a", media_type=media_types.OCI_LAYER)
    with writer, pytest.raises(StorageError, match="No space left"):
        writer.add(Entry(name="a", size=1_000_000), [b"x" * 1_000_000])


def test_what_is_written_can_be_read(tmp_path: Path, seen_in: Callable[..., Any]) -> None:
    """Our own reader agrees with our writer."""
    blob = write(tmp_path / "a", media_types.OCI_LAYER)
    seen = seen_in(blob.path.read_bytes(), [1, 511, 600])
    assert [entry.name for entry in seen.entries] == [
        "release-manifests",
        "release-manifests/a",
        "l",
    ]
    assert seen.contents[1] == b"content"
