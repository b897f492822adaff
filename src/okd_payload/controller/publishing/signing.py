# SPDX-License-Identifier: Apache-2.0
"""Publishing signatures: made with a key of this machine, put where clusters look for them.

Signing again adds nothing: a signature by the same key that says the same is recognised in its
store. A key that is locked is opened by the passphrase that the controller was started with, and
by nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from okd_payload.controller.creation.places import open_releases
from okd_payload.controller.publishing.publisher import Documents, PublishContext
from okd_payload.controller.surroundings import Surroundings
from okd_payload.errors import InputError
from okd_payload.oci.image import read_image
from okd_payload.oci.reference import parse_reference

if TYPE_CHECKING:  # loads what reading keys takes
    from okd_payload.release.sign.sign import ReleaseSigner
    from okd_payload.signing.publication import SignatureTarget
    from okd_payload.signing.signer import AskPassphrase

_GPG = "gpg:"
_WEB = ("http://", "https://")


class SignPublisher:
    """Signs releases."""

    def __init__(
        self,
        surroundings: Surroundings,
        documents: Documents,
        *,
        passphrase: AskPassphrase | None = None,
    ) -> None:
        """``passphrase`` gives that of a locked key; without, a locked key cannot be used."""
        self._surroundings = surroundings
        self._documents = documents
        self._passphrase = passphrase

    async def publish(self, context: PublishContext) -> str:
        """Sign every digest of the release, and put the signatures into every store.

        Raises OkdPayloadError, InputError where no store is named.
        """
        from okd_payload.release.sign.sign import ClaimOptions, sign_release

        if not context.action.targets:
            raise InputError(
                f"{context.action.name} signs, and no store is named for the signatures",
                hint="name a folder or an address with signatureStores",
            )
        repository = await open_releases(self._surroundings, context.configuration)
        image = await read_image(repository, context.release.digest or context.release.name)
        signer = await self._open_signer(context.action.key)
        options = ClaimOptions(
            identity=parse_reference(context.configuration.releases_name),
            timestamp=int(self._surroundings.clock.now()),
        )
        for signature in await sign_release(image, [signer], options):
            for store in context.action.targets:
                await signer.place(signature, self._open_target(store))
        return f"{', '.join(context.action.targets)}, by {signer.fingerprint}"

    async def _open_signer(self, key: str) -> ReleaseSigner:
        from okd_payload.release.sign.sign import ReleaseSigner
        from okd_payload.signing.gpg import open_gpg_key
        from okd_payload.signing.key_file import open_key_file, require_passphrase

        ask = self._passphrase or require_passphrase
        if key.startswith(_GPG):
            name = key.removeprefix(_GPG)
            given = self._passphrase(name) if self._passphrase else ""
            return ReleaseSigner(
                await open_gpg_key(name, passphrase=given), clock=self._surroundings.clock
            )
        return ReleaseSigner(
            open_key_file(Path(key), passphrase=ask), clock=self._surroundings.clock
        )

    def _open_target(self, store: str) -> SignatureTarget:
        from okd_payload.signing.publication import FolderTarget, WebTarget
        from okd_payload.signing.stores.model import MAX_SIGNATURE_BYTES

        if not store.startswith(_WEB):
            if "://" in store:
                raise InputError(
                    f"{store.partition('://')[0]}:// is no place for signatures here",
                    hint="name a folder, or the https address of the store",
                )
            return FolderTarget(Path(store))
        documents = self._documents

        async def fetch(url: str) -> bytes:
            return await documents.fetch_document(url, limit=MAX_SIGNATURE_BYTES)

        async def put(url: str, content: bytes) -> bool:
            return await documents.put_document(url, content)

        return WebTarget(store, fetch=fetch, put=put)
