# SPDX-License-Identifier: Apache-2.0
"""With which keys, and from where, a cluster verifies releases: what its payload says about it.

The first ConfigMap of a payload that bears the annotation decides, usable or not. Each entry
``verifier-public-key-*`` is a ring of keys, each ``store-*`` an address; all rings have to be
satisfied, each by any of its keys. A cluster whose ConfigMap cannot be used does not start its
operator; one whose payload has none verifies nothing and refuses every update.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.errors import ContentError
from okd_payload.signing.config_map import ConfigMap
from okd_payload.signing.openpgp.faults import OpenPgpError
from okd_payload.signing.openpgp.keyring import KeyRing, read_key_ring

ANNOTATION = "release.openshift.io/verification-config-map"
KEY_PREFIX, STORE_PREFIX = "verifier-public-key-", "store-"
_SCHEMES = ("http", "https", "file")
_PORT = re.compile(r"(?:\][^:]*|^[^\[:]*|@[^\[:]*)(?::[0-9]*)?$")
"""A host at the end of what stands before the path, with a port of digits or none."""
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The keys and stores of a payload."""

    source: str
    """The ConfigMap, as messages name it."""
    rings: dict[str, KeyRing]
    """By the name of their entry, in byte order."""
    stores: dict[str, str]
    """Addresses by the name of their entry, in byte order."""
    ignored: tuple[str, ...] = ()
    """Entries that mean nothing."""


class UnusableConfiguration(ContentError):
    """A ConfigMap with which a cluster's operator does not start, and why in its words."""


def find_configuration(config_maps: Iterable[ConfigMap]) -> Configuration | None:
    """What the first annotated one of ``config_maps`` says; None when there is none.

    They come in the order of the payload, without those that the cluster leaves out or cannot
    decode. Raises UnusableConfiguration.
    """
    for config_map in config_maps:
        if ANNOTATION in config_map.annotations:
            return load_configuration(config_map)
    return None


def load_configuration(config_map: ConfigMap) -> Configuration:
    """What ``config_map`` says. Raises UnusableConfiguration."""
    source = f"the config map {config_map.namespace}/{config_map.name}"
    entries = sorted(config_map.data.items())
    configuration = Configuration(
        source=source,
        rings={
            name: _load_ring(source, name, text)
            for name, text in entries
            if name.startswith(KEY_PREFIX)
        },
        stores={
            name: _load_store(source, name, text)
            for name, text in entries
            if name.startswith(STORE_PREFIX)
        },
        ignored=tuple(
            name for name, _ in entries if not name.startswith((KEY_PREFIX, STORE_PREFIX))
        ),
    )
    if not configuration.stores:
        raise _unusable(source, "did not provide any signature stores to read from")
    if not configuration.rings:
        raise _unusable(source, "did not provide any GPG public keys to verify signatures from")
    return configuration


def split_store_address(text: str) -> SplitResult | None:
    """The address of a store; None when a cluster would not take it."""
    if any(letter < " " or letter == "\x7f" for letter in text):
        return None
    try:
        address = urlsplit(text)
    except ValueError:
        return None
    fits = (
        address.scheme in _SCHEMES
        and _is_escaped_well(address.path)
        and " " not in address.netloc
        and _PORT.search(address.netloc)
    )
    return address if fits else None


def _load_ring(source: str, name: str, text: str) -> KeyRing:
    try:
        return read_key_ring(text.encode(errors="surrogatepass"))
    except OpenPgpError as fault:
        raise UnusableConfiguration(
            f"{source} has an invalid key {quote(name)} that must be a GPG public key:"
            f" {fault}: {fault}",
            hint="de-armour the RSA keys, concatenate them and armour them once",
        ) from fault


def _load_store(source: str, name: str, text: str) -> str:
    address = text.strip()
    if split_store_address(address) is None:
        raise UnusableConfiguration(
            f"{source} has an invalid key {quote(name)}:"
            " must be a valid URL with scheme file://, http://, or https://",
            hint="write the address of a signature store, or take the entry out",
        )
    return address


def _unusable(source: str, what: str) -> UnusableConfiguration:
    return UnusableConfiguration(
        f"{source} {what} and cannot be used",
        hint="`okd-payload release keyring` writes one that clusters can use",
    )


def _is_escaped_well(path: str) -> bool:
    """Whether each ``%`` is followed by two hexadecimal digits."""
    return all(len(part) >= 2 and set(part[:2]) <= _HEXADECIMAL for part in path.split("%")[1:])
