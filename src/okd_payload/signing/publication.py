# SPDX-License-Identifier: Apache-2.0
"""Putting signatures where clusters look for them.

A signature store is a tree of files that anything can serve: ``sha256=<hex>/signature-N`` below
some address, N from 1 without gaps. A folder, the objects of a bucket, and a WebDAV server hold
the same names. Clusters read N up to 9, stop at the first that is absent, and may miss the ninth
(they drop the last answer of a store now and then), so 9 is used with a warning and 10 never.

A signature that is there is never replaced, and one that says the same by the same key is not
added a second time: signing again is safe.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from okd_payload.errors import NotFound, SigningError, StorageError
from okd_payload.oci.digest import Digest, hex_of
from okd_payload.signing.stores.model import FIRST_NUMBER, LAST_NUMBER, MAX_SIGNATURE_BYTES

_FILE_MODE = 0o644


class SignatureTarget(Protocol):
    """A place that signatures are added to."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def read(self, digest: Digest, number: int) -> bytes | None:
        """The signature with this number, None when there is none."""
        ...

    async def add(self, digest: Digest, number: int, signature: bytes) -> bool:
        """Store a signature; False when another one has the number by now."""
        ...


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a signature is."""

    place: str
    number: int
    added: bool
    """Whether it was put there now, and not before."""
    signature: bytes = b""
    """As it is there: what was put there before may have another time in it."""

    @property
    def may_be_missed(self) -> bool:
        """Whether clusters fail to see it now and then."""
        return self.number == LAST_NUMBER


def signature_path(digest: Digest, number: int) -> str:
    """The name of a signature below the address of its store."""
    return f"sha256={hex_of(digest)}/signature-{number}"


async def place_signature(
    target: SignatureTarget,
    digest: Digest,
    signature: bytes,
    *,
    is_same: Callable[[bytes], bool],
) -> Placed:
    """Add ``signature`` at the next free number, unless one that ``is_same`` is there.

    Raises SigningError when the store has as many as clusters read.
    """
    for number in range(FIRST_NUMBER, LAST_NUMBER + 1):
        found = await target.read(digest, number)
        if found is None:
            if await target.add(digest, number, signature):
                return Placed(place=target.name, number=number, added=True, signature=signature)
            # It may be ours all the same: the answer to our first try was lost.
            found = await target.read(digest, number)
        if found is not None and is_same(found):
            return Placed(place=target.name, number=number, added=False, signature=found)
    raise SigningError(
        f"{target.name} has {LAST_NUMBER} signatures of {digest}, and clusters read no more",
        hint="remove those of keys that no cluster trusts any more, and close the gaps",
    )


class FolderTarget:
    """A store in a folder, to be served or uploaded as it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._folder)

    async def read(self, digest: Digest, number: int) -> bytes | None:
        """The signature with this number, None when there is none. Raises StorageError."""
        path = self._folder / signature_path(digest, number)
        try:
            with path.open("rb") as file:
                return file.read(MAX_SIGNATURE_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(
                f"cannot read {path}: {error.strerror}", hint="check who may read the folder"
            ) from error

    async def add(self, digest: Digest, number: int, signature: bytes) -> bool:
        """Store a signature, whole or not at all. Raises StorageError."""
        return _write_new(self._folder / signature_path(digest, number), signature)


class WebTarget:
    """A store on a web server that takes PUT requests; it is read as clusters read it."""

    def __init__(
        self,
        address: str,
        *,
        fetch: Callable[[str], Awaitable[bytes]],
        put: Callable[[str, bytes], Awaitable[bool]],
    ) -> None:
        """``fetch`` asks without a login, because clusters have none; ``put`` may have one."""
        self._address = address
        self._fetch = fetch
        self._put = put

    @property
    def name(self) -> str:
        """The address without its query."""
        return self._address.partition("?")[0]

    async def read(self, digest: Digest, number: int) -> bytes | None:
        """The signature with this number, None when there is none. Raises RegistryError."""
        try:
            return await self._fetch(self._url(digest, number))
        except NotFound:
            return None

    async def add(self, digest: Digest, number: int, signature: bytes) -> bool:
        """Store a signature. Raises RegistryError."""
        return await self._put(self._url(digest, number), signature)

    def _url(self, digest: Digest, number: int) -> str:
        address, mark, query = self._address.partition("?")
        return f"{address.rstrip('/')}/{signature_path(digest, number)}{mark}{query}"


def _write_new(path: Path, content: bytes) -> bool:
    """Make the file in one step; False when there is one. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".signature-", dir=path.parent) as file:
            file.write(content)
            file.flush()
            Path(file.name).chmod(_FILE_MODE)
            os.link(file.name, path)
    except FileExistsError:
        return False
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="check free space and rights there"
        ) from error
    return True
