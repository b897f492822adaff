# SPDX-License-Identifier: Apache-2.0
"""The manifests that OpenShift really ships go through unchanged, and nothing is said of them."""

from __future__ import annotations

from okd_payload.release.lint.check import lint_release
from okd_payload.release.lint.codes import NO_VERIFICATION_KEYS
from okd_payload.release.load import ReleaseContent


async def test_real_manifests(world, shared_data):
    """Custom resources and feature gates of openshift/api are neither changed nor complained of."""
    folder = shared_data / "openshift-api-manifests" / "payload-manifests"
    files = {path.name: path.read_bytes() for path in sorted(folder.rglob("*.yaml"))}
    assert len(files) > 100
    await world.add_base()
    await world.add("config-api", files)
    payload = await world.payload()
    assert payload.issues == ()
    made = {file.name: file.content for file in payload.files}
    issues = lint_release(ReleaseContent(origin="payload", files=made))
    assert [issue.code for issue in issues] == [NO_VERIFICATION_KEYS.code]
    sources = {name.removeprefix("0000_50_config-api_"): text for name, text in made.items()}
    assert {name: text for name, text in sources.items() if name in files} == files
