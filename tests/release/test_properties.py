# SPDX-License-Identifier: Apache-2.0
"""Whatever a stream holds, the payload that is made of it is one on which everybody agrees."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from okd_payload.issues import Severity
from okd_payload.release.lint.check import lint_images, lint_release
from okd_payload.release.load import load_release, parse_release
from okd_payload.release.new.publish import publish_release
from okd_payload.release.report.describe import ImageColumn, describe_release, list_images
from okd_payload.release.report.info_json import make_info


def _conftest():
    path = Path(__file__).with_name("conftest.py")
    spec = importlib.util.spec_from_file_location("release_world", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_WORLD = _conftest()
_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)
_VALUES = st.sampled_from(
    ["x", "0.0.1-snapshot", "v0.0.1-snapshot", "r/one", "'r/two:1'", "[r/one]", "n", "1e3"]
)
_DATA = st.dictionaries(_NAMES, _VALUES, max_size=4)
_FILES = st.dictionaries(
    st.builds(
        str.__add__,
        st.sampled_from(["", "0000_", "0000_10_x_"]),
        st.builds("{}.{}".format, _NAMES, st.sampled_from(["yaml", "yml", "json", "txt"])),
    ),
    _DATA,
    max_size=4,
)
_OPERATORS = st.dictionaries(_NAMES.map("{}-operator".format), _FILES, max_size=3)


async def _build(operators, operands):
    world = _WORLD.World()
    await world.add_base()
    for name in operands:
        await world.add(name)
    listed = dict(zip(sorted(operands), ("r/one", "r/two"), strict=False))
    for name, files in operators.items():
        texts = {
            file: _WORLD.config_map(f"{name}-{number}", **data)
            for number, (file, data) in enumerate(files.items())
        }
        if listed:
            texts["image-references"] = _WORLD.references(**listed)
        await world.add(name, texts)
    release = await world.release()
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    return world, release


async def _check(operators, operands):
    world, release = await _build(operators, operands)
    loaded = await load_release(world.target, "x")
    assert loaded.content.files == {file.name: file.content for file in release.manifests}
    assert loaded.references == release.references == parse_release(loaded.content).references
    count = sum(len(files) for files in operators.values())
    assert len(loaded.content.files) == count + 2

    issues = lint_release(loaded.content)
    assert [issue for issue in issues if issue.severity is Severity.ERROR] == []
    assert await lint_images(loaded.content, world.repository_of) == []

    page = describe_release(
        loaded, pull_from=None, images=list_images(loaded, ImageColumn.PULL_SPEC)
    )
    assert page.startswith("Name: ")
    assert all(f"  {tag.name}" in page for tag in release.payload.tags)
    assert make_info(loaded, pull_spec="x").digest == release.digest


@settings(max_examples=40, deadline=None)
@given(_OPERATORS, st.sets(_NAMES.map("{}-image".format), max_size=2))
def test_any_stream(operators, operands):
    """A release of any operators is read back as it was made, and lint has nothing against it."""
    asyncio.run(_check(operators, operands))
