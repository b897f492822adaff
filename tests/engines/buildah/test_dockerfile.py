# SPDX-License-Identifier: Apache-2.0
"""The one thing that is added to every Dockerfile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.dockerfile import parse_dockerfile
from okd_payload.engines.buildah.dockerfile import declare_epoch

LINE = "ARG SOURCE_DATE_EPOCH"


def test_every_stage_learns_the_time() -> None:
    """The ARG follows each FROM at once; all other text stays as it is."""
    text = "ARG A=1\nFROM a \\\n  AS b\nRUN x\nFROM b\nRUN <<E\nFROM c\nE\n"

    assert declare_epoch(text, component="x") == (
        f"ARG A=1\nFROM a \\\n  AS b\n{LINE}\nRUN x\nFROM b\n{LINE}\nRUN <<E\nFROM c\nE\n"
    )


@pytest.mark.parametrize("text", ["FROM a", "FROM a \\", "FROM a\r\nRUN b\r\n"])
def test_unusual_ends_are_no_trouble(text) -> None:
    """Text without a last line end, in the middle of an instruction, or with Windows' lines."""
    (stage,) = parse_dockerfile(declare_epoch(text, component="x"), path="x").stages

    assert stage.image == "a"
    assert stage.instructions[0].name == "ARG"


@given(st.lists(st.sampled_from(["FROM a", "RUN b", "RUN b \\", "USER c", "# d", "", "ARG e"])))
def test_all_instructions_stay(lines) -> None:
    """Taking the ARGs away again gives what was there."""
    text = "\n".join(["FROM first", *lines, ""])
    before = parse_dockerfile(text, path="x")

    after = parse_dockerfile(declare_epoch(text, component="x"), path="x")

    assert [stage.image for stage in after.stages] == [stage.image for stage in before.stages]
    for old, new in zip(before.stages, after.stages, strict=True):
        assert new.instructions[0].text == "SOURCE_DATE_EPOCH"
        assert [each.text for each in new.instructions[1:]] == [
            each.text for each in old.instructions
        ]
