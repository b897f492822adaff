# SPDX-License-Identifier: Apache-2.0
"""The manifests that OpenShift really ships go through unchanged, and nothing is said of them."""

from __future__ import annotations

import pytest

from okd_payload.release import labels
from okd_payload.release.extract.payload import all_files
from okd_payload.release.lint.check import lint_release
from okd_payload.release.lint.codes import NO_VERIFICATION_KEYS
from okd_payload.release.lint.operators import lint_operators
from okd_payload.release.load import read_folder, read_release
from okd_payload.release.new.publish import publish_release
from okd_payload.release.output_folder import write_files


@pytest.fixture
async def content(world, shared_data):
    """A release with the custom resources and feature gates of openshift/api, read back."""
    folder = shared_data / "openshift-api-manifests" / "payload-manifests"
    files = {path.name: path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}
    assert len(files) > 100
    await world.add_base()
    await world.add("config-api", files)
    release = await world.release()
    assert release.issues == ()
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    return files, await read_release(world.target, "x")


async def test_new_and_extract(content, tmp_path):
    """They are in the release, and come out of it, byte for byte."""
    files, made = content
    write_files(all_files(made), tmp_path / "extracted")
    extracted = read_folder(tmp_path / "extracted").files
    sources = {name.removeprefix("0000_50_config-api_"): text for name, text in extracted.items()}
    assert extracted == made.files
    assert set(sources) - set(files) == {labels.IMAGE_REFERENCES, labels.RELEASE_METADATA}
    assert {name: sources[name] for name in files} == files


async def test_lint(content, world):
    """Lint has nothing against any of them, not even a notice; only the keys are missed."""
    _, made = content
    issues = [*lint_release(made), *await lint_operators(made, world.repository_of)]
    assert [issue.code for issue in issues] == [NO_VERIFICATION_KEYS.code]
