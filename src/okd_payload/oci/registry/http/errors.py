# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a connection. ``transport`` turns these into errors that users see."""

from __future__ import annotations


class HttpError(Exception):
    """Something is wrong between us and the other side; its text says what."""


class NoConnection(HttpError):
    """Nobody could be reached."""


class UnknownName(NoConnection):
    """Nobody has this name."""


class ImpossibleName(HttpError):
    """Nobody can have this name."""


class Unsendable(HttpError):
    """A request would say something else than was meant."""


class ProxyUnreachable(NoConnection):
    """The proxy on the way could not be reached."""


class ProxyRefused(HttpError):
    """The proxy was reached and does not let us through; the text is its status."""


class Untrusted(HttpError):
    """The certificate that is shown is not trusted."""


class TlsFailed(HttpError):
    """The other side speaks no TLS, or none that we accept."""


class Malformed(HttpError):
    """What came is not HTTP, or can be read in more than one way."""


class Lost(HttpError):
    """The connection ended before the answer did."""
