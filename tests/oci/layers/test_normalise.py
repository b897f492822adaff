# SPDX-License-Identifier: Apache-2.0
"""Making layers of other tools reproducible."""

from __future__ import annotations

import asyncio
import gzip
import random
import subprocess
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from okd_payload.errors import ContentError, StorageError, UnsafeEntry
from okd_payload.oci import media_types
from okd_payload.oci.blob_sources import FileSource
from okd_payload.oci.layers.normalise import normalise_layer
from okd_payload.oci.layers.writer import LayerBlob

STAMP = 1_700_000_000
Chunks = Callable[[bytes], AsyncIterator[bytes]]


@pytest.fixture
def rewrite(tmp_path: Path, chunks: Chunks) -> Callable[..., Any]:
    """Rewrites an archive and gives the layer."""

    async def run(content: bytes, name: str = "layer") -> LayerBlob:
        return await normalise_layer(
            chunks(content),
            tmp_path / name,
            timestamp=STAMP,
            media_type=media_types.OCI_LAYER_GZIP,
        )

    return run


def listing(blob: LayerBlob, seen_in: Callable[..., Any]) -> list[tuple[str, str, str, bytes]]:
    """Name, kind, target and content of all entries."""
    seen = seen_in(gzip.decompress(blob.path.read_bytes()))
    return [
        (entry.name, entry.kind.name, entry.link, content)
        for entry, content in zip(seen.entries, seen.contents, strict=True)
    ]


def member(kind: bytes = tarfile.REGTYPE, **fields: Any) -> tarfile.TarInfo:
    """A member with fields of its own."""
    info = tarfile.TarInfo()
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


async def test_entries_are_put_in_one_order_and_form(
    rewrite: Callable[..., Any],
    archive: Callable[..., bytes],
    link: Callable[..., Any],
    seen_in: Callable[..., Any],
) -> None:
    """Sorted by path, parents first, links after their file, the last duplicate, no root."""
    blob = await rewrite(
        archive(
            {
                "./": "",
                "./etc/": "",
                "etc/b": "first",
                "etc/hard": link("./etc/b", hard=True),
                "etc.d/x": "x",
                "etc/.wh.gone": "",
                "./etc/b": "last",
                "etc/a": link("etc/zz", hard=True),
                "etc/zz": "zz",
                "aa": link("etc/hard", hard=True),
                "bin": link("usr/bin"),
            }
        )
    )
    assert listing(blob, seen_in) == [
        ("aa", "FILE", "", b"first"),
        ("bin", "SYMBOLIC_LINK", "usr/bin", b""),
        ("etc/", "DIRECTORY", "", b""),
        ("etc/.wh.gone", "FILE", "", b""),
        ("etc/a", "HARD_LINK", "etc/zz", b""),
        ("etc/b", "FILE", "", b"last"),
        ("etc/hard", "HARD_LINK", "aa", b""),
        ("etc/zz", "FILE", "", b"zz"),
        ("etc.d/x", "FILE", "", b"x"),
    ]


async def test_owners_modes_and_devices_stay_and_times_and_names_go(
    rewrite: Callable[..., Any], archive: Callable[..., bytes], seen_in: Callable[..., Any]
) -> None:
    """What a container sees stays; what only tells of the machine goes."""
    pax = {
        "SCHILY.xattr.security.capability": "\x01",
        "SCHILY.xattr.user.a": "1",
        "SCHILY.xattr.security.selinux": "s",
        "SCHILY.xattr.user.overlay.origin": "o",
        "atime": "1.5",
        "ctime": "2.5",
    }
    file = member(
        uid=1001, gid=3_000_000, uname="me", gname="us", mode=0o4755, mtime=9.5, pax_headers=pax
    )
    device = member(tarfile.CHRTYPE, devmajor=1, devminor=3)
    blob = await rewrite(archive({"null": device, "tool": file}))
    seen = seen_in(gzip.decompress(blob.path.read_bytes()))
    null, tool = seen.entries
    assert (null.device, null.mtime) == ((1, 3), STAMP)
    assert (tool.uid, tool.gid, tool.uname, tool.gname) == (1001, 3_000_000, "", "")
    assert (tool.mode, tool.mtime_ns) == (0o4755, STAMP * 1_000_000_000)
    assert list(tool.xattrs) == ["security.capability", "user.a"]
    content = gzip.decompress(blob.path.read_bytes())
    assert b"atime" not in content
    assert b"ctime" not in content


