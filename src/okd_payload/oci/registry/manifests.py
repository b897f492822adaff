# SPDX-License-Identifier: Apache-2.0
"""Manifests and tags of one registry repository.

A manifest is verified by the digest it was asked for by; by tag, by the digest that the
registry states. Bytes that arrive damaged are fetched once more before they are refused.
"""

from __future__ import annotations

import msgspec

from okd_payload.errors import ContentError, DigestMismatch, InvalidReference, NotFound
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of, is_digest
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.manifest import MAX_MANIFEST_BYTES, Descriptor, Manifest, read_manifest
from okd_payload.oci.reference import is_tag
from okd_payload.oci.registry.access import to_pull, to_push
from okd_payload.oci.registry.headers import parse_next_link, parse_number
from okd_payload.oci.registry.host import Answer, Host, Request
from okd_payload.oci.registry.referrers import Referrers

_ACCEPT = ", ".join(media_types.ACCEPTED)
_PAGE = 1000
_MAX_PAGES = 10_000
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
        reference = manifest.digest if tag is None else tag
        answer = await self._host.ask(
            Request(
                method="PUT",
                target=self._target(reference),
                what=f"writing the manifest {_shown(self._name, reference)}",
                path=self._path,
                access=to_push(self._path),
                accept=frozenset({201, 202, 204}),
                headers={"Content-Type": manifest.media_type},
                body=manifest.content,
            )
        )
        stored = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if stored != manifest.digest:
            raise DigestMismatch(
                f"{self._name} stored {stored[:80]} where {manifest.digest} was written",
                hint="the registry changes manifests; it cannot hold release payloads",
            )
        await self._referrers.note(manifest, answer)

    async def tags(self) -> list[str]:
        """All tags, sorted. An absent repository has none."""
        found: dict[str, None] = {}
        target: str | None = f"/v2/{self._path}/tags/list?n={_PAGE}"
        for _ in range(_MAX_PAGES):
            if target is None:
                return sorted(found)
            request = Request(
                method="GET",
                target=target,
                what=f"listing the tags of {self._name}",
                path=self._path,
                access=to_pull(self._path),
                accept=_GOOD,
            )
            try:
                answer = await self._host.ask(request)
            except NotFound:
                return sorted(found)
            page = decode_json(answer.body, _TagPage, what=f"the tag list of {self._name}").tags
            fresh = [tag for tag in page if tag not in found]
            found.update(dict.fromkeys(fresh))
            target = self._next_page(answer, page) if fresh else None
        raise ContentError(f"{self._name} lists tags without end")

    async def referrers(self, digest: Digest) -> list[Descriptor]:
        """Descriptors of the manifests whose ``subject`` is ``digest``."""
        return await self._referrers.list(digest)

    def _next_page(self, answer: Answer, page: list[str]) -> str | None:
        """The link to follow; a full page without one is asked to go on after its last tag."""
        link = parse_next_link(answer.headers.get("Link", ""))
        if link is None and len(page) == _PAGE:
            return f"/v2/{self._path}/tags/list?n={_PAGE}&last={page[-1]}"
        return link

    async def _fetch(self, reference: str, expected: str) -> Manifest:
        request = self._read(reference, method="GET")
        answer = await self._host.ask(request, limit=MAX_MANIFEST_BYTES)
        try:
            manifest = read_manifest(answer.body, media_type=answer.headers.get("Content-Type", ""))
        except ContentError as error:
            if expected and digest_of(answer.body) != expected:
                raise self._damaged(reference, digest_of(answer.body)) from error
            name = _shown(self._name, reference)
            raise type(error)(f"{name}: {error.message}", hint=error.hint) from error
        stated = expected or answer.headers.get("Docker-Content-Digest", "")
        if is_digest(stated) and stated != manifest.digest:
            raise self._damaged(reference, manifest.digest)
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
