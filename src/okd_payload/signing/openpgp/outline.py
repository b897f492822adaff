# SPDX-License-Identifier: Apache-2.0
"""What a signed message is made of, told without judging it.

``message`` stops at the first thing that a cluster does not take; this goes on where it can, for
those who want to say what is wrong with a message, and with whose signature.
"""

from __future__ import annotations

import msgspec

from okd_payload.signing.openpgp.faults import OpenPgpError, Unsupported
from okd_payload.signing.openpgp.packets import Compressed, Literal, OnePass, packets_of
from okd_payload.signing.openpgp.signatures import OldSignature, Signature
from okd_payload.signing.openpgp.streams import read_all


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """The announcements in front of the data, the data, and the signatures behind."""

    announced: tuple[OnePass, ...] = ()
    content: bytes | None = None
    """None when there is no data, or it cannot be read."""
    signatures: tuple[Signature | OldSignature, ...] = ()
    """One for each announcement at most; the last announcement's comes first."""


def read_outline(message: bytes) -> Outline:
    """What ``message`` is made of, as far as it can be read."""
    packets = packets_of(message)
    announced: list[OnePass] = []
    content: bytes | None = None
    signatures: list[Signature | OldSignature] = []
    while content is None or len(signatures) < len(announced):
        try:
            packet = packets.next()
            match packet:
                case Compressed():
                    packets.enter(packet)
                case OnePass() if content is None:
                    announced.append(packet)
                case Literal() if content is None:
                    content = read_all(packet.body)
                case Signature() | OldSignature() if content is not None:
                    signatures.append(packet)
                case _:
                    pass
        except Unsupported:
            continue
        except OpenPgpError:
            break
    return Outline(announced=tuple(announced), content=content, signatures=tuple(signatures))
