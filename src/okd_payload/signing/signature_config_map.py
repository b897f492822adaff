# SPDX-License-Identifier: Apache-2.0
"""Signatures as ConfigMaps: how a cluster without a way to any store gets them.

The objects are those that ``oc adm release mirror`` writes and clusters read: one for each image,
in ``openshift-config-managed``, with the label that they are found by. JSON on one line, so that
several are one file that ``oc apply -f`` takes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from okd_payload.oci.digest import Digest, hex_of

NAMESPACE = "openshift-config-managed"
LABEL = "release.openshift.io/verification-signatures"
_HEX_IN_NAME = 16


class _Metadata(msgspec.Struct, frozen=True):
    name: str
    namespace: str
    labels: dict[str, str]


class _ConfigMap(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    kind: str
    api_version: str
    metadata: _Metadata
    binary_data: dict[str, str]


def signature_config_map(digest: Digest, signatures: Sequence[bytes]) -> bytes:
    """The ConfigMap with ``signatures`` of the image ``digest``, and a line end."""
    name = f"sha256-{hex_of(digest)}"
    value = _ConfigMap(
        kind="ConfigMap",
        api_version="v1",
        metadata=_Metadata(name, NAMESPACE, {LABEL: ""}),
        binary_data={
            f"{name}-{number}": base64.b64encode(signature).decode()
            for number, signature in enumerate(signatures, start=1)
        },
    )
    return msgspec.json.encode(value) + b"\n"


def signature_file_name(digest: Digest) -> str:
    """What ``oc`` calls the file with the ConfigMap of ``digest``."""
    return f"signature-sha256-{hex_of(digest)[:_HEX_IN_NAME]}.json"
