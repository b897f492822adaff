# SPDX-License-Identifier: Apache-2.0
"""Files of an image stream to whoever wants them, as a container of it would see them."""

from __future__ import annotations

import io
import tarfile

import pytest

from okd_payload.errors import ContentError, DigestMismatch
from okd_payload.oci.layers.stream import stream_files
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository


class Taken:
    """A sink that keeps what it gets."""

    def __init__(self):
        self.files = []
        self.ended = 0

    def begin(self, entry):
        self.files.append(b"")

    def take(self, content):
        self.files[-1] += bytes(content)

    def end(self):
        self.ended += 1


def layer(*entries):
    """An archive of names and contents; ">target" is a symbolic link, "=target" a hard one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type = tarfile.SYMTYPE if content.startswith(">") else tarfile.LNKTYPE
                info.linkname = content[1:]
                archive.addfile(info)
            elif content is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


async def stream(layers, *paths):
    """What sinks at ``paths`` got last, None for nothing, and how often each layer was read."""
    repository = MemoryRepository()
    manifest = await push_image(repository, layers=layers)
    repository.operations.clear()
    sinks = {path: Taken() for path in paths}
    listed = manifest.image().layers
    absent = await stream_files(
        repository.blobs, listed, {path: [sink] for path, sink in sinks.items()}
    )
    reads = [repository.operations.count(("read", item.digest)) for item in listed]
    return [None if path in absent else sinks[path].files[-1] for path in paths], reads


async def test_the_upper_layer_counts():
    """A file in a lower layer is hidden by one of the same name, and not even read."""
    layers = [layer(("a/b", b"old")), layer(("a/b", b"new"))]
    assert await stream(layers, "a/b") == ([b"new"], [0, 1])


async def test_several_files_take_one_pass():
    """Each layer is read once for all files."""
    layers = [layer(("a", b"1"), ("b", b"2")), layer(("./c", b"3"))]
    assert await stream(layers, "a", "b", "c", "d") == ([b"1", b"2", b"3", None], [1, 1])


@pytest.mark.parametrize(
    "upper", [("a/.wh.b", b""), (".wh.a", b""), ("a/.wh..wh..opq", b""), ("a", b"file")]
)
async def test_what_an_upper_layer_removes_is_absent(upper):
    """Whiteouts of a file, of a folder, and files in place of a folder hide what is below."""
    found, _ = await stream([layer(("a/b", b"old")), layer(upper)], "a/b")
    assert found == [None]


async def test_a_later_entry_of_a_layer_replaces_an_earlier_one():
    """Sinks are told to begin again."""
    found, _ = await stream([layer(("a", b"first"), ("a", b"second"))], "a")
    assert found == [b"second"]


@pytest.mark.parametrize(
    "link",
    [
        ("bin", ">usr/bin"),
        ("bin", ">/usr/bin"),
        ("bin/oc", ">../usr/bin/oc"),
        ("bin/oc", "=usr/bin/oc"),
    ],
)
async def test_links_are_followed_in_the_image(link):
    """Symbolic links on the way and at the end, and hard links, lead to the file."""
    found, _ = await stream([layer(("usr/bin/oc", b"oc"), link)], "bin/oc")
    assert found == [b"oc"]


async def test_a_link_into_a_lower_layer_is_followed():
    """A hard link may name a file of a layer below."""
    found, _ = await stream([layer(("a", b"1")), layer(("b", "=a"), ("c", ">a"))], "b", "c")
    assert found == [b"1", b"1"]


async def test_a_link_and_its_target_may_both_be_wanted():
    """Each gets the content."""
    found, _ = await stream([layer(("a", b"1"), ("b", "=a"), ("c", ">b"))], "a", "b", "c")
    assert found == [b"1", b"1", b"1"]


async def test_folders_and_dead_links_are_no_files():
    """What is no file in the end is absent."""
    found, _ = await stream([layer(("a", None), ("b", ">nowhere"))], "a", "b")
    assert found == [None, None]


async def test_links_in_circles_are_refused():
    """An image may be made by anybody."""
    with pytest.raises(ContentError, match="too many links"):
        await stream([layer(("a", ">b"), ("b", ">a"))], "a")


async def test_links_out_of_the_image_stay_inside():
    """The parent of the root is the root."""
    found, _ = await stream([layer(("etc/x", b"in"), ("a", ">../../etc/x"))], "a")
    assert found == [b"in"]


async def test_damaged_content_is_an_error_after_the_last_byte():
    """Whoever took content must wait for the end."""
    repository = MemoryRepository()
    manifest = await push_image(repository, layers=[layer(("a", b"1"))])
    listed = manifest.image().layers
    content = repository.blobs.contents[listed[0].digest]
    repository.blobs.contents[listed[0].digest] = content[:-1] + b"!"
    with pytest.raises(DigestMismatch):
        await stream_files(repository.blobs, listed, {"a": [Taken()]})
