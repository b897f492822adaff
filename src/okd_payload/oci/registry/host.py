# SPDX-License-Identifier: Apache-2.0
"""One registry host: requests to it are logged in, limited, redirected and judged here.

``exchange`` is one try and streams; ``ask`` tries until it has the whole of a small answer.
Requests, downloads and uploads have limiters of their own, so that an upload that reads from
the same host does not wait for itself.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
from multidict import CIMultiDictProxy
from yarl import URL

from okd_payload.errors import RegistryError, RegistryRefused, TooLarge
from okd_payload.oci.registry import responses, urls
from okd_payload.oci.registry.access import Access
from okd_payload.oci.registry.authorization import (
    Authorizer,
    CredentialSource,
    unsupported_login,
)
from okd_payload.oci.registry.challenge import parse_challenges
from okd_payload.oci.registry.credentials import Secret
from okd_payload.oci.registry.headers import parse_retry_after
from okd_payload.oci.registry.http.pool import Response
from okd_payload.oci.registry.limiter import Limiter, Slot
from okd_payload.oci.registry.proxies import is_loopback
from okd_payload.oci.registry.retry import Patience, Transient
from okd_payload.oci.registry.settings import host_name, lists_host
from okd_payload.oci.registry.tokens import TokenServer
from okd_payload.oci.registry.transport import Body, NoTls, Transport
from okd_payload.progress import Delayed, Progress

_DOCKER_HUB = {"docker.io": "registry-1.docker.io"}
_MAX_REDIRECTS = 5
_MAX_LOGINS = 3
_MAX_SMALL_ANSWER = 4 * 1024 * 1024
_MAX_PROBLEM = 64 * 1024
_SILENT_SECONDS = 10.0
"""How long nothing more is said about a host that is waited for."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Kind(enum.Enum):
    """What a request moves; each kind has its own slots."""

    REQUEST = "request"
    DOWNLOAD = "download"
    UPLOAD = "upload"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``what`` says in errors what it was for, as in "reading the manifest x"."""

    method: str
    target: str
    """A path of the API, or an absolute URL that the registry gave."""
    what: str
    path: str
    """The repository, which decides about the credentials."""
    access: Access
    accept: frozenset[int]
    """The statuses that the caller understands; all others become errors."""
    headers: Mapping[str, str] = {}
    body: Callable[[], AsyncIterator[bytes]] | bytes | None = None
    kind: Kind = Kind.REQUEST


class Answer(msgspec.Struct, frozen=True):
    """The whole of a small answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes
    url: URL
    """Where it came from, to resolve what it points at."""


