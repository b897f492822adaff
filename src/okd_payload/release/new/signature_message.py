# SPDX-License-Identifier: Apache-2.0
"""The message that a release's signature is made of, before anybody signs it.

The format is that of "atomic container signatures" (containers/image, signature-protocols.md).
Verifiers reject keys that they do not know, so nothing may be added.
"""

from __future__ import annotations

import msgspec

from okd_payload import __version__
from okd_payload.imagestream import go_json
from okd_payload.oci.digest import Digest
from okd_payload.oci.reference import Reference


class _Image(msgspec.Struct, frozen=True):
    docker_manifest_digest: str = msgspec.field(name="docker-manifest-digest")


class _Identity(msgspec.Struct, frozen=True):
    docker_reference: str = msgspec.field(name="docker-reference")


class _Critical(msgspec.Struct, frozen=True):
    type: str
    image: _Image
    identity: _Identity


class _Optional(msgspec.Struct, frozen=True):
    creator: str
    timestamp: int


class _Message(msgspec.Struct, frozen=True):
    critical: _Critical
    optional: _Optional


def encode_message(
    published: Reference, digest: Digest, *, timestamp: int, creator: str = ""
) -> bytes:
    """The message about the image ``digest`` in the repository of ``published``.

    Without ``creator``, who made it is this program.
    """
    message = _Message(
        critical=_Critical(
            type="atomic container signature",
            image=_Image(docker_manifest_digest=digest),
            identity=_Identity(docker_reference=f"{published.repository}@{digest}"),
        ),
        optional=_Optional(creator=creator or f"okd-payload/{__version__}", timestamp=timestamp),
    )
    return go_json.encode(message, indent=2)
