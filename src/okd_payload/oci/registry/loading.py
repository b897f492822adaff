# SPDX-License-Identifier: Apache-2.0
"""Loading the HTTP client without what it prepares and we never use.

While aiohttp is imported it makes two TLS contexts for those who bring none, and reads the
system's roots into each: a fifth of the time in which a small command ends. Ours come from
``certificates``, for every connection, so the roots are hidden from it meanwhile. A context of
aiohttp's that somebody used all the same would trust nobody, which fails safely.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_ROOTS = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""Where OpenSSL looks for roots, as its own variables say it."""


def load_aiohttp() -> None:
    """Import aiohttp, unless that was done before."""
    if "aiohttp" not in sys.modules:
        with _without_roots():
            import aiohttp  # noqa: F401 - for the modules that import it after us


@contextlib.contextmanager
def _without_roots() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ROOTS}
    os.environ.update(_ROOTS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
