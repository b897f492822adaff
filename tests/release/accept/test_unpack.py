# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import tarfile

from okd_payload.oci.image import read_image
from okd_payload.release.accept.unpack import (
    PROGRAMS,
    read_release_folder,
    read_unpacked,
    unpack_image,
)
from okd_payload.release.cluster.tree import PayloadFolder
from okd_payload.testing.images import push_image
from okd_payload.testing.memory_repository import MemoryRepository


def _layer(*entries):
    """An archive: a name and text is a file, a name and ``->`` with a target a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, text, *more in entries:
            info = tarfile.TarInfo(name)
            info.mode = more[0] if more else 0o755
            if text.startswith(("->", "=>")):
                info.type = tarfile.SYMTYPE if text[0] == "-" else tarfile.LNKTYPE
                info.linkname = text[2:]
                archive.addfile(info)
            elif name.endswith("/"):
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


async def _unpack(*layers):
    repository = MemoryRepository()
    await push_image(repository, layers=list(layers), tag="x")
    return await unpack_image(repository, await read_image(repository, "x"))


async def test_all_layers_count():
    """Upper layers replace and remove what is below, as a container sees it."""
    found = await _unpack(
        _layer(("manifests/a.yaml", "1"), ("manifests/b.yaml", "1"), ("manifests/sub/c.yaml", "1")),
        _layer(("manifests/a.yaml", "2"), ("manifests/.wh.b.yaml", "")),
        _layer(("release-manifests/image-references", "{}")),
    )
    assert found.tree.own is not None
    assert found.tree.own.files == {"a.yaml": b"2"}
    assert found.tree.own.folders == {"sub"}
    assert found.tree.release is not None
    assert found.tree.release.files == {"image-references": b"{}"}


async def test_folders_that_are_not_there():
    """Without one of the folders it is no payload."""
    found = await _unpack(_layer(("manifests", "no folder"), ("etc/x", "")))
    assert (found.tree.own, found.tree.release) == (None, None)


async def test_links():
    """A link to a neighbour is good; any other leads nowhere once the folder was copied."""
    found = await _unpack(
        _layer(
            ("manifests/a.txt", "text"),
            ("manifests/sub/", ""),
            ("manifests/near.yaml", "->./a.txt"),
            ("manifests/hard.yaml", "=>manifests/a.txt"),
            ("manifests/far.yaml", "->/etc/x"),
            ("manifests/folder.yaml", "->sub"),
            ("manifests/self.yaml", "->."),
            ("etc/x", "x"),
        )
    )
    assert found.tree.own is not None
    assert found.tree.own.files == {
        "a.txt": b"text",
        "near.yaml": b"text",
        "hard.yaml": b"text",
    }
    assert found.tree.own.broken == {
        "far.yaml": "no such file or directory",
        "folder.yaml": "is a directory",
        "self.yaml": "no such file or directory",
    }


async def test_programs_are_found_through_links():
    """One program may be many, and folders may be links, but what cannot run is missing."""
    found = await _unpack(
        _layer(
            ("bin", "->usr/bin"),
            ("usr/bin/busybox", "x"),
            *((f"usr/bin/{name}", "->busybox") for name in PROGRAMS if name not in ("cp", "mv")),
            ("usr/bin/mv", "x", 0o644),
            ("usr/bin/loop", "->loop"),
        )
    )
    assert found.missing_programs == ("cp", "mv")


def test_unpacked_folders(tmp_path):
    """On disk links are followed, and what leads nowhere is told as the system tells it."""
    own, release = tmp_path / "manifests", tmp_path / "release-manifests"
    (own / "sub").mkdir(parents=True)
    (own / "a.yaml").write_text("x")
    (own / "link.yaml").symlink_to("a.yaml")
    (own / "gone.yaml").symlink_to("nowhere")
    (own / "dir.yaml").symlink_to("sub")
    tree = read_unpacked(tmp_path)
    assert tree.release is None
    assert tree.own is not None
    assert tree.own.files == {"a.yaml": b"x", "link.yaml": b"x"}
    assert tree.own.folders == {"sub"}
    assert tree.own.broken == {
        "gone.yaml": "no such file or directory",
        "dir.yaml": "is a directory",
    }
    release.mkdir()
    tree = read_release_folder(release)
    assert (tree.own, tree.release) == (PayloadFolder(), PayloadFolder())
