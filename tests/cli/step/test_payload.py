# SPDX-License-Identifier: Apache-2.0
"""``okd-payload step payload`` makes what was ordered, and says in a file how that ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from okd_payload.controller.creation.jobs.order import (
    PayloadOrder,
    PayloadReport,
    decode_report,
    encode_order,
)
from okd_payload.controller.model import FrozenInput
from okd_payload.oci.layout import LayoutRepository
from okd_payload.release.load import load_release
from okd_payload.testing.small_stream import OPERATOR_FILES, push_small_stream

NAME = "4.20.0-0.test-2023-11-14-221320"


async def order(folder: Path, files: dict[str, str]) -> PayloadOrder:
    """To make a payload of a small stream, all in layouts."""
    content = LayoutRepository(folder / "content")
    digests = await push_small_stream(content, files=files)
    content.close()
    return PayloadOrder(
        stream="4.20.0-0.test",
        release=NAME,
        created=1_700_000_000.0,
        content=f"oci:{folder}/content",
        content_name="quay.test/okd/content",
        releases=f"oci:{folder}/releases",
        releases_name="quay.test/okd/release",
        architectures=("amd64",),
        inputs=tuple(
            FrozenInput(tag=tag, digest=digest, reference=f"quay.test/okd/content@{digest}")
            for tag, digest in digests.items()
        ),
    )


def test_the_payload_is_there_and_its_digest_is_told(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    """Twice the same, and a report without an error."""
    word = encode_order(asyncio.run(order(tmp_path, OPERATOR_FILES)))
    report = tmp_path / "report"
    digests = set()
    for _ in range(2):
        ended = run_cli("step", "payload", "--order", word, "--report", report)
        assert ended.code == 0, ended.err
        digests.add(ended.out.strip())
    assert decode_report(report.read_text()) == PayloadReport()
    releases = LayoutRepository(tmp_path / "releases")
    assert {asyncio.run(load_release(releases, NAME)).digest} == digests
    releases.close()


def test_what_is_wrong_with_the_images_is_certain(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    """The report says what the error says."""
    broken = OPERATOR_FILES | {"manifests/image-references": "{"}
    word, report = encode_order(asyncio.run(order(tmp_path, broken))), tmp_path / "report"
    ended = run_cli("step", "payload", "--order", word, "--report", report)
    told = msgspec.json.decode(report.read_bytes(), type=PayloadReport)
    assert ended.code == 1
    assert told.certain
    assert told.error in ended.err


@pytest.mark.parametrize("word", ["", "e30="])
def test_what_is_no_order_is_refused(
    run_cli: Callable[..., Any], tmp_path: Path, word: str
) -> None:
    """As what the user gave, and told in the report too."""
    ended = run_cli("step", "payload", "--order", word, "--report", tmp_path / "report")
    assert ended.code == 2
    assert "no order of a payload" in (tmp_path / "report").read_text()
