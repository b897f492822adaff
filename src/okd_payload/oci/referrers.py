# SPDX-License-Identifier: Apache-2.0
"""Manifests that point at another one by ``subject``: signatures, attestations, notes.

Where a place has no list of its own for them, the distribution specification keeps the list as
an index under the tag ``sha256-<hex>`` (its "referrers tag schema"). cosign's older signatures
are found by tags that begin the same way, as in ``sha256-<hex>.sig``; those are ordinary tags.
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.oci import media_types
from okd_payload.oci.digest import Digest, hex_of
from okd_payload.oci.manifest import Descriptor, ImageManifest, Index, Manifest, encode_manifest

COSIGN_SUFFIXES = (".sig", ".att", ".sbom")

_LIST_TAG = re.compile(r"sha256-([0-9a-f]{64})")


class Referrer(msgspec.Struct, frozen=True):
    """A manifest that points at another one: at which, and its entry in that one's list."""

    subject: Digest
    entry: Descriptor


def list_tag(subject: Digest) -> str:
    """The tag under which the referrers of ``subject`` are listed."""
    return f"sha256-{hex_of(subject)}"


def subject_of_list_tag(tag: str) -> Digest | None:
    """The digest whose referrers ``tag`` lists, None when it is an ordinary tag."""
    matched = _LIST_TAG.fullmatch(tag)
    return Digest(f"sha256:{matched[1]}") if matched else None


def referrer_of(manifest: Manifest) -> Referrer | None:
    """``manifest`` as a referrer, None when it has no subject."""
    value = manifest.value()
    if value.subject is None:
        return None
    config_type = value.config.media_type if isinstance(value, ImageManifest) else ""
    entry = msgspec.structs.replace(
        manifest.descriptor,
        artifact_type=value.artifact_type or config_type,
        annotations=value.annotations,
    )
    return Referrer(value.subject.digest, entry)


def with_referrer(referrers: Index, entry: Descriptor) -> Manifest:
    """The list ``referrers`` with ``entry`` in it, once."""
    others = (item for item in referrers.manifests if item.digest != entry.digest)
    return encode_manifest(Index(media_type=media_types.OCI_INDEX, manifests=(*others, entry)))
