# SPDX-License-Identifier: Apache-2.0
"""What a message is made of, also where a cluster would not read on."""

from __future__ import annotations

import zlib

from crafting import MD5, literal, message, one_pass, packet, rsa_key

from okd_payload.signing.openpgp.outline import Outline, read_outline


def test_all_signers_of_a_message_are_seen():
    """Announcements and signatures pair up, inside of compression too."""
    one, two = rsa_key(), rsa_key(index=1)
    inner = (
        one_pass(one, is_last=False)
        + one_pass(two)
        + literal(b"x")
        + two.sign(0, b"x")
        + one.sign(0, b"x")
        + one.sign(0, b"behind")
    )
    outline = read_outline(packet(8, b"\x01" + zlib.compress(inner, wbits=-15)))
    assert [item.key_id.to_bytes(8) for item in outline.announced] == [one.key_id, two.key_id]
    assert [item.issuer.to_bytes(8) for item in outline.signatures] == [two.key_id, one.key_id]
    assert outline.content == b"x"


def test_what_cannot_be_read_is_left_out():
    """An unsupported packet is stepped over, broken data ends the outline."""
    key = rsa_key()
    assert read_outline(packet(4, b"\x04" * 13) + message(key, function=MD5)).content == b"content"
    assert read_outline(b"no packet") == Outline()
    assert read_outline(one_pass(key) + literal(b"x")[:-1]).content is None
