# SPDX-License-Identifier: Apache-2.0
"""Whatever a stream holds, the payload that is made of it is one on which everybody agrees.

What ``info``, ``extract``, ``lint`` and ``verify`` see of it is the same, and it can be taken
apart and made again: of the folders of its operators, of itself, and of what was extracted.
"""

from __future__ import annotations

import asyncio
import importlib.util
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from okd_payload.issues import Severity
from okd_payload.oci.media_types import Family
from okd_payload.release import labels
from okd_payload.release.extract.payload import all_files
from okd_payload.release.inputs import pull_spec_of
from okd_payload.release.lint import codes
from okd_payload.release.lint.base import lint_tree, read_tree
from okd_payload.release.lint.check import lint_images, lint_release
from okd_payload.release.load import load_release, parse_release, read_folder
from okd_payload.release.new.assemble import assemble_payload, find_base, put_on_base, read_parts
from okd_payload.release.new.payload import ReleaseOptions, make_payload
from okd_payload.release.new.publish import publish_release
from okd_payload.release.new.sources import (
    read_operator_folders,
    read_tags_of,
    write_operator_folders,
)
from okd_payload.release.output_folder import write_files
from okd_payload.release.report.describe import ImageColumn, describe_release, list_images
from okd_payload.release.report.info_json import make_info
from okd_payload.release.verify.images import find_subjects, verify_images


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
_DOCUMENTS = st.lists(_DATA, min_size=1, max_size=3)
_FILES = st.dictionaries(
    st.builds(
        str.__add__,
        st.sampled_from(["", "0000_", "0000_10_x_"]),
        st.builds("{}.{}".format, _NAMES, st.sampled_from(["yaml", "yml", "json", "txt"])),
    ),
    _DOCUMENTS,
    max_size=4,
)
_OPERATORS = st.dictionaries(_NAMES.map("{}-operator".format), _FILES, max_size=3)
_OPERANDS = st.sets(_NAMES.map("{}-image".format), max_size=2)
_FAMILIES = st.sampled_from(list(Family))
_OPTIONS = ReleaseOptions(name="4.20.0", created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


async def _fill(operators, operands, family=Family.DOCKER):
    """A world of these operators and operands."""
    world = _WORLD.World()
    await world.add_base(family=family)
    for name in operands:
        await world.add(name, family=family)
    listed = dict(zip(sorted(operands), ("r/one", "r/two"), strict=False))
    for name, files in operators.items():
        texts = {
            file: "---\n".join(
                _WORLD.config_map(f"{name}-{number}-{place}", **data)
                for place, data in enumerate(documents)
            )
            for number, (file, documents) in enumerate(files.items())
        }
        if listed:
            texts["image-references"] = _WORLD.references(**listed)
        await world.add(name, texts, family=family)
    return world


async def _publish(world):
    release = await world.release()
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    return release, await load_release(world.target, "x")


async def _check(operators, operands, family):
    world = await _fill(operators, operands, family)
    release, loaded = await _publish(world)
    digests = {tag.name: pull_spec_of(tag).partition("@")[2] for tag in loaded.tags}
    assert loaded.content.files == {file.name: file.content for file in release.manifests}
    assert loaded.references == release.references == parse_release(loaded.content).references
    assert len(loaded.content.files) == sum(len(files) for files in operators.values()) + 2

    page = describe_release(
        loaded, pull_from=None, images=list_images(loaded, ImageColumn.PULL_SPEC)
    )
    info = make_info(loaded, pull_spec="x")
    assert page.startswith("Name: ")
    assert all(f"  {name}" in page and digest in page for name, digest in digests.items())
    assert info.digest == release.digest
    assert {tag.name for tag in info.references.spec.tags} == set(digests)

    with tempfile.TemporaryDirectory() as folder:
        written = write_files(all_files(loaded.content), Path(folder) / labels.FOLDER)
        extracted = read_folder(Path(folder) / labels.FOLDER)
        assert {Path(file.path).name for file in written} == set(loaded.content.files)
        assert extracted.files == loaded.content.files
        tree = read_tree(Path(folder))
        of_tree = [issue.code for issue in lint_tree(tree, release_image="x") if issue.blocks]
        assert of_tree == ["missing-payload-file"], "the folder has no base, and nothing else"

    issues = lint_release(loaded.content)
    assert issues == lint_release(extracted)
    assert [issue for issue in issues if issue.severity is Severity.ERROR] == []
    assert codes.NEVER_APPLIED.code not in {issue.code for issue in issues}
    assert await lint_images(loaded.content, world.repository_of) == []

    subjects, faults = await find_subjects(loaded.tags, world.repository_of)
    verified = await verify_images(subjects, read_blobs=True)
    assert (faults, verified.issues) == ([], ())
    assert {item.subject.name: item.manifests[0] for item in verified.found} == digests


@settings(max_examples=40, deadline=None)
@given(_OPERATORS, _OPERANDS, _FAMILIES)
def test_any_stream(operators, operands, family):
    """Of a release of any operators all commands see the same, and none has anything against it."""
    asyncio.run(_check(operators, operands, family))


async def _check_folders(operators, operands):
    world = await _fill(operators, operands)
    parts = await read_parts(world.given, options=_OPTIONS, repository_of=world.repository_of)
    payload = make_payload(parts, _OPTIONS)
    with tempfile.TemporaryDirectory() as folder:
        write_operator_folders(parts, payload, Path(folder))
        again = make_payload(read_operator_folders(Path(folder)), _OPTIONS)
    assert again.files == payload.files
    assert again.references == payload.references
    assert again.operators == payload.operators


@settings(max_examples=25, deadline=None)
@given(_OPERATORS, _OPERANDS)
def test_folders_and_back(operators, operands):
    """A payload of the folders of its operators is the same payload, to the last byte."""
    asyncio.run(_check_folders(operators, operands))


async def _check_release(operators, operands):
    world = await _fill(operators, operands)
    release, loaded = await _publish(world)
    given_again = read_tags_of(loaded)
    options = ReleaseOptions(name=loaded.name, created=release.payload.created)
    payload = await assemble_payload(
        given_again, options=options, repository_of=world.repository_of
    )
    base = find_base(given_again, options)
    again = await put_on_base(payload, base, repository_of=world.repository_of)
    assert again.payload.files == release.payload.files
    assert again.digest == release.digest


@settings(max_examples=25, deadline=None)
@given(_OPERATORS, _OPERANDS)
def test_release_and_back(operators, operands):
    """A release made of a release has the digest of the release."""
    asyncio.run(_check_release(operators, operands))
