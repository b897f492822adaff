# SPDX-License-Identifier: Apache-2.0
"""What the user decides about registries; every default is meant to be left alone.

Hosts are written as in references: ``quay.io``, ``registry.example.com:5000``. A host listed
without a port stands for all its ports, ``*.example.com`` for all hosts below that domain, ``*``
for every host.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec

from okd_payload.oci.mirrors.rules import MirrorRules

EVERY_HOST = "*"


def standard_certificate_folders() -> tuple[Path, ...]:
    """Where podman, skopeo and docker keep certificates: one folder per host inside each."""
    return (
        Path("/etc/docker/certs.d"),
        Path("/etc/containers/certs.d"),
        Path.home() / ".config" / "containers" / "certs.d",
    )


class RegistrySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How registries are spoken to; one value for all of them."""

    auth_file: Path | None = None
    """The only file credentials are taken from; None searches the ordinary places."""
    certificate_folders: tuple[Path, ...] = msgspec.field(
        default_factory=standard_certificate_folders
    )
    """Folders with a sub-folder per host: ``*.crt`` are added to the system's roots, pairs of
    ``*.cert`` and ``*.key`` are shown to the host."""
    certificate_authority: Path | None = None
    """A file of further roots, for all hosts."""
    plain_http_hosts: frozenset[str] = frozenset()
    """Hosts spoken to without TLS. Hosts of the loopback network may fall back to it unasked."""
    insecure_hosts: frozenset[str] = frozenset()
    """Hosts whose certificate is not verified; TLS is spoken all the same."""
    lenient_hosts: frozenset[str] = frozenset()
    """Hosts whose certificate is not verified, and that may be spoken to without TLS when they do
    not speak it: what ``registries.conf`` calls insecure."""
    mirrors: MirrorRules = MirrorRules()
    """Where repositories are read; see ``oci.mirrors``. The client itself opens what it is told
    to, and only knows by it which hosts are mirrors."""
    deadline: float = 300.0
    """Seconds that a step may go on failing without any progress before it is given up."""
    doubtful_deadline: float = 15.0
    """The deadline where trying again will hardly help: a host that never answered, whose name
    is most likely wrong; a status 500, behind which is most likely a fault of the registry."""
    mirror_deadline: float = 3.0
    """The deadline for a mirror that never answered: another place is there to be asked."""
    stall_seconds: float = 60.0
    """Seconds without a byte after which a connection counts as dead."""
    answer_seconds: float = 300.0
    """Seconds a registry may think about an upload that is all there."""
    max_concurrency: int = 32
    """Most requests under way at a time, per host and kind of request."""
    chunk_bytes: int = 16 * 1024 * 1024
    """Size of the pieces of a chunked upload; a registry may ask for more."""


def lists_host(hosts: AbstractSet[str], host: str) -> bool:
    """Whether ``host``, with or without a port, is one of ``hosts``."""
    name = host_name(host)
    return not hosts.isdisjoint({host, name, EVERY_HOST}) or any(
        listed.startswith("*.") and name.endswith(listed[1:]) for listed in hosts
    )


def host_name(host: str) -> str:
    """``host`` without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
