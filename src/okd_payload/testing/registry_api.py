# SPDX-License-Identifier: Apache-2.0
"""The distribution API of the registry in memory: what it answers when nothing goes wrong.

Options make it one of the many kinds of registries that exist; see ``ServerOptions``.
"""

from __future__ import annotations

import asyncio
import enum
import itertools
import re
from collections.abc import Iterable
from contextvars import ContextVar

import msgspec
from aiohttp import web

from okd_payload.errors import ContentError
from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, digest_of
from okd_payload.oci.manifest import Index, encode_manifest, read_manifest
from okd_payload.oci.referrers import referrer_of
from okd_payload.oci.registry.access import Access, to_pull, to_push
from okd_payload.testing.registry_faults import CutUpload, Fault, StallUpload
from okd_payload.testing.registry_logins import Accounts, Doorkeeper, Login
from okd_payload.testing.registry_store import StoredRepository

_PATH = re.compile(r"/v2/(.+)/(?:manifests|blobs|tags|referrers)/")


class Ranges(enum.Enum):
    """What the registry does when a part of a blob is asked for."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    WRONG = "wrong"


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of registry it is."""

    login: Login = Login.NONE
    accounts: Accounts = Accounts()
    realm: str = ""
    """Where tokens are said to be had; the server itself by default."""
    token_seconds: int = 300
    tokens_by_post_only: bool = False
    whole_uploads: bool = True
    """Whether a blob may come in one PUT."""
    piecewise_uploads: bool = True
    """Whether a blob may come by PATCH."""
    least_piece: int = 0
    most_piece: int = 0
    """Bound on one PATCH, 0 for none."""
    mounts: bool = True
    referrers: bool = True
    ranges: Ranges = Ranges.HONOURED
    redirect_blobs: bool = False
    """Whether blobs are served by the other port, as object storage does."""
    absolute_locations: bool = False
    page: int = 0
    """Most tags in one answer, 0 for all of them."""
    links: bool = True
    """Whether a page of tags says where the next one is."""


