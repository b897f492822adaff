# SPDX-License-Identifier: Apache-2.0
"""Image references, by the grammar of distribution's ``reference`` package.

``[host[:port]/]path[:tag][@digest]``. A first component without dot, colon or the name
``localhost`` is no host: such names are completed with docker.io, as every client does.
"""

from __future__ import annotations

import msgspec

from okd_payload.oci.digest import Digest


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed reference; ``str()`` gives its canonical form back."""

    host: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    @property
    def repository(self) -> str:
        """``host/path``."""
        return f"{self.host}/{self.path}"

    def with_digest(self, digest: Digest) -> Reference:
        """The same repository, pinned; the tag is dropped."""
        return msgspec.structs.replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"