async def test_order_and_spelling_of_the_input_do_not_show(
    rewrite: Callable[..., Any], archive: Callable[..., bytes]
) -> None:
    """The same files in another order, format and compression give the same bytes."""
    contents = {f"d{n % 5}/{'long' * 40}{n}": str(n) * n for n in range(40)}
    names = list(contents)
    first = await rewrite(archive(contents), "first")
    random.Random(1).shuffle(names)
    shuffled = {f"./{name}": contents[name] for name in names}
    second = await rewrite(gzip.compress(archive(shuffled, form=tarfile.GNU_FORMAT)), "second")
    assert first.digest == second.digest
    assert first.path.read_bytes() == second.path.read_bytes()


async def test_writing_again_changes_nothing(
    rewrite: Callable[..., Any], archive: Callable[..., bytes], link: Callable[..., Any]
) -> None:
    """The normal form of a normal form is itself."""
    first = await rewrite(archive({"b": "b", "a": link("b", hard=True), "c/": ""}), "first")
    second = await rewrite(first.path.read_bytes(), "second")
    assert first.digest == second.digest


async def test_large_files_pass_in_pieces(
    rewrite: Callable[..., Any], archive: Callable[..., bytes], seen_in: Callable[..., Any]
) -> None:
    """Content larger than a piece and a step is whole at the other end."""
    large = bytes(range(256)) * 80_000
    blob = await rewrite(gzip.compress(archive({"b": large, "a": large[:-1]}), 1))
    assert [content for *_, content in listing(blob, seen_in)] == [large[:-1], large]


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["../x"], UnsafeEntry, "leads out"),
        (["a", "a/b/c"], ContentError, "has something in 'a', no folder"),
    ],
)
async def test_archives_that_cannot_be_unpacked_are_refused(
    rewrite: Callable[..., Any],
    archive: Callable[..., bytes],
    tmp_path: Path,
    names: list[str],
    error: type[Exception],
    message: str,
) -> None:
    """What no tool could unpack safely is not made reproducible, and leaves nothing behind."""
    with pytest.raises(error, match=message):
        await rewrite(archive(dict.fromkeys(names, "x")))
    assert names_in(tmp_path) == []


def names_in(folder: Path) -> list[str]:
    """The names in ``folder``, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


async def test_cut_layers_are_refused(
    rewrite: Callable[..., Any], archive: Callable[..., bytes], tmp_path: Path
) -> None:
    """A blob that ends early gives an error and no layer."""
    with pytest.raises(ContentError, match="cut short"):
        await rewrite(gzip.compress(archive({"a": "a"}))[:-3])
    assert names_in(tmp_path) == []


async def test_an_absent_folder_is_named(chunks: Chunks, tmp_path: Path) -> None:
    """A target whose folder does not exist is StorageError."""
    with pytest.raises(StorageError, match="absent"):
        await normalise_layer(
            chunks(b""),
            tmp_path / "absent" / "layer",
            timestamp=0,
            media_type=media_types.OCI_LAYER,
        )


async def test_cancelling_leaves_nothing(archive: Callable[..., bytes], tmp_path: Path) -> None:
    """A cancelled rewrite removes what it had written."""
    source = tmp_path / "source"
    names = (f"f{number}" for number in range(50))
    source.write_bytes(archive({name: bytes(1_000_000) for name in names}))
    task = asyncio.ensure_future(
        normalise_layer(
            FileSource(source).open(),
            tmp_path / "layer",
            timestamp=STAMP,
            media_type=media_types.OCI_LAYER_GZIP,
        )
    )
    while ".layer.partial" not in names_in(tmp_path):  # noqa: ASYNC110 - no event tells of files
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names_in(tmp_path) == ["source"]


@pytest.mark.integration
async def test_a_root_file_system_of_tar_is_made_a_layer(
    tmp_path: Path, seen_in: Callable[..., Any]
) -> None:
    """What GNU tar makes of a root folder, in the order of the disk, becomes a layer."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("okd")
    (root / "etc/alias").hardlink_to(root / "etc/hostname")
    (root / "sbin").symlink_to("usr/sbin")
    command = ["tar", "--xattrs", "-C", str(root), "-czf", str(tmp_path / "root.tar"), "."]
    subprocess.run(command, check=True)  # noqa: ASYNC221 - a test may block
    blob = await normalise_layer(
        FileSource(tmp_path / "root.tar").open(),
        tmp_path / "layer",
        timestamp=STAMP,
        media_type=media_types.OCI_LAYER_GZIP,
    )
    assert listing(blob, seen_in) == [
        ("etc/", "DIRECTORY", "", b""),
        ("etc/alias", "FILE", "", b"okd"),
        ("etc/hostname", "HARD_LINK", "etc/alias", b""),
        ("sbin", "SYMBOLIC_LINK", "usr/sbin", b""),
    ]
