# SPDX-License-Identifier: Apache-2.0
"""Documents as one word of text: how a pod is told what to do, as an argument of its program.

The word is compressed and in base64, so nothing in it can be taken for a variable of Tekton
(``$(...)``) or of a shell, and no volume is needed for it to travel. Equal documents are equal
words.
"""

from __future__ import annotations

import base64
import binascii
import zlib

MOST_BYTES = 96 * 1024
"""Of a word: it must fit an argument of a program (128 KiB in Linux), and leave the object that
carries it, which may repeat it in its status, far below the 1.5 MiB that clusters store."""
_MOST_INFLATED = 16 * 1024 * 1024
_LEVEL = 9


def encode_word(content: bytes) -> str:
    """``content`` as one word, however long; see ``MOST_BYTES``."""
    return base64.b64encode(zlib.compress(content, _LEVEL)).decode()


def decode_word(word: str) -> bytes:
    """What ``word`` holds. Raises ValueError for what ``encode_word`` did not make."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(base64.b64decode(word.strip(), validate=True), _MOST_INFLATED)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(str(error)) from error
    if not inflater.eof or inflater.unused_data:
        raise ValueError("it is longer or shorter than it says")
    return content
