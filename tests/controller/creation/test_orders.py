# SPDX-License-Identifier: Apache-2.0
"""What a pod is told arrives whole, fits, and what it says fits too."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.creation.jobs.order import (
    PayloadOrder,
    PayloadReport,
    PushedPayload,
    decode_order,
    decode_report,
    encode_order,
    report_of,
    shorten,
)
from okd_payload.controller.model import FrozenInput
from okd_payload.documents.words import encode_word
from okd_payload.errors import ContentError, InputError, RegistryUnavailable, ReleaseError
from okd_payload.oci.digest import Digest

TEXT = st.text(max_size=60)
IMAGES = st.builds(FrozenInput, tag=TEXT, digest=TEXT.map(Digest), reference=TEXT)
PUSHED = st.builds(PushedPayload, pull_spec=TEXT, digest=TEXT, rewrite=st.booleans())
ORDERS = st.builds(
    PayloadOrder,
    stream=TEXT,
    release=TEXT,
    created=st.floats(min_value=0, max_value=4e9),
    content=TEXT,
    content_name=TEXT,
    releases=TEXT,
    releases_name=TEXT,
    architectures=st.lists(TEXT, max_size=3).map(tuple),
    inputs=st.lists(IMAGES, max_size=4).map(tuple),
    pushed=st.none() | PUSHED,
)


def order_with(images: int) -> PayloadOrder:
    """An order as long as real ones with so many images."""
    numbers = random.Random(0)
    digests = [Digest(f"sha256:{numbers.randbytes(32).hex()}") for _ in range(images)]
    place = "quay.test/okd/scos-content"
    return PayloadOrder(
        stream="4.21.0-0.okd-scos",
        release="4.21.0-0.okd-scos-2026-01-15-120000",
        created=1.7e9,
        content=place,
        content_name=place,
        releases="quay.test/okd/scos-release",
        releases_name="quay.test/okd/scos-release",
        architectures=("amd64",),
        inputs=tuple(
            FrozenInput(tag=f"component-{number}", digest=each, reference=f"{place}@{each}")
            for number, each in enumerate(digests)
        ),
    )


@given(ORDERS)
def test_what_is_ordered_arrives(order: PayloadOrder) -> None:
    """Whatever is in it."""
    assert decode_order(encode_order(order)) == order


def test_an_order_of_a_newer_version_is_refused() -> None:
    """What it says beside may decide what is made."""
    known = msgspec.to_builtins(order_with(1))
    word = encode_word(msgspec.json.encode(known | {"newer": True}))
    with pytest.raises(InputError, match="newer"):
        decode_order(word)


def test_a_thousand_images_fit_and_too_many_are_told() -> None:
    """A release of OKD has two hundred."""
    assert len(encode_order(order_with(1000))) < 96 * 1024
    with pytest.raises(InputError, match="a pod is told at most"):
        encode_order(order_with(3000))


@pytest.mark.parametrize("word", ["", "ä", "e30=", "!", "eJw="])
def test_other_words_are_refused(word: str) -> None:
    """With what to do."""
    with pytest.raises(InputError, match="no order of a payload") as caught:
        decode_order(word)
    assert "same version" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "certain"),
    [
        (ReleaseError("two images have one name"), True),
        (InputError("no such place"), True),
        (RegistryUnavailable("503"), False),
        (ContentError("cut"), False),
    ],
)
def test_a_report_says_whether_trying_again_helps(
    error: ReleaseError | InputError | RegistryUnavailable | ContentError, *, certain: bool
) -> None:
    """As the server itself would judge it."""
    assert report_of(error) == PayloadReport(error=error.message, certain=certain)


@given(st.text(max_size=5000))
def test_a_report_fits_into_what_a_pod_can_say(text: str) -> None:
    """All of it, or its beginning."""
    report = PayloadReport(error=shorten(text))
    if report.error != text:
        assert text.startswith(report.error.removesuffix(" ..."))
    assert decode_report(msgspec.json.encode(report).decode()) == report


def test_escapes_do_not_burst_a_report() -> None:
    """Control characters take six bytes each."""
    for text in ("\x01", "ü", "x"):
        report = PayloadReport(error=shorten(text * 5000), certain=True)
        assert 3000 < len(msgspec.json.encode(report)) <= 4096


@pytest.mark.parametrize(
    "text", ["", "Traceback (most recent call last)", "[]", "{", '{"error":1}']
)
def test_what_is_no_report_is_none(text: str) -> None:
    """The end of a log, for instance."""
    assert decode_report(text) is None
