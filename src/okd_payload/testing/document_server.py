# SPDX-License-Identifier: Apache-2.0
"""A web server with documents: what update graphs, stream files and signatures come from.

``with DocumentServer({"/graph": b"..."}) as server`` listens on a free loopback port, in a thread
of its own, so that a whole run of the command line can read from it. ``server.requests`` is what
was asked for, with the query; ``documents`` may be changed while it runs.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says to one address."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class DocumentServer:
    """The server; addresses are looked up with their query, and then without."""

    def __init__(self, documents: Mapping[str, bytes | Answer] | None = None) -> None:
        self.documents = dict(documents or {})
        self.requests: list[str] = []
        self.writable = False
        """Whether documents may be put here, where none is yet."""
        self.token = ""
        """The bearer token that whoever puts something must show."""
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address of the server, without a slash at its end."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, target: str) -> Answer:
        """What to say to a request for ``target``."""
        self.requests.append(target)
        found = self.documents.get(target, self.documents.get(target.partition("?")[0]))
        if found is None:
            return Answer(status=404)
        return found if isinstance(found, Answer) else Answer(body=found)

    def take(self, target: str, content: bytes, *, authorization: str) -> int:
        """The status for a request to store ``content`` at ``target``."""
        if not self.writable:
            return 405
        if self.token and authorization != f"Bearer {self.token}":
            return 401
        if target in self.documents:
            return 412
        self.documents[target] = content
        return 201

    def __enter__(self) -> Self:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = owner.answer(self.path)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def do_PUT(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                given = self.headers.get("Authorization", "")
                self.send_response(owner.take(self.path, content, authorization=given))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Tests look at ``requests``."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
