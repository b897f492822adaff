# SPDX-License-Identifier: Apache-2.0
"""Broken payloads, declared in ``broken/``: each gives the issues that it must, and no other.

A case changes the sound payload of ``broken/sound.yaml``: ``files`` adds files or puts others in
their places, ``remove`` takes them out, ``replace`` replaces one text in a file, ``crd`` one in
the custom resource definition, and ``annotations`` adds an object with these annotations.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from okd_payload.release import codes as release_codes
from okd_payload.release.lint import codes
from okd_payload.release.lint.check import CHECKS, lint_release
from okd_payload.release.load import ReleaseContent

_FOLDER = Path(__file__).with_name("broken")
_CRD = "0000_50_op_01_crd.yaml"
_INCLUDE = 'include.release.openshift.io/self-managed-high-availability: "true"'
_OBJECT = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: x, annotations: {{{}}}}}\n"
_SOUND = yaml.safe_load((_FOLDER / "sound.yaml").read_text())
_CASES = [
    case
    for path in sorted(_FOLDER.glob("*.yaml"))
    if path.stem != "sound"
    for case in yaml.safe_load(path.read_text())
]
_ONLY_WITH_IMAGES = {
    codes.UNUSED_IMAGE,
    codes.UNUSED_PLACEHOLDER,
    codes.MISSED_PLACEHOLDER,
    codes.SKIPPED_TEMPLATE,
}
"""Tested in test_operators.py and test_base.py."""


def _fill(text, case):
    if isinstance(text, bytes):
        return text
    repeat = case.get("repeat", {"text": "", "times": 0})
    text = text.replace("$REPEAT", repeat["text"] * repeat["times"])
    return text.replace("$INCLUDE", _INCLUDE).replace("$DIGEST", "sha256:" + "a" * 64).encode()


def _content(case):
    files = {name: text for name, text in _SOUND.items() if name not in case.get("remove", ())}
    files |= case.get("files", {})
    if "annotations" in case:
        files["0000_50_op_10.yaml"] = _OBJECT.format(case["annotations"])
    for name, (old, new) in {**case.get("replace", {}), _CRD: case.get("crd", ("", ""))}.items():
        if old:
            assert old in files[name], old
            files[name] = files[name].replace(old, new, 1)
    filled = {name: _fill(text, case) for name, text in files.items()}
    return ReleaseContent(origin="case", files=filled)


def test_sound():
    """Against the payload that all cases change lint has nothing."""
    assert lint_release(_content({})) == []


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["case"])
def test_case(case):
    """The issues are exactly those that are expected, each where it is and with what to do."""
    issues = lint_release(_content(case))
    assert sorted(issue.code for issue in issues) == sorted(case["expect"])
    for issue in issues:
        assert issue.message
        assert issue.file or issue.code == codes.NO_VERIFICATION_KEYS.code


def test_every_code_has_a_case():
    """No kind of issue that files show is without a payload that has it."""
    expected = {code for case in _CASES for code in case["expect"]}
    wanted = {code.code for code in set(codes.ALL_CODES) - _ONLY_WITH_IMAGES}
    assert wanted - expected == set()
    assert len(_CASES) > 40


def test_hints():
    """Whoever gets an issue is told what to do about it."""
    issues = [issue for case in _CASES for issue in lint_release(_content(case))]
    known = {code.code for code in release_codes.ALL_CODES}
    assert [issue for issue in issues if not issue.hint and issue.code not in known] == []


def test_checks_are_independent():
    """Each check alone says what it says among all others."""
    case = next(case for case in _CASES if case["case"] == "two versions")
    alone = [issue for check in CHECKS for issue in lint_release(_content(case), checks=[check])]
    assert {issue.code for issue in lint_release(_content(case))} == {issue.code for issue in alone}
