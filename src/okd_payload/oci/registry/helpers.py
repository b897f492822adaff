# SPDX-License-Identifier: Apache-2.0
"""Credential helpers: programs ``docker-credential-NAME`` that keep secrets elsewhere.

The protocol is docker's: ``get`` with the server's name on standard input answers with JSON.
A helper that is missing or fails is a warning and no credential, because auth files name
helpers for hosts that serve everybody; where one was needed the registry says so.
"""

from __future__ import annotations

import logging
import re

import msgspec

from okd_payload import process
from okd_payload.errors import ContentError, MissingTool
from okd_payload.oci.foreign_json import decode_json
from okd_payload.oci.registry.credentials import Credential, HelperCall, make_credential

_DEADLINE = 60.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = b"credentials not found"

_logger = logging.getLogger(__name__)


class _Answer(msgspec.Struct, frozen=True, rename="pascal"):
    username: str
    secret: str


async def ask_helper(call: HelperCall) -> Credential | None:
    """The credential that a helper has for a server, None when it has none."""
    if not _NAME.fullmatch(call.helper):
        _logger.warning("%s: not the name of a credential helper", call.source)
        return None
    try:
        program = process.find_program(
            f"docker-credential-{call.helper}", needed_for=f"logging in to {call.server}"
        )
        outcome = await process.run(
            [program, "get"], stdin=call.server.encode(), deadline=_DEADLINE
        )
    except (MissingTool, OSError, TimeoutError) as error:
        reason = f"no answer in {_DEADLINE:.0f} s" if isinstance(error, TimeoutError) else error
        _logger.warning("%s: %s; going on without it", call.source, reason)
        return None
    if outcome.code != 0:
        if _NOT_FOUND not in outcome.output:
            _logger.warning("%s failed with exit code %d", call.source, outcome.code)
        return None
    return _read(call, outcome.output)


def _read(call: HelperCall, output: bytes) -> Credential | None:
    try:
        answer = decode_json(output, _Answer, what=call.source)
    except ContentError:
        _logger.warning("%s: the answer is not what a credential helper says", call.source)
        return None
    if not answer.secret:
        return None
    return make_credential(
        username=answer.username, secret=answer.secret, source=f"{call.source}, {call.server}"
    )
