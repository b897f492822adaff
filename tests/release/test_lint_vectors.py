# SPDX-License-Identifier: Apache-2.0
"""The recorded verdicts of the cluster-version operator's own loader, held against our lint.

What the operator refuses, lint calls an error; what it takes, lint does not.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from okd_payload.release import codes, labels
from okd_payload.release.lint.check import lint_release
from okd_payload.release.load import ReleaseContent

_ROOT = Path(__file__).resolve().parents[3] / "shared" / "data" / "payload-vectors" / "cases"
_CASES = sorted(_ROOT.glob("*.json"))

_OF_CLUSTER = {
    code.code
    for code in (
        codes.MISSING_FILE,
        codes.INVALID_REFERENCES,
        codes.INVALID_METADATA,
        codes.NAME_DIFFERS,
        codes.INVALID_MANIFEST,
        codes.DUPLICATE_OBJECT,
    )
}
"""Codes of what the cluster itself refuses."""

_BASE_IMAGE = {
    "template--renders-to-bad-yaml-is-error",
    "template--value-not-escaped",
    "required-files--no-manifests-dir",
}
"""What is wrong with these is in the base image, which the files of a payload do not show."""
_FOLDERS = {"file-types--symlink-dangling"}
"""A layer's symbolic links are not followed, so there is nothing that could dangle."""


def _content(case):
    folder = f"{labels.FOLDER}/"
    files = {
        name.removeprefix(folder): text.encode()
        if isinstance(text, str)
        else base64.b64decode(text["base64"])
        for name, text in case["files"].items()
        if name.startswith(folder) and "/" not in name.removeprefix(folder)
    }
    return ReleaseContent(origin="vector", files=files)


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_verdict(path):
    """Lint finds an error exactly where the operator refused to load."""
    case = json.loads(path.read_text())
    if case["name"] in _BASE_IMAGE | _FOLDERS:
        pytest.skip("not about the files of the payload")
    errors = [issue for issue in lint_release(_content(case)) if issue.code in _OF_CLUSTER]
    assert bool(errors) == (case["verdict"] == "error"), (case.get("error"), errors)
