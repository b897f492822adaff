# SPDX-License-Identifier: Apache-2.0
"""What a pod is told that makes a payload, and the little that it says in the end.

The order has all that decides the payload, so the pod asks no database, and makes byte for byte
what the server would have made. The report has what cannot be read back from the payload: why
there is none, and whether trying again may help.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import FrozenInput, Release
from okd_payload.documents.words import MOST_BYTES, decode_word, encode_word
from okd_payload.errors import InputError, OkdPayloadError, ReleaseError

_MOST_TOLD = 3900
"""Bytes of a text in a report, which has one: a pod can say 4096 in all."""


class PushedPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A payload that somebody pushed, which is taken over."""

    pull_spec: str
    digest: str
    rewrite: bool
    """Whether it may be made again under the name of its tag."""


class PayloadOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One payload that is to be made, or taken over."""

    stream: str
    release: str
    created: float
    content: str
    content_name: str
    releases: str
    releases_name: str
    architectures: tuple[str, ...]
    inputs: tuple[FrozenInput, ...]
    pushed: PushedPayload | None = None
    """What is taken over; None where a payload is made of ``inputs``."""

    def to_configuration(self) -> StreamConfiguration:
        """The stream, as far as it decides the payload."""
        return StreamConfiguration(
            name=self.stream,
            content=self.content,
            content_name=self.content_name,
            releases=self.releases,
            releases_name=self.releases_name,
            architectures=self.architectures,
            rewrite=self.pushed is None or self.pushed.rewrite,
        )

    def to_release(self) -> Release:
        """The release, as far as it decides the payload."""
        return Release(
            name=self.release,
            stream=self.stream,
            created=self.created,
            changed=self.created,
            input_hash=self.pushed.digest if self.pushed else "",
            pull_spec=self.pushed.pull_spec if self.pushed else "",
            adopted=self.pushed is not None,
        )


class PayloadReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How making a payload ended."""

    error: str = ""
    """Why there is none; empty when there is one."""
    certain: bool = False
    """Whether no other attempt would end otherwise."""
    warnings: str = ""


def order_of(
    configuration: StreamConfiguration, release: Release, inputs: Sequence[FrozenInput]
) -> PayloadOrder:
    """The order to make the payload of ``release``, or to take it over."""
    pushed = PushedPayload(
        pull_spec=release.pull_spec, digest=release.input_hash, rewrite=configuration.rewrite
    )
    return PayloadOrder(
        stream=configuration.name,
        release=release.name,
        created=release.created,
        content=configuration.content,
        content_name=configuration.content_name,
        releases=configuration.releases,
        releases_name=configuration.releases_name,
        architectures=configuration.architectures,
        inputs=tuple(msgspec.structs.replace(each, source="", commit="") for each in inputs),
        pushed=pushed if release.adopted else None,
    )


def encode_order(order: PayloadOrder) -> str:
    """``order`` as one word. Raises InputError when it is too long for a pod."""
    word = encode_word(msgspec.json.encode(order, order="sorted"))
    if len(word) > MOST_BYTES:
        raise InputError(
            f"what {order.release} is made of takes {len(word)} bytes, and a pod is told at most "
            f"{MOST_BYTES}",
            hint="leave inJob away, so that the server makes the payloads of this stream",
        )
    return word


def decode_order(word: str) -> PayloadOrder:
    """The order in ``word``. Raises InputError."""
    try:
        return msgspec.json.decode(decode_word(word), type=PayloadOrder)
    except (msgspec.MsgspecError, ValueError) as error:
        raise InputError(
            f"this is no order of a payload: {error}",
            hint="pass what the same version of okd-payload made, whole",
        ) from error


def report_of(error: OkdPayloadError) -> PayloadReport:
    """The report of a payload that was not made."""
    certain = isinstance(error, InputError | ReleaseError)
    return PayloadReport(error=shorten(error.message), certain=certain)


def shorten(text: str) -> str:
    """The beginning of ``text``, as much as a report has room for."""
    kept = text
    while (size := len(msgspec.json.encode(kept))) > _MOST_TOLD:
        kept = kept[: len(kept) * _MOST_TOLD // (size + 1)]
    return kept if kept == text else f"{kept} ..."


def decode_report(text: str) -> PayloadReport | None:
    """The report in what a container said last; None when it says something else."""
    try:
        return msgspec.json.decode(text, type=PayloadReport)
    except msgspec.MsgspecError:
        return None
