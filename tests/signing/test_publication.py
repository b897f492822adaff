# SPDX-License-Identifier: Apache-2.0
"""Signatures put into stores: the next free number, nothing twice, and never more than are read."""

from __future__ import annotations

import pytest

from okd_payload.errors import NotFound, SigningError, StorageError
from okd_payload.oci.digest import digest_of, hex_of
from okd_payload.signing.publication import FolderTarget, WebTarget, place_signature
from okd_payload.testing.memory_signatures import MemoryTarget

DIGEST = digest_of(b"release")


def web_target(files, address="https://store.example.com/releases/?key=1"):
    """A web store over a dictionary, by address."""

    async def fetch(url):
        if url not in files:
            raise NotFound("not there")
        return files[url]

    async def put(url, content):
        return files.setdefault(url, content) is content

    return WebTarget(address, fetch=fetch, put=put)


@pytest.fixture(params=["memory", "folder", "web"])
def target(request, tmp_path):
    """Each kind of store, empty."""
    made = {"memory": MemoryTarget, "folder": lambda: FolderTarget(tmp_path / "store")}
    return made.get(request.param, lambda: web_target({}))()


def nothing(_):
    """No signature is the same as any other."""
    return False


async def test_signatures_are_numbered_from_one(target):
    """Each gets the next number, and can be read there."""
    for number in (1, 2, 3):
        signature = f"signature {number}".encode()
        placed = await place_signature(target, DIGEST, signature, is_same=nothing)
        assert (placed.number, placed.added) == (number, True)
        assert await target.read(DIGEST, number) == signature
    assert await target.read(DIGEST, 4) is None


async def test_the_same_is_not_added_twice(target):
    """What says the same stays as it is, wherever it stands."""
    for signature in (b"other", b"ours, earlier"):
        await place_signature(target, DIGEST, signature, is_same=nothing)
    placed = await place_signature(
        target, DIGEST, b"ours, later", is_same=lambda found: found.startswith(b"ours")
    )
    assert (placed.number, placed.added) == (2, False)
    assert placed.signature == b"ours, earlier"
    assert await target.read(DIGEST, 3) is None


async def test_the_ninth_is_told_and_the_tenth_refused(target):
    """Clusters may miss the ninth signature, and never read a tenth."""
    for number in range(1, 10):
        placed = await place_signature(target, DIGEST, bytes([number]), is_same=nothing)
        assert placed.may_be_missed is (number == 9)
    with pytest.raises(SigningError, match="has 9 signatures of sha256:"):
        await place_signature(target, DIGEST, b"tenth", is_same=nothing)
    assert await target.read(DIGEST, 10) is None


async def test_a_number_taken_meanwhile_is_not_overwritten():
    """Somebody who signs at the same moment keeps the number, and we take the next."""
    target = MemoryTarget()
    add = target.add

    async def late(digest, number, signature):
        if number == 1:
            await add(digest, 1, b"theirs")
        return await add(digest, number, signature)

    target.add = late
    placed = await place_signature(target, DIGEST, b"ours", is_same=nothing)
    assert placed.number == 2
    assert await target.read(DIGEST, 1) == b"theirs"


async def test_an_answer_that_was_lost_adds_nothing_twice():
    """A server that stored the signature, and says on the second try that it is there."""
    target = MemoryTarget()
    add = target.add

    async def forgetful(digest, number, signature):
        await add(digest, number, signature)
        return False

    target.add = forgetful
    placed = await place_signature(target, DIGEST, b"ours", is_same=lambda item: item == b"ours")
    assert placed.number == 1
    assert len(target.files) == 1


async def test_files_have_the_names_that_clusters_ask_for(tmp_path):
    """A folder can be served as it is; nothing else lies in it."""
    await place_signature(FolderTarget(tmp_path), DIGEST, b"x", is_same=nothing)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [tmp_path / f"sha256={hex_of(DIGEST)}" / "signature-1"]
    assert files[0].stat().st_mode & 0o777 == 0o644


async def test_a_query_stays_behind_the_path():
    """Addresses may end with a slash and have a query, which errors do not show."""
    files = {}
    target = web_target(files)
    await place_signature(target, DIGEST, b"x", is_same=nothing)
    assert list(files) == [
        f"https://store.example.com/releases/sha256={hex_of(DIGEST)}/signature-1?key=1"
    ]
    assert target.name == "https://store.example.com/releases/"


async def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    """A file in the way is told with its path."""
    (tmp_path / "store").write_text("a file")
    with pytest.raises(StorageError, match="cannot read"):
        await place_signature(FolderTarget(tmp_path / "store"), DIGEST, b"x", is_same=nothing)
