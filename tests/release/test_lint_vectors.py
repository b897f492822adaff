# SPDX-License-Identifier: Apache-2.0
"""The recorded verdicts of the cluster-version operator's own loader, held against our lint.

What the operator refuses, lint calls an error; what it takes, lint does not. What it leaves out
of every cluster, lint tells; what it applies, lint does not say that nobody would.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from okd_payload.release import codes
from okd_payload.release.lint import codes as lint_codes
from okd_payload.release.lint.base import lint_tree, read_tree
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
_STRICTER = {
    "image-references--tag-kinds": "a digest of one digit, from which no node can pull",
}
"""What loads and is an error all the same, and why."""
_OUT_EVERYWHERE = {
    code.code
    for code in (
        lint_codes.UNREADABLE_ANNOTATIONS,
        lint_codes.NEVER_APPLIED,
        lint_codes.UNKNOWN_FEATURE_SET,
        lint_codes.MISPLACED_MAJOR_VERSION,
        lint_codes.INVALID_MAJOR_VERSION,
    )
}
"""Codes of objects that no cluster applies."""


@pytest.fixture
def unpacked(tmp_path):
    """Unpacks a case and lints it: all issues."""

    def unpack(case):
        for name in case["dirs"]:
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
        for name, text in case["files"].items():
            content = text.encode() if isinstance(text, str) else base64.b64decode(text["base64"])
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        for name, target in case.get("symlinks", {}).items():
            (tmp_path / name).symlink_to(target)
        tree = read_tree(tmp_path)
        files = tree.release.files if tree and tree.release else {}
        issues = lint_release(ReleaseContent(origin="vector", files=files))
        if tree:
            issues += lint_tree(tree, release_image=case["options"]["release_image"])
        return issues

    return unpack


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_verdict(path, unpacked):
    """Lint finds an error exactly where the operator refused to load."""
    case = json.loads(path.read_text())
    errors = [issue for issue in unpacked(case) if issue.blocks]
    refused = [issue for issue in errors if issue.code in _OF_CLUSTER]
    assert bool(refused) == (case["verdict"] == "error"), (case.get("error"), refused)
    assert bool(errors) == (bool(refused) or case["name"] in _STRICTER)


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_what_is_left_out(path, unpacked):
    """Nothing that the operator applied is told to be out of every cluster."""
    case = json.loads(path.read_text())
    blamed = {
        (issue.file, issue.message.split()[1].rpartition("/")[2])
        for issue in unpacked(case)
        if issue.code in _OUT_EVERYWHERE
    }
    applied = {(item["file"], item["name"]) for item in case.get("included") or ()}
    assert blamed & applied == set()
