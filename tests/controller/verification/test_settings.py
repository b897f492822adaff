# SPDX-License-Identifier: Apache-2.0
"""Settings of runners are checked when a stream is read, and described as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rig import Rig

from okd_payload.controller.configuration.checks import check_stream
from okd_payload.controller.configuration.model import Runner, Verification
from okd_payload.controller.verification.runners import make_runners
from okd_payload.controller.verification.settings import KINDS, check_runner

PAGE = Path(__file__).parents[3] / "docs/reference/verification-runners.md"


@pytest.mark.parametrize(
    ("runner", "problems"),
    [
        (Runner(kind="builtin"), []),
        (Runner(kind="builtin", settings={"check": "accept", "keys": "a b"}), []),
        (
            Runner(kind="builtin", settings={"check": "linting"}),
            ["sets check to 'linting', which is none of lint, verify, accept, images"],
        ),
        (
            Runner(kind="command", arguments=("x",), settings={"inherits": "A", "memory": "1G"}),
            [
                "sets inherits, which command does not know: did you mean inherit?",
                "sets memory to '1G', which is no whole number above 0",
            ],
        ),
        (
            Runner(kind="command", arguments=("x",), settings={"cpu": "0"}),
            ["sets cpu to '0', which is no whole number above 0"],
        ),
        (
            Runner(kind="tekton", arguments=("x",)),
            [
                "does not set pipeline, which tekton needs: name of the Pipeline",
                "has a command, with which tekton does nothing",
            ],
        ),
        (
            Runner(
                kind="tekton",
                settings={"pipeline": "e2e", "workspaces": "a=secret:b, c=pvc:d e=empty"},
            ),
            [
                (
                    "sets workspaces to 'c=pvc:d', which is none of `NAME=claim:CLAIM`, "
                    "`NAME=secret:SECRET`, `NAME=configMap:MAP`, `NAME=empty`, separated by commas"
                ),
            ],
        ),
        (
            Runner(
                kind="webhook",
                settings={"url": "file:///etc/passwd", "secretFile": "a", "secretVariable": "B"},
            ),
            [
                "sets url to 'file:///etc/passwd', which is no address of http or https",
                "sets not exactly one of secretVariable and secretFile, which webhook needs",
            ],
        ),
        (
            Runner(kind="jenkins"),
            [
                "names the runner jenkins, which is none of " + ", ".join(KINDS),
            ],
        ),
    ],
)
def test_what_a_runner_cannot_use_is_told_at_once(runner: Runner, problems: list[str]) -> None:
    """Each as the rest of a sentence that names the verification."""
    assert list(check_runner(runner)) == problems


def test_a_stream_with_such_a_runner_is_not_acted_on(rig: Rig) -> None:
    """The issue names the stream and the verification."""
    verification = Verification(name="e2e", runner=Runner(kind="tekton", settings={"x": "y"}))
    found = check_stream(rig.configure(verifications=(verification,)))
    assert [issue.code for issue in found] == ["unusable-verification"] * 2
    assert found[0].message.startswith("4.20.0-0.test: verification e2e sets x, which tekton")
    assert all(issue.blocks for issue in found)


async def test_there_is_a_runner_of_each_kind(rig: Rig) -> None:
    """What may be written can be run."""
    assert make_runners(rig.surroundings).keys() == KINDS.keys()


def test_each_kind_and_setting_is_described_as_it_is() -> None:
    """The page has a table for each kind, and nothing that is not there."""
    parts = re.split(r"^## (\S+)$", PAGE.read_text(), flags=re.MULTILINE)
    described = dict(zip(parts[1::2], parts[2::2], strict=True))
    for kind in KINDS.values():
        rows = re.findall(
            r"^\| `(\w+)` \| (yes|one of these|) \| (.*) \|$", described[kind.name], re.MULTILINE
        )
        assert [row[0] for row in rows] == [setting.name for setting in kind.settings], kind.name
        for (_, needed, meaning), setting in zip(rows, kind.settings, strict=True):
            choices = f": `{'`, `'.join(setting.choices)}`" if setting.choices else ""
            assert meaning == setting.meaning + choices
            assert (needed == "yes") is setting.required
            assert (needed == "one of these") is (setting.name in kind.one_of)
    assert set(described) - {"Bounds", "States", "Artifacts"} == set(KINDS)
