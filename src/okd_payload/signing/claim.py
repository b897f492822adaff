# SPDX-License-Identifier: Apache-2.0
"""What a signature claims: that an image has a digest, in JSON as clusters read it.

Go's decoder is strict in one thing and lenient in all others: a key that it does not know
refuses the claim, while keys match in any case (with the Kelvin sign for k and the long s for
s), of equal ones the last wins, objects given twice merge, null changes nothing, and what
follows the object is never seen. Only then is asked what the claim says.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from okd_payload.documents.go_quote import quote
from okd_payload.errors import ContentError
from okd_payload.signing.claim_syntax import (
    JsonFault,
    JsonList,
    JsonNumber,
    JsonObject,
    JsonValue,
    parse_first,
)

SIGNATURE_TYPE = "atomic container signature"
_FOLDED = str.maketrans({"\u212a": "k", "\u017f": "s"})
_LEAST, _LARGEST = -(2**63), 2**63 - 1


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a signature."""

    kind: str = ""
    digest: str = ""
    """The digest of the manifest."""
    reference: str = ""
    """The pull spec that the signer gave it; clusters only ask that there is one."""
    creator: str = ""
    timestamp: int = 0


class ClaimRefused(ContentError):
    """A claim that a cluster does not take, and why in its words."""


def read_claim(content: bytes) -> Claim:
    """The claim in ``content``, whatever it claims. Raises ClaimRefused."""
    try:
        value = parse_first(content)
    except JsonFault as fault:
        raise ClaimRefused(f"the signature is not valid JSON: {fault}") from fault
    decoder = _Decoder()
    decoder.decode(value, _SIGNATURE, ())
    if decoder.fault:
        raise ClaimRefused(f"the signature is not valid JSON: json: {decoder.fault}")
    return Claim(**decoder.found)  # type: ignore[arg-type]  # the decoder knows each type


def check_claim(content: bytes, digest: str) -> Claim:
    """The claim in ``content``, when it is about ``digest``. Raises ClaimRefused."""
    claim = read_claim(content)
    if claim.kind != SIGNATURE_TYPE:
        raise ClaimRefused("signature is not the correct type")
    if not claim.reference:
        raise ClaimRefused("signature must have an identity")
    if claim.digest != digest:
        raise ClaimRefused("signature digest does not match")
    return claim


class _Scalar(msgspec.Struct, frozen=True):
    """A member that holds text or a number, and what it becomes."""

    attribute: str
    go_type: str


class _Object(msgspec.Struct, frozen=True):
    """A member that holds members, with the name of its type in Go."""

    name: str
    members: Mapping[str, _Scalar | _Object]


_SIGNATURE = _Object(
    "signature",
    {
        "critical": _Object(
            "criticalSignature",
            {
                "type": _Scalar("kind", "string"),
                "image": _Object(
                    "criticalImage", {"docker-manifest-digest": _Scalar("digest", "string")}
                ),
                "identity": _Object(
                    "criticalIdentity", {"docker-reference": _Scalar("reference", "string")}
                ),
            },
        ),
        "optional": _Object(
            "optionalSignature",
            {
                "creator": _Scalar("creator", "string"),
                "timestamp": _Scalar("timestamp", "int64"),
            },
        ),
    },
)


class _Decoder:
    """Takes values in their order; the first fault stands, and reading goes on."""

    def __init__(self) -> None:
        self.found: dict[str, str | int] = {}
        self.fault = ""

    def decode(
        self, value: JsonValue, kind: _Scalar | _Object, path: tuple[str, ...], owner: str = ""
    ) -> None:
        """Take ``value`` for the member ``path`` of an object of the type ``owner``."""
        if value is None:
            return
        match kind:
            case _Object() if isinstance(value, JsonObject):
                self._decode_members(value, kind, path)
            case _Scalar(attribute=attribute, go_type="string") if isinstance(value, str):
                self.found[attribute] = value
            case _Scalar(attribute=attribute, go_type="int64") if _fits(value):
                self.found[attribute] = int(_text_of(value))
            case _:
                where = f"struct field {owner}.{'.'.join(path)}" if path else "value"
                self._fail(
                    f"cannot unmarshal {_describe(value, kind)} into Go {where}"
                    f" of type {_type_of(kind)}"
                )

    def _decode_members(self, value: JsonObject, kind: _Object, path: tuple[str, ...]) -> None:
        for key, item in value.members:
            name = key if key in kind.members else _fold(key)
            if name in kind.members:
                self.decode(item, kind.members[name], (*path, name), kind.name)
            else:
                self._fail(f"unknown field {quote(key)}")

    def _fail(self, fault: str) -> None:
        self.fault = self.fault or fault


def _fold(key: str) -> str:
    """``key`` in lower case, as far as that can make it a known one."""
    folded = key.translate(_FOLDED)
    return folded.lower() if folded.isascii() else folded


def _text_of(value: JsonValue) -> str:
    return value.text if isinstance(value, JsonNumber) else ""


def _fits(value: JsonValue) -> bool:
    """Whether ``value`` is a whole number without point and exponent, of 64 bits."""
    text = _text_of(value)
    digits = text.removeprefix("-")
    return digits.isdigit() and len(digits) < 20 and _LEAST <= int(text) <= _LARGEST


def _describe(value: JsonValue, kind: _Scalar | _Object) -> str:
    match value:
        case JsonObject():
            return "object"
        case JsonList():
            return "array"
        case JsonNumber(text=text):
            is_number = isinstance(kind, _Scalar) and kind.go_type == "int64"
            return f"number {text}" if is_number else "number"
        case str():
            return "string"
        case _:
            return "bool"


def _type_of(kind: _Scalar | _Object) -> str:
    return kind.go_type if isinstance(kind, _Scalar) else f"verify.{kind.name}"
