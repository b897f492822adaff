# SPDX-License-Identifier: Apache-2.0
"""Broken catalogs, declared in ``broken/``: each gives the issues that it must, and no other.

A case changes the sound catalog of ``broken/sound.yaml``: ``files`` adds files or puts others in
their places, ``remove`` takes them out, ``replace`` replaces one text in a file by another.
``dockerfiles`` are those of components, and ``paths`` what is checked instead of everything.
An expected issue is ``CODE COMPONENT FILE:LINE``, with - for no component.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.check import CHECKS, lint_catalog
from okd_payload.catalog.lint.reading import read_subject
from okd_payload.errors import InputError

_FOLDER = Path(__file__).with_name("broken")
_SOUND = yaml.safe_load((_FOLDER / "sound.yaml").read_text())
_CASES = [
    case
    for path in sorted(_FOLDER.glob("*.yaml"))
    if path.stem != "sound"
    for case in yaml.safe_load(path.read_text())
]
_OWN_CODES = {code.code for code in codes.ALL_CODES}


def _lint(case, folder, *, checks=CHECKS):
    files = {name: text for name, text in _SOUND.items() if name not in case.get("remove", ())}
    files |= case.get("files", {})
    for name, changes in case.get("replace", {}).items():
        for old, new in changes.items():
            assert old in files[name], old
            files[name] = files[name].replace(old, new)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    paths = [folder / name for name in case.get("paths", ["."])]
    dockerfiles = {name: text.encode() for name, text in case.get("dockerfiles", {}).items()}
    return lint_catalog(read_subject(paths, dockerfiles=dockerfiles), checks=checks)


def _written(issue, folder):
    file = issue.file.replace(f"{folder}/", "")
    return f"{issue.code} {issue.component or '-'} {file}:{issue.line}"


def test_sound(tmp_path):
    """Against the catalog that all cases change lint has nothing."""
    assert _lint({}, tmp_path) == []


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["case"])
def test_case(case, tmp_path):
    """The issues are exactly those that are expected, each where it is and with what to do."""
    issues = _lint(case, tmp_path)
    assert sorted(_written(issue, tmp_path) for issue in issues) == sorted(case["expect"])
    assert not [each for each in issues if each.code in _OWN_CODES and not each.hint]
    for text in case.get("says", ()):
        assert any(text in issue.message for issue in issues), text


def test_every_code_has_a_case():
    """No kind of issue that these checks find is without a catalog that has it."""
    expected = {issue.partition(" ")[0] for case in _CASES for issue in case["expect"]}
    assert {code.code for code in codes.ALL_CODES} - expected == set()
    assert any(not case["expect"] for case in _CASES)


def test_checks_are_independent(tmp_path):
    """Each check alone says what it says among all others."""
    case = next(case for case in _CASES if len(case["expect"]) > 1)
    alone = [
        issue
        for number, check in enumerate(CHECKS)
        for issue in _lint(case, tmp_path / str(number), checks=[check])
    ]
    together = {issue.code for issue in _lint(case, tmp_path / "all")}
    assert together == {issue.code for issue in alone}


def test_nothing_to_check(tmp_path):
    """A path that is not there, or has nothing to check, is an error and no sound catalog."""
    with pytest.raises(InputError, match="there is no"):
        read_subject([tmp_path / "absent"])
    with pytest.raises(InputError, match="has no files"):
        read_subject([tmp_path])
