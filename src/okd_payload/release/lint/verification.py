# SPDX-License-Identifier: Apache-2.0
"""Whether clusters on this release could verify the releases that come after it.

A cluster takes the keys out of its own payload: out of the first ConfigMap that bears an
annotation for it, whatever its name. Without one every later update has to be forced.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.issues import Issue
from okd_payload.release.lint import codes
from okd_payload.release.lint.subject import CheckedObject, Subject

_ANNOTATION = "release.openshift.io/verification-config-map"
_KEYRING = "verifier-public-key-"
_STORE = "store-"
_ARMOUR = "-----BEGIN PGP "


def check_verification(subject: Subject) -> Iterator[Issue]:
    """The ConfigMap with the keys: that there is one, and that it has what clusters ask for."""
    marked = [
        item
        for item in subject.of_kind("ConfigMap")
        if _ANNOTATION in (item.annotations or {}) and item.is_applied
    ]
    usable = [item for item in marked if _is_readable(item)]
    for item in marked:
        if item not in usable:
            yield item.issue(
                codes.UNREAD_VERIFICATION_KEYS,
                "has data that is no text, so clusters pass it over",
                hint="quote the value, and put binary data into text",
            )
    if not usable:
        yield codes.NO_VERIFICATION_KEYS.issue(
            "no ConfigMap of the payload says with which keys later releases are signed",
            hint="without keys every update away from this release has to be forced: include an"
            " image cluster-update-keys of your own",
        )
        return
    yield from _check_content(usable[0])
    for item in usable[1:]:
        yield item.issue(
            codes.UNREAD_VERIFICATION_KEYS,
            f"is not looked at: {usable[0].key} in {usable[0].file} comes first",
            hint="put all keys into the first one",
        )


def _check_content(item: CheckedObject) -> Iterator[Issue]:
    data = item.value.get("data") or {}
    keyrings = {name: text for name, text in data.items() if name.startswith(_KEYRING)}
    if not keyrings:
        yield _unusable(item, f"has no entry {_KEYRING}NAME")
    if not any(name.startswith(_STORE) for name in data):
        yield _unusable(item, f"has no entry {_STORE}NAME")
    for name, text in keyrings.items():
        for problem in _check_keyring(text or ""):
            yield _unusable(item, f"has {name}, {problem}")


def _check_keyring(text: str) -> Iterator[str]:
    """What a cluster cannot do with a key ring, by the rules of the library that it uses."""
    from okd_payload.signing.openpgp.faults import OpenPgpError
    from okd_payload.signing.openpgp.keyring import read_key_ring

    if not text.strip():
        yield "which is empty, and no signature satisfies it"
        return
    blocks = text.count(_ARMOUR)
    if blocks > 1:
        yield f"which has {blocks} armoured blocks, and only the first is read"
    try:
        ring = read_key_ring(text.encode())
    except OpenPgpError as error:
        yield f"which cannot be read: {error.message}"
        return
    for lost in ring.dropped:
        yield f"in which the key {lost.fingerprint or 'of unknown name'} is lost: {lost.cause}"
    if not ring.certificates and not ring.dropped:
        yield "which has no key"


def _is_readable(item: CheckedObject) -> bool:
    data = item.value.get("data")
    return data is None or (
        isinstance(data, dict) and all(isinstance(text, str | None) for text in data.values())
    )


def _unusable(item: CheckedObject, message: str) -> Issue:
    return item.issue(
        codes.INVALID_VERIFICATION_KEYS,
        message,
        hint=f"it needs {_KEYRING}NAME with one armoured keyring, and {_STORE}NAME with a URL",
    )
