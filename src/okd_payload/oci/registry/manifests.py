# SPDX-License-Identifier: Apache-2.0
"""Manifests and tags of one registry repository.

A manifest is verified by the digest it was asked for by; by tag, by the digest that the
registry states. Bytes that arrive damaged are fetched once more before they are refused.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from okd_payload.errors import (
    ContentError,
    DigestMismatch,
    InvalidReference,
    NotFound,
    TooLarge,
    UnsupportedContent,
)
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of, is_digest, verify
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.manifest import MAX_MANIFEST_BYTES, Descriptor, Manifest, read_manifest
from okd_payload.oci.reference import is_tag, parse_tag
from okd_payload.oci.referrers import subject_of_list_tag
from okd_payload.oci.registry import urls
from okd_payload.oci.registry.access import to_pull, to_push
from okd_payload.oci.registry.attachments import RegistryAttachments
from okd_payload.oci.registry.headers import parse_next_link, parse_number
from okd_payload.oci.registry.host import Answer, Host, Request
from okd_payload.oci.registry.presence import blob_size
from okd_payload.oci.registry.referrers import Referrers
from okd_payload.oci.registry.removal import remove
from okd_payload.oci.registry.retry import Transient

_ACCEPT = ", ".join(media_types.ACCEPTED)
_PAGE = 1000
_MAX_PAGES = 10_000
_MAX_PAGE_BYTES = 16 * 1024 * 1024
_GOOD = frozenset({200})


class _TagPage(msgspec.Struct, frozen=True):
    tags: list[str] = []


class RegistryManifests:
    """The manifests, indexes and tags of one repository."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        self._path = path
        self._name = f"{host.name}/{path}"
        self._referrers = Referrers(host, path, self)

    async def get(self, reference: str) -> Manifest:
        """The manifest with this tag or digest, bytes as stored. Raises NotFound."""
        expected = reference if is_digest(reference) else ""
        try:
            return await self._fetch(reference, expected)
        except DigestMismatch:
            return await self._fetch(reference, expected)

    async def stat(self, reference: str) -> Descriptor | None:
        """What a tag or digest points at, without its content; None when it is not there.

        Registries that do not tell in the headers are asked for the content.
        """
        try:
            answer = await self._host.ask(self._read(reference, method="HEAD"))
            digest = answer.headers.get("Docker-Content-Digest", "")
            size = parse_number(answer.headers.get("Content-Length", ""))
            media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            known = media_types.MANIFESTS | media_types.INDEXES
            if is_digest(digest) and size and media_type in known:
                return Descriptor(media_type=media_type, digest=Digest(digest), size=size)
            return (await self.get(reference)).descriptor
        except NotFound:
            return None

    async def put(self, manifest: Manifest, *, tag: str | None = None) -> None:
        """Store ``manifest``; with ``tag``, point the tag at it, in the same step."""
        verify(manifest.content, manifest.digest)
        reference = manifest.digest if tag is None else parse_tag(tag)
        request = Request(
            method="PUT",
            target=self._target(reference),
            what=f"writing the manifest {_shown(self._name, reference)}",
            path=self._path,
            access=to_push(self._path),
            accept=frozenset({201, 202, 204}),
            headers={"Content-Type": manifest.media_type},
            body=manifest.content,
        )
        answer = await self._write(request, manifest)
        stored = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise DigestMismatch(
                f"{self._name} stored {stored[:80]} where {manifest.digest} was written",
                hint="the registry changes manifests; it cannot hold release payloads",
            )
        await self._referrers.note(manifest, answer)

    async def untag(self, tag: str) -> None:
        """Remove ``tag`` alone. Raises NotFound, and RegistryRefused where registries cannot."""
        await remove(self._host, self._path, parse_tag(tag))

    async def delete(self, digest: Digest) -> None:
        """Remove a manifest with all its tags. Raises NotFound, and RegistryRefused."""
        await remove(self._host, self._path, digest)

    async def tags(self) -> list[str]:
        """All tags, sorted; lists of referrers are none. An absent repository has none."""
        found = await self.list_tags(most_pages=_MAX_PAGES)
        if found is None:
            raise TooLarge(
                f"{self._name} lists tags on more than {_MAX_PAGES} pages",
                hint="name the tag, or remove what nobody needs",
            )
        return sorted(tag for tag in found if not subject_of_list_tag(tag))

    async def list_tags(self, *, most_pages: int) -> set[str] | None:
        """All tags, lists of referrers among them; None when there are more pages."""
        found: set[str] = set()
        visited: set[str] = set()
        target: str | None = f"/v2/{self._path}/tags/list?n={_PAGE}"
        while target is not None and target not in visited:
            if len(visited) == most_pages:
                return None
            visited.add(target)
            tags, target = await self._tag_page(target)
            found.update(filter(is_tag, tags))
        return found

    def find_attachments(self, expected: int) -> RegistryAttachments:
        """A way to find attachments of many manifests with few requests."""
        return RegistryAttachments(self, self._referrers, expected=expected)

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose ``subject`` is ``digest``."""
        return await self._referrers.list(digest)

    async def _write(self, request: Request, manifest: Manifest) -> Answer:
        """Send a manifest; raises NotFound when what it leads to is absent.

        Registries that several clients push to may not see yet what they have just stored.
        """
        patience = self._host.patience(request.what)
        while True:
            try:
                return await self._host.ask(request)
            except NotFound as error:
                if not await self._has_parts(manifest):
                    raise
                await self._host.endure(patience, Transient(str(error), doubtful=True))

    async def _has_parts(self, manifest: Manifest) -> bool:
        for part in manifest.needs():
            if manifest.is_index:
                found = await self.stat(part.digest) is not None
            else:
                found = await blob_size(self._host, self._path, part.digest) is not None
            if not found:
                return False
        return True

    async def _tag_page(self, target: str) -> tuple[list[str], str | None]:
        """The tags on one page, and where the next one is."""
        request = Request(
            method="GET",
            target=target,
            what=f"listing the tags of {self._name}",
            path=self._path,
            access=to_pull(self._path),
            accept=_GOOD,
        )
        try:
            answer = await self._host.ask(request, limit=_MAX_PAGE_BYTES)
        except NotFound:
            return [], None
        tags = decode_json(answer.body, _TagPage, what=f"the tag list of {self._name}").tags
        link = parse_next_link(answer.headers.get("Link", ""))
        if link is not None:
            return tags, str(urls.resolve(link, base=answer.url, settings=self._host.settings))
        # A registry that pages without saying so fills the page to the number asked for.
        full = len(tags) == _PAGE
        return (
            tags,
            f"/v2/{self._path}/tags/list?n={_PAGE}&last={quote(tags[-1])}" if full else None,
        )

    async def _fetch(self, reference: str, expected: str) -> Manifest:
        request = self._read(reference, method="GET")
        answer = await self._host.ask(request, limit=MAX_MANIFEST_BYTES)
        stated = expected or answer.headers.get("Docker-Content-Digest", "")
        found = digest_of(answer.body)
        try:
            manifest = read_manifest(answer.body, media_type=answer.headers.get("Content-Type", ""))
        except ContentError as error:
            # The digest stated for schema 1 is not that of its bytes.
            told = expected if isinstance(error, UnsupportedContent) else stated
            if is_digest(told) and told != found:
                raise self._damaged(reference, found) from error
            raise error.about(
                _shown(self._name, reference), hint="push the image again with a current tool"
            ) from error
        if is_digest(stated) and stated != found:
            raise self._damaged(reference, found)
        return manifest

    def _damaged(self, reference: str, found: Digest) -> DigestMismatch:
        return DigestMismatch(
            f"the manifest {_shown(self._name, reference)} arrives with the digest {found}",
            hint="the copy is damaged or was tampered with: fetch it from another place",
        )

    def _read(self, reference: str, *, method: str) -> Request:
        return Request(
            method=method,
            target=self._target(reference),
            what=f"reading the manifest {_shown(self._name, reference)}",
            path=self._path,
            access=to_pull(self._path),
            accept=_GOOD,
            headers={"Accept": _ACCEPT},
        )

    def _target(self, reference: str) -> str:
        if not is_digest(reference) and not is_tag(reference):
            raise InvalidReference(
                f"{reference[:200]!r} is neither a tag nor a digest of {self._name}",
                hint="a tag has letters, digits, '_', '.' and '-'; a digest begins with sha256:",
            )
        return f"/v2/{self._path}/manifests/{reference}"


def _shown(name: str, reference: str) -> str:
    return f"{name}{'@' if is_digest(reference) else ':'}{reference}"
