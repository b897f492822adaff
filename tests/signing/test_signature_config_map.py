# SPDX-License-Identifier: Apache-2.0
"""Signatures as ConfigMaps."""

from __future__ import annotations

from okd_payload.oci.digest import Digest
from okd_payload.signing.signature_config_map import signature_config_map, signature_file_name

DIGEST = Digest("sha256:" + "ab" * 32)


def test_the_object_is_that_of_oc():
    """Each signature has a number, the whole is one line, and the order of keys is that of oc."""
    name = "sha256-" + "ab" * 32
    assert signature_config_map(DIGEST, [b"one", b"\xff"]).decode() == (
        '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"' + name + '",'
        '"namespace":"openshift-config-managed",'
        '"labels":{"release.openshift.io/verification-signatures":""}},'
        '"binaryData":{"' + name + '-1":"b25l","' + name + '-2":"/w=="}}\n'
    )


def test_the_file_is_called_as_oc_calls_it():
    """Sixteen digits of the digest are enough for a name."""
    assert signature_file_name(DIGEST) == "signature-sha256-abababababababab.json"