class Refusal(Exception):
    """The end of a request by an error answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = problem(status, code, message)


def problem(
    status: int, code: str, message: str, *, headers: dict[str, str] | None = None
) -> web.Response:
    """An answer with an error body as the specification has it."""
    body = {"errors": [{"code": code, "message": message, "detail": None}]}
    return web.Response(
        status=status,
        headers=headers,
        body=msgspec.json.encode(body),
        content_type="application/json",
    )


class RegistryApi:
    """Answers requests from what is in memory."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.doorkeeper = Doorkeeper(options.login, options.accounts)
        self.storage_host = ""
        self.fault: ContextVar[Fault | None] = ContextVar("fault", default=None)
        """What shall happen to the request that is being answered."""
        self.closing = asyncio.Event()
        """Set when the server stops, so that whoever stalls ends."""
        self._repositories: dict[str, StoredRepository] = {}
        self._upload_numbers = itertools.count(1)

    def repository(self, path: str) -> StoredRepository:
        """What is stored under ``path``; made when it is not there yet."""
        return self._repositories.setdefault(path, StoredRepository())

    def routes(self) -> Iterable[web.RouteDef]:
        """All that can be asked."""
        uploads = "/v2/{path:.+}/blobs/uploads/"
        return [
            web.get("/v2/", _ping),
            web.get("/token", self._token),
            web.post("/token", self._token),
            web.get("/storage/{path:.+}/{digest}", self._stored_blob),
            web.get("/v2/{path:.+}/tags/list", self._tags),
            web.get("/v2/{path:.+}/referrers/{digest}", self._referrers),
            web.get("/v2/{path:.+}/manifests/{reference}", self._get_manifest),
            web.put("/v2/{path:.+}/manifests/{reference}", self._put_manifest),
            web.post(uploads, self._begin_upload),
            web.get(uploads + "{number}", self._upload_status),
            web.patch(uploads + "{number}", self._patch_upload),
            web.put(uploads + "{number}", self._close_upload),
            web.delete(uploads + "{number}", self._cancel_upload),
            web.get("/v2/{path:.+}/blobs/{digest}", self._get_blob),
        ]

    def refuses(self, request: web.Request) -> web.Response | None:
        """The answer to a request that needs another login."""
        if not request.path.startswith("/v2/"):
            return None
        realm = self.options.realm or f"{request.scheme}://{request.host}/token"
        authorization = request.headers.get("Authorization", "")
        challenge = self.doorkeeper.refuses(authorization, _access(request), realm=realm)
        if challenge is None:
            return None
        headers = {"WWW-Authenticate": challenge}
        return problem(401, "UNAUTHORIZED", "authentication required", headers=headers)

    async def _token(self, request: web.Request) -> web.Response:
        form = None
        if request.method == "POST":
            form = {name: str(value) for name, value in (await request.post()).items()}
        elif self.options.tokens_by_post_only:
            raise Refusal(405, "UNSUPPORTED", "tokens are given by POST")
        scopes = request.query.getall("scope", []) if form is None else [form.get("scope", "")]
        authorization = request.headers.get("Authorization", "")
        token = self.doorkeeper.issue(authorization, scopes, form)
        if token is None:
            raise Refusal(401, "UNAUTHORIZED", "incorrect username or password")
        return web.json_response({"token": token, "expires_in": self.options.token_seconds})

    async def _tags(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path not in self._repositories:
            raise Refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
        last = request.query.get("last", "")
        tags = [tag for tag in sorted(self.repository(path).tags) if tag > last]
        most = int(request.query.get("n", "0") or 0)
        size = min(filter(None, (most, self.options.page)), default=0)
        headers = {}
        if size and len(tags) > size:
            tags = tags[:size]
            if self.options.links:
                target = f"/v2/{path}/tags/list?n={size}&last={tags[-1]}"
                headers["Link"] = f'<{target}>; rel="next"'
        return web.json_response({"name": path, "tags": tags}, headers=headers)

    async def _referrers(self, request: web.Request) -> web.Response:
        if not self.options.referrers:
            return web.Response(status=404, text="404 page not found")
        found = self._repository(request).referrers(request.match_info["digest"])
        index = encode_manifest(Index(manifests=tuple(found)))
        return web.Response(body=index.content, content_type=media_types.OCI_INDEX)

    async def _get_manifest(self, request: web.Request) -> web.Response:
        manifest = self._repository(request).find(request.match_info["reference"])
        if manifest is None:
            raise Refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
        headers = {"Docker-Content-Digest": manifest.digest, "Content-Type": manifest.media_type}
        return web.Response(body=manifest.content, headers=headers)

    async def _put_manifest(self, request: web.Request) -> web.Response:
        content, repository = await request.read(), self._repository(request)
        try:
            manifest = read_manifest(content, media_type=request.headers.get("Content-Type", ""))
            missing = repository.lacks(manifest)
        except ContentError as error:
            raise Refusal(400, "MANIFEST_INVALID", str(error)) from error
        if missing:
            raise Refusal(400, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {missing[0]}")
        reference = request.match_info["reference"]
        by_digest = reference.startswith("sha256:")
        if by_digest and reference != manifest.digest:
            raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        repository.add_manifest(manifest, tag="" if by_digest else reference)
        headers = {"Docker-Content-Digest": manifest.digest}
        referrer = referrer_of(manifest)
        if referrer and self.options.referrers:
            headers["OCI-Subject"] = referrer.subject
        return web.Response(status=201, headers=headers)

    async def _get_blob(self, request: web.Request) -> web.Response:
        path, digest = request.match_info["path"], request.match_info["digest"]
        if Digest(digest) not in self._repository(request).blobs:
            raise Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.options.redirect_blobs:
            target = f"{request.scheme}://{self.storage_host}/storage/{path}/{digest}?signature=s3"
            raise web.HTTPTemporaryRedirect(target)
        return await self._stored_blob(request)

    async def _stored_blob(self, request: web.Request) -> web.Response:
        content = self._repository(request).blobs[Digest(request.match_info["digest"])]
        start = request.http_range.start
        if start is None or self.options.ranges is Ranges.IGNORED:
            # aiohttp leaves the length of nothing out of the answer to HEAD.
            headers = {"Content-Length": str(len(content))}
            return web.Response(body=content, headers=headers)
        if self.options.ranges is Ranges.WRONG:
            start = max(0, start - 1)
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return web.Response(status=206, body=content[start:], headers=headers)

    async def _begin_upload(self, request: web.Request) -> web.Response:
        path, repository = request.match_info["path"], self._repository(request)
        digest, origin = request.query.get("mount", ""), request.query.get("from", "")
        if digest and origin and self.options.mounts:
            content = self.repository(origin).blobs.get(Digest(digest))
            if content is not None:
                repository.add_blob(content)
                location = f"/v2/{path}/blobs/{digest}"
                return web.Response(status=201, headers={"Location": location})
        number = str(next(self._upload_numbers))
        repository.uploads[number] = bytearray()
        return self._upload_answer(request, number, status=202)

    async def _upload_status(self, request: web.Request) -> web.Response:
        number, _ = self._upload(request)
        return self._upload_answer(request, number, status=204)

    async def _patch_upload(self, request: web.Request) -> web.Response:
        number, content = self._upload(request)
        if not self.options.piecewise_uploads:
            raise Refusal(405, "UNSUPPORTED", "the operation is unsupported")
        first = int(request.headers.get("Content-Range", "0-").partition("-")[0])
        length = int(request.headers.get("Content-Length", "0"))
        if first != len(content):
            raise Refusal(416, "BLOB_UPLOAD_INVALID", "the piece does not join")
        if self.options.most_piece and length > self.options.most_piece:
            return web.Response(status=413, text="413 Request Entity Too Large")
        await self._receive(request, content)
        return self._upload_answer(request, number, status=202)

    async def _close_upload(self, request: web.Request) -> web.Response:
        number, content = self._upload(request)
        if request.headers.get("Content-Length", "0") != "0" and not self.options.whole_uploads:
            raise Refusal(405, "UNSUPPORTED", "blobs come in pieces here")
        await self._receive(request, content)
        repository, digest = self._repository(request), request.query.get("digest", "")
        if digest_of(bytes(content)) != digest:
            raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        repository.add_blob(bytes(content))
        del repository.uploads[number]
        return web.Response(status=201, headers={"Docker-Content-Digest": digest})

    async def _cancel_upload(self, request: web.Request) -> web.Response:
        number, _ = self._upload(request)
        del self._repository(request).uploads[number]
        return web.Response(status=204)

    async def _receive(self, request: web.Request, content: bytearray) -> None:
        """Append the body of ``request`` to ``content``, unless a fault ends it."""
        fault = self.fault.get()
        bound = fault.after if isinstance(fault, CutUpload | StallUpload) else None
        taken = 0
        async for chunk in request.content.iter_any():
            kept = chunk if bound is None else chunk[: bound - taken]
            content += kept
            taken += len(kept)
            if bound is not None and taken >= bound:
                break
        if isinstance(fault, StallUpload):
            await self.closing.wait()
        if isinstance(fault, CutUpload) and request.transport:
            request.transport.abort()

    def _repository(self, request: web.Request) -> StoredRepository:
        return self.repository(request.match_info["path"])

    def _upload(self, request: web.Request) -> tuple[str, bytearray]:
        number = request.match_info["number"]
        content = self._repository(request).uploads.get(number)
        if content is None:
            raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        return number, content

    def _upload_answer(self, request: web.Request, number: str, *, status: int) -> web.Response:
        path = request.match_info["path"]
        size = len(self.repository(path).uploads[number])
        base = f"{request.scheme}://{request.host}" if self.options.absolute_locations else ""
        headers = {
            "Location": f"{base}/v2/{path}/blobs/uploads/{number}?_state=a%2Fb",
            "Range": f"0-{max(0, size - 1)}",
        }
        if self.options.least_piece:
            headers["OCI-Chunk-Min-Length"] = str(self.options.least_piece)
        return web.Response(status=status, headers=headers)


async def _ping(_: web.Request) -> web.Response:
    return web.json_response({})


def _access(request: web.Request) -> Access:
    """What a request needs to be allowed."""
    found = _PATH.match(request.path)
    if not found:
        return frozenset()
    reads = request.method in ("GET", "HEAD")
    access = to_pull(found[1]) if reads else to_push(found[1])
    origin = request.query.get("from")
    return access | to_pull(origin) if origin else access
