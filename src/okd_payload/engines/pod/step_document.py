# SPDX-License-Identifier: Apache-2.0
"""A build step as one word, to be handed to the pod that builds it: its JSON, see ``words``."""

from __future__ import annotations

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.documents.words import MOST_BYTES, decode_word, encode_word
from okd_payload.errors import BuildError, InputError
from okd_payload.source.model import FolderSource


def portable(step: BuildStep) -> BuildStep:
    """``step`` without paths of this machine: a folder travels by its commit, in a snapshot."""
    if not isinstance(step.source, FolderSource) or step.commit is None:
        return step
    source = FolderSource(path=f"/snapshot/{step.commit.id}")
    return msgspec.structs.replace(step, source=source)


def encode_step(step: BuildStep) -> str:
    """The document of ``step``; equal steps have equal ones. Raises BuildError."""
    content = msgspec.json.encode(step, order="sorted")
    document = encode_word(content)
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
        return msgspec.json.decode(decode_word(document), type=BuildStep)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _not_a_document(str(error)) from error


def _not_a_document(reason: str) -> InputError:
    return InputError(
        f"this is no step document: {reason}",
        hint="pass what the same version of okd-payload made, whole",
    )
