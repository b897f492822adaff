# SPDX-License-Identifier: Apache-2.0
"""The examples of what is signed, and of the keys that clusters trust, as they are described."""

from __future__ import annotations

import yaml

from okd_payload.oci.reference import parse_reference
from okd_payload.release.naming import run_level_of
from okd_payload.release.new.signature_message import encode_message
from okd_payload.release.sign.certificates import split_keys
from okd_payload.release.sign.keyring import FILE_NAME, KeyRingManifest, encode_key_ring
from okd_payload.signing.claim import check_claim
from okd_payload.testing.memory_signer import MemorySigner

_HEX = "9a" * 32
_MESSAGE = """\
{
  "critical": {
    "type": "atomic container signature",
    "image": {
      "docker-manifest-digest": "sha256:HEX"
    },
    "identity": {
      "docker-reference": "quay.io/openshift-release-dev/ocp-release@sha256:HEX"
    }
  },
  "optional": {
    "creator": "oc-adm-release-new/6b8e30c",
    "timestamp": 1760959353
  }
}"""


def test_signature_message():
    """What is signed, which verifiers read again; they refuse any other key (6.1)."""
    published = parse_reference("quay.io/openshift-release-dev/ocp-release:4.20.1")
    digest = f"sha256:{_HEX}"
    made = encode_message(
        published, digest, timestamp=1760959353, creator="oc-adm-release-new/6b8e30c"
    )
    assert made.decode() == _MESSAGE.replace("HEX", _HEX)
    assert check_claim(made, digest)


def test_key_config_map():
    """The ConfigMap of cluster-update-keys: keys, stores, and whom it is for (6.2)."""
    signer = MemorySigner()
    ring = KeyRingManifest(stores={"ci": "https://storage.test/signatures/openshift/release"})
    text = encode_key_ring(ring.with_keys("ci", split_keys(signer.public_key, path="ci.asc")))
    value = yaml.safe_load(text)
    assert (value["apiVersion"], value["kind"]) == ("v1", "ConfigMap")
    metadata = value["metadata"]
    assert metadata["name"] == "release-verification"
    assert metadata["namespace"] == "openshift-config-managed"
    assert metadata["annotations"]["release.openshift.io/verification-config-map"] == ""
    assert metadata["annotations"]["include.release.openshift.io/self-managed-high-availability"]
    assert sorted(value["data"]) == ["store-ci", "verifier-public-key-ci"]
    assert value["data"]["verifier-public-key-ci"].startswith("-----BEGIN PGP PUBLIC KEY BLOCK")
    assert run_level_of(FILE_NAME) == ("90", "cluster-update-keys")
