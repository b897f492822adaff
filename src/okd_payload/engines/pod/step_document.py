# SPDX-License-Identifier: Apache-2.0
"""A build step as one word, to be handed to the pod that builds it.

The word is the step as JSON, compressed, in base64: nothing in it can be taken for a variable
of Tekton (``$(...)``) or of a shell, and no Dockerfile needs a volume to travel. It must fit an
argument of a program (128 KiB in Linux) and leave the object that carries it, which repeats it
in its status, far below the 1.5 MiB that clusters store.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.errors import BuildError, InputError
from okd_payload.source.model import FolderSource

MOST_BYTES = 96 * 1024
_MOST_INFLATED = 16 * 1024 * 1024
_LEVEL = 9


def portable(step: BuildStep) -> BuildStep:
    """``step`` without paths of this machine: a folder travels by its commit, in a snapshot."""
    if not isinstance(step.source, FolderSource) or step.commit is None:
        return step
    source = FolderSource(path=f"/snapshot/{step.commit.id}")
    return msgspec.structs.replace(step, source=source)


def encode_step(step: BuildStep) -> str:
    """The document of ``step``; equal steps have equal ones. Raises BuildError."""
    content = msgspec.json.encode(step, order="sorted")
    document = base64.b64encode(zlib.compress(content, _LEVEL)).decode()
    if len(document) > MOST_BYTES:
        raise BuildError(
            f"{step.component}: what describes its build takes {len(document)} bytes, and a pod "
            f"is told at most {MOST_BYTES}",
            hint="keep its Dockerfile in the source, or give fewer and shorter build arguments",
        )
    return document


def decode_step(document: str) -> BuildStep:
    """The step that ``document`` describes. Raises InputError."""
    try:
        compressed = base64.b64decode(document.strip(), validate=True)
        inflater = zlib.decompressobj()
        content = inflater.decompress(compressed, _MOST_INFLATED)
        if not inflater.eof or inflater.unused_data:
            raise _not_a_document("it is longer or shorter than it says")
        return msgspec.json.decode(content, type=BuildStep)
    except (binascii.Error, zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise _not_a_document(str(error)) from error


def _not_a_document(reason: str) -> InputError:
    return InputError(
        f"this is no step document: {reason}",
        hint="pass what the same version of okd-payload made, whole",
    )
