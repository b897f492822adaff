# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with OpenPGP data, in the words of the library that clusters use.

The words matter: ``release accept`` shows them as the cluster would. The kinds matter too: a
key ring steps over what is unsupported or malformed, and gives up on everything else.
"""

from __future__ import annotations

from typing import ClassVar

from okd_payload.errors import ContentError


class OpenPgpError(ContentError):
    """Root of this package's errors; itself used for damage found by a decompressor."""

    prefix: ClassVar[str] = ""

    def __init__(self, text: str, *, hint: str = "") -> None:
        super().__init__(f"{self.prefix}{text}", hint=hint)


class Unsupported(OpenPgpError):
    """Something that the library does not implement."""

    prefix = "openpgp: unsupported feature: "


class Malformed(OpenPgpError):
    """Data that breaks the rules of the format."""

    prefix = "openpgp: invalid data: "


class Unfit(OpenPgpError):
    """Data that is well-formed and of the wrong kind."""

    prefix = "openpgp: invalid argument: "


class BadSignature(OpenPgpError):
    """A signature that does not fit the data or the key."""

    prefix = "openpgp: invalid signature: "


class Deadly(OpenPgpError):
    """Data on which the library, and with it the cluster's program, crashes."""


class NoKey(OpenPgpError):
    """An encrypted message."""

    prefix = "openpgp: "


class Truncated(OpenPgpError):
    """The data ends in the middle of something."""

    def __init__(self) -> None:
        super().__init__("unexpected EOF")


class NoMorePackets(OpenPgpError):
    """The data ends where a packet could have begun."""

    def __init__(self) -> None:
        super().__init__("EOF")
