# SPDX-License-Identifier: Apache-2.0
"""Writing one blob: in one request where that works, in pieces where it does not.

The whole blob in one PUT is the quickest. When the registry refuses that form, or the
connection breaks on the way, the blob goes on in pieces, each of which the registry confirms;
after a break it is asked how much it has. A registry that refuses pieces too is out of reach.
An upload that turns out to be finished already (its last answer was lost) counts as done.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Mapping

import msgspec
from yarl import URL

from okd_payload.errors import RegistryError, RegistryRefused
from okd_payload.oci.manifest import Descriptor
from okd_payload.oci.registry import urls
from okd_payload.oci.registry.access import to_push
from okd_payload.oci.registry.content import Content
from okd_payload.oci.registry.headers import parse_number, parse_upload_range
from okd_payload.oci.registry.host import Answer, Host, Kind, Request
from okd_payload.oci.registry.presence import blob_size
from okd_payload.oci.registry.responses import Problem, read_problem
from okd_payload.oci.registry.retry import Transient
from okd_payload.oci.repository import BlobSource

_DONE = frozenset({201, 204})
_TAKEN = frozenset({201, 202, 204})
_REFUSED = frozenset({400, 404, 405, 411, 413, 415, 416, 501})
_LEAST_PIECE = 256 * 1024


class _Form(enum.Enum):
    WHOLE = "in one request"
    PIECES = "in pieces"


class _Session(msgspec.Struct, frozen=True):
    """An upload that the registry has begun: where it goes on, and how much is there."""

    url: URL
    offset: int
    least_piece: int


class Upload:
    """One blob on its way into one repository."""

    def __init__(self, host: Host, path: str, descriptor: Descriptor, source: BlobSource) -> None:
        self._host = host
        self._path = path
        self._descriptor = descriptor
        self._content = Content(descriptor, source)
        self._what = f"writing the blob {host.name}/{path}@{descriptor.digest}"
        self._patience = host.patience(self._what)
        self._piece = host.settings.chunk_bytes
        self._form = _Form.PIECES if host.refuses_whole_uploads else _Form.WHOLE
        self._refusals: dict[_Form, Problem] = {}
        self._session: _Session | None = None

    async def run(self) -> None:
        """Do it. Raises what the source raises, DigestMismatch, and the registry's errors."""
        try:
            while not await self._try():
                pass
        finally:
            await self._content.close()
        if _Form.WHOLE in self._refusals:
            self._host.refuses_whole_uploads = True

    async def _try(self) -> bool:
        """Go on with the upload; whether the blob is there now."""
        try:
            session = self._session or await self._begin()
            if self._form is _Form.WHOLE:
                return await self._send_whole(session)
            return await self._send_pieces(session)
        except Transient as trouble:
            if self._content.failure:
                await self._cancel()
                raise self._content.failure from None
            await self._host.endure(self._patience, trouble)
            return await self._resume()

    async def _begin(self) -> _Session:
        answer = await self._host.attempt(
            self._request("POST", f"/v2/{self._path}/blobs/uploads/", accept=frozenset({202}))
        )
        self._session = self._next_session(answer, 0, None)
        return self._session

    async def _send_whole(self, session: _Session) -> bool:
        answer = await self._send("PUT", self._closing(session), 0, self._content.size)
        return answer.status in _DONE or await self._turn_away(answer)

    async def _send_pieces(self, session: _Session) -> bool:
        while session.offset < self._content.size:
            start = session.offset
            end = min(start + max(self._piece, session.least_piece), self._content.size)
            position = {"Content-Range": f"{start}-{end - 1}"}
            answer = await self._send("PATCH", session.url, start, end, headers=position)
            if answer.status not in _TAKEN:
                return await self._turn_away(answer)
            confirmed = parse_upload_range(answer.headers.get("Range", ""))
            session = self._next_session(answer, end if confirmed is None else confirmed, session)
            self._session = session
            if not start < session.offset <= end:
                raise Transient(f"{self._host.name} does not take what it is sent")
            self._patience.note_progress()
        size = self._content.size
        answer = await self._send("PUT", self._closing(session), size, size)
        return answer.status in _DONE or await self._turn_away(answer)

    async def _turn_away(self, answer: Answer) -> bool:
        """Take the other form after a refusal; never done. Raises when there is none left."""
        problem = read_problem(answer.status, answer.body)
        if problem.status == 404 or "BLOB_UPLOAD_UNKNOWN" in problem.codes:
            raise Transient(f"{self._host.name} has forgotten the upload")
        if self._form is _Form.PIECES and problem.status in (413, 416):
            self._piece = max(_LEAST_PIECE, self._piece // 2)
            raise Transient(f"the registry answers {problem}")
        self._refusals[self._form] = problem
        if len(self._refusals) == len(_Form):
            tries = " and ".join(f"{form.value}: {why}" for form, why in self._refusals.items())
            raise RegistryRefused(
                f"{self._what}: {self._host.name} does not take it ({tries})",
                hint="the registry, or a proxy before it, limits uploads or damages them",
            )
        await self._cancel()
        self._form = _Form.PIECES if self._form is _Form.WHOLE else _Form.WHOLE
        return False

    async def _resume(self) -> bool:
        """Find out after a break how much arrived; whether all of it did."""
        session, self._session = self._session, None
        if session is None:
            return False
        if _Form.PIECES not in self._refusals:
            self._form = _Form.PIECES
            accept = frozenset({200, 204}) | _REFUSED
            answer = await self._host.ask(self._request("GET", str(session.url), accept=accept))
            offset = parse_upload_range(answer.headers.get("Range", "")) or 0
            if answer.status not in _REFUSED and 0 < offset <= self._content.furthest:
                self._session = self._next_session(answer, offset, session)
                return False
        present = await blob_size(self._host, self._path, self._descriptor.digest)
        return present == self._descriptor.size

    async def _cancel(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await cancel_upload(self._host, self._path, str(session.url))

    async def _send(
        self, method: str, url: URL, start: int, end: int, *, headers: Mapping[str, str] = {}
    ) -> Answer:
        """One try to send a part of the content."""
        request = self._request(method, str(url), accept=_TAKEN | _REFUSED)
        framing = {"Content-Type": "application/octet-stream", "Content-Length": str(end - start)}
        return await self._host.attempt(
            msgspec.structs.replace(
                request,
                headers={**framing, **headers},
                body=lambda: self._content.read(start, end),
                kind=Kind.UPLOAD,
            )
        )

    def _request(self, method: str, target: str, *, accept: frozenset[int]) -> Request:
        return Request(
            method=method,
            target=target,
            what=self._what,
            path=self._path,
            access=to_push(self._path),
            accept=accept,
        )

    def _next_session(self, answer: Answer, offset: int, earlier: _Session | None) -> _Session:
        """Where the registry wants the upload to go on; what it leaves out stays as it was."""
        location = answer.headers.get("Location", "")
        least = parse_number(answer.headers.get("OCI-Chunk-Min-Length", ""))
        if earlier is not None:
            location = location or str(earlier.url)
            least = earlier.least_piece if least is None else least
        url = urls.resolve(location, base=answer.url, settings=self._host.settings)
        return _Session(url, offset, least or 0)

    def _closing(self, session: _Session) -> URL:
        return urls.add_query(session.url, "digest", self._descriptor.digest)


async def cancel_upload(host: Host, path: str, location: str) -> None:
    """Tell the registry that an upload it began will not go on; it forgets them anyway."""
    request = Request(
        method="DELETE",
        target=location,
        what=f"cancelling an upload to {host.name}/{path}",
        path=path,
        access=to_push(path),
        accept=frozenset({200, 202, 204}),
    )
    with contextlib.suppress(RegistryError):
        await host.attempt(request)