class Host:
    """One registry; shared by all its repositories."""

    def __init__(
        self,
        name: str,
        *,
        transport: Transport,
        credentials: CredentialSource,
        progress: Progress,
    ) -> None:
        self.name = name
        self.settings = transport.settings
        self.transport = transport
        self.refuses_whole_uploads = False
        """Whether the registry did not take a blob in one request; the next one is not tried."""
        self._tokens = TokenServer(name, transport=transport)
        self._authorizer = Authorizer(
            name, credentials=credentials, tokens=self._tokens, clock=transport.clock
        )
        self._limiters = {
            kind: Limiter(most=self.settings.max_concurrency, clock=transport.clock)
            for kind in Kind
        }
        self._use_tls(not lists_host(self.settings.plain_http_hosts, name))
        self._may_drop_tls = is_loopback(host_name(name)) or lists_host(
            self.settings.lenient_hosts, name
        )
        self._has_answered = False
        self._progress = progress
        self._told = -_SILENT_SECONDS

    def patience(self, what: str) -> Patience:
        """The tries of a step that consists of several exchanges."""
        return Patience(what, clock=self.transport.clock, deadline=self.settings.deadline)

    async def endure(self, patience: Patience, trouble: Transient) -> None:
        """Wait for the next try. Raises RegistryUnavailable when there shall be none."""
        hopeful = self._has_answered and not trouble.doubtful
        deadline = None if hopeful else self._doubtful_deadline()
        await patience.endure(trouble, deadline=deadline, tell=lambda: self._tell(trouble))

    def _doubtful_deadline(self) -> float:
        """How long to go on where the next try will hardly help."""
        silent_mirror = not self._has_answered and self.name in self.settings.mirrors.mirror_hosts
        patience = self.settings.doubtful_deadline
        return min(patience, self.settings.mirror_deadline) if silent_mirror else patience

    def _tell(self, trouble: Transient) -> None:
        """Say that we wait for the host, once for all requests that do."""
        now = self.transport.clock.monotonic()
        if now - self._told >= _SILENT_SECONDS:
            self._told = now
            self._progress(Delayed(subject=self.name, reason=str(trouble)))

    async def ask(self, request: Request, *, limit: int = _MAX_SMALL_ANSWER) -> Answer:
        """The whole answer, tried for until the deadline.

        Raises TooLarge beyond ``limit`` bytes, and the errors of ``exchange``.
        """
        patience = self.patience(request.what)
        while True:
            try:
                return await self.attempt(request, limit=limit)
            except Transient as trouble:
                await self.endure(patience, trouble)

    async def attempt(self, request: Request, *, limit: int = _MAX_SMALL_ANSWER) -> Answer:
        """The whole of one answer, without a second try. Raises the errors of ``exchange``."""
        async with self.exchange(request) as response:
            try:
                body = await self.transport.read(response, limit=limit)
            except TooLarge as error:
                raise TooLarge(f"{request.what}: {error}", hint=error.hint) from error
            return Answer(response.status, response.headers, body, response.url)

    @asynccontextmanager
    async def exchange(self, request: Request) -> AsyncIterator[Response]:
        """One try: the answer while its body streams.

        Raises Transient when another try may help, NotFound, Unauthorized or RegistryRefused
        by the status.
        """
        limiter = self._limiters[request.kind]
        async with limiter.slot() as slot:
            try:
                response = await self._send(request, limiter, slot)
                try:
                    yield response
                finally:
                    response.release()
            except Transient as trouble:
                if trouble.overload:
                    limiter.cut(slot)
                if trouble.retry_after:
                    self._pause(min(trouble.retry_after, self.settings.deadline))
                raise

    def _pause(self, seconds: float) -> None:
        for limiter in self._limiters.values():
            limiter.pause(seconds)

    async def _send(self, request: Request, limiter: Limiter, slot: Slot) -> Response:
        """An answer with a status that the caller understands; we log in when asked to."""
        secret = await self._authorizer.authorization(request.path, request.access)
        for _ in range(_MAX_LOGINS):
            began = self.transport.clock.monotonic()
            response = await self._follow(request, secret)
            if response.status in request.accept:
                latency = self.transport.clock.monotonic() - began
                limiter.succeeded(slot, None if request.body else latency)
                return response
            failure = await self._read_failure(response)
            renewed = await self._log_in(request, failure, secret)
            if renewed is None:
                break
            secret = renewed
        raise await self._judge(request, failure)

    async def _read_failure(self, response: Response) -> Answer:
        """An answer that the caller does not understand, as far as it can be read."""
        try:
            body = await self.transport.read(response, limit=_MAX_PROBLEM)
        except (Transient, TooLarge):
            body = b""
        finally:
            response.release()
        return Answer(response.status, response.headers, body, response.url)

    async def _log_in(
        self, request: Request, answer: Answer, refused: Secret | None
    ) -> Secret | None:
        """Another header to try, None when the answer is no challenge or there is no other."""
        if answer.status != 401 or not self._is_own(answer.url):
            return None
        challenges = parse_challenges(answer.headers.getall("WWW-Authenticate", []))
        if challenges and not {"basic", "bearer"} & {item.scheme for item in challenges}:
            raise unsupported_login(self.name, challenges)
        return await self._authorizer.renewed(
            request.path, request.access, challenges=challenges, refused=refused
        )

    async def _judge(self, request: Request, answer: Answer) -> RegistryError:
        """The error for an answer that the caller does not understand."""
        problem = responses.read_problem(answer.status, answer.body)
        # Object storage refuses a signed address that has expired: a new one may be had.
        expired = problem.status in (401, 403) and not self._is_own(answer.url)
        if problem.is_transient or expired:
            now = self.transport.clock.now()
            wait = parse_retry_after(answer.headers.get("Retry-After", ""), now=now)
            return responses.transient(problem, retry_after=wait)
        login_hint = await self._authorizer.login_hint(request.path)
        return responses.refusal(problem, what=request.what, login_hint=login_hint)

    async def _follow(self, request: Request, secret: Secret | None) -> Response:
        """The answer behind all redirects; only what reads is sent on."""
        url = urls.resolve(request.target, base=self._base, settings=self.settings)
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._open(request, url, secret)
            if response.status not in _REDIRECTS or request.method not in ("GET", "HEAD"):
                return response
            response.release()
            location = response.headers.get("Location", "")
            url = urls.resolve(location, base=response.url, settings=self.settings)
        raise RegistryRefused(
            f"{request.what}: {self.name} redirects more than {_MAX_REDIRECTS} times",
            hint="the registry, or a proxy before it, is set up wrongly",
        )

    async def _open(self, request: Request, url: URL, secret: Secret | None) -> Response:
        """One answer. The header goes to the registry itself and to nobody else."""
        headers = dict(request.headers)
        if secret and self._is_own(url):
            headers["Authorization"] = secret.reveal()
        body: Body = request.body() if callable(request.body) else request.body
        try:
            response = await self.transport.send(request.method, url, headers=headers, body=body)
        except NoTls:
            if not self._may_go_without_tls(url):
                raise
            self._use_tls(False)
            return await self._open(request, url.with_scheme("http"), secret)
        self._has_answered = True
        self._may_drop_tls = False
        return response

    def _may_go_without_tls(self, url: URL) -> bool:
        """Whether ``url`` is the registry's own, and it is known or allowed to speak plain http.

        It is known when a request beside this one has just found out.
        """
        own = url.raw_authority == self._base.raw_authority and url.scheme == "https"
        return own and (self._may_drop_tls or self._base.scheme == "http")

    def _use_tls(self, use: bool) -> None:  # noqa: FBT001 - the name of the function says it
        self._base = URL.build(
            scheme="https" if use else "http", authority=_DOCKER_HUB.get(self.name, self.name)
        )
        self._tokens.allow_plain_http = not use

    def _is_own(self, url: URL) -> bool:
        return urls.same_origin(url, self._base)
