# SPDX-License-Identifier: Apache-2.0
"""Signatures on a web server: ``GET ADDRESS/sha256=HEX/signature-N``, N from 1 to 9.

Only a status of 404 ends the search; any other failure, and an empty answer, let it go on with
the next number. Nobody is logged in and nothing is tried twice, as in a cluster. A query in the
address is sent each time.
"""

from __future__ import annotations

import posixpath
from collections.abc import AsyncIterator
from urllib.parse import quote, unquote

from okd_payload.errors import InputError, RegistryError, TooLarge
from okd_payload.oci.documents import DocumentAnswer, DocumentAsker
from okd_payload.signing.configuration import split_store_address
from okd_payload.signing.digests import storage_name
from okd_payload.signing.stores.model import (
    FIRST_NUMBER,
    LAST_NUMBER,
    MAX_SIGNATURE_BYTES,
    NO_MORE,
    FoundSignature,
    SearchProblem,
)

_NOT_FOUND = 404
_UNESCAPED = "$&+,/:;=@"


class WebStore:
    """The store below one address."""

    def __init__(self, address: str, asker: DocumentAsker) -> None:
        """Raises InputError when ``address`` is not one of http or https."""
        split = split_store_address(address)
        if split is None or split.scheme == "file":
            raise InputError(
                f"{address!r} is no address of a signature store",
                hint="write https://HOST/PATH, or the name of a folder",
            )
        self._text = address
        self._address = split
        self._asker = asker

    @property
    def description(self) -> str:
        """What it is, in the words of a cluster."""
        return f"containers/image signature store under {self._text}"

    async def search(self, digest: str) -> AsyncIterator[FoundSignature | SearchProblem]:
        """The answers from number 1 on, up to the first 404."""
        folder = storage_name(digest, separator="=")
        for number in range(FIRST_NUMBER, LAST_NUMBER + 1):
            url = self._address_of(folder, f"signature-{number}")
            answer = await self._ask(url)
            if not isinstance(answer, DocumentAnswer):
                yield answer
            elif answer.status == _NOT_FOUND:
                yield _problem(url, NO_MORE)
                return
            elif not 200 <= answer.status < 300:
                yield _problem(url, f"response status {answer.status}")
            elif answer.body:
                yield FoundSignature(answer.body, url)

    async def _ask(self, url: str) -> DocumentAnswer | SearchProblem:
        try:
            return await self._asker.ask_document(url, limit=MAX_SIGNATURE_BYTES)
        except (RegistryError, InputError, TooLarge) as error:
            return _problem(url, str(error))

    def _address_of(self, *parts: str) -> str:
        joined = posixpath.join(unquote(self._address.path), *parts)
        path = posixpath.normpath("/" + joined.lstrip("/"))
        return self._address._replace(path=quote(path, safe=_UNESCAPED)).geturl()


def _problem(url: str, why: str) -> SearchProblem:
    return SearchProblem(f"unable to retrieve signature from {url}: {why}")
