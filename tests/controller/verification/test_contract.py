# SPDX-License-Identifier: Apache-2.0
"""What jobs are told of a release, for one architecture and for several."""

from __future__ import annotations

import pytest
from rig import Rig

from okd_payload.controller.configuration.checks import check_stream
from okd_payload.controller.configuration.model import Runner, Verification
from okd_payload.controller.model import Phase, Release, VerificationRun
from okd_payload.controller.verification.contract import make_contract
from okd_payload.controller.verification.runner import RunContext

LATEST, INITIAL = "quay.test/r@sha256:1", "quay.test/r@sha256:2"


def contract(rig: Rig, architectures: tuple[str, ...], about: str = "") -> dict[str, str]:
    """What a job of an update is told."""
    configuration = rig.configure(architectures=architectures)
    release = Release(
        name="r",
        stream=configuration.name,
        phase=Phase.READY,
        created=1.0,
        changed=1.0,
        input_hash="",
        pull_spec=LATEST,
    )
    run = VerificationRun(
        id="r-e2e",
        release="r",
        verification="e2e",
        runner="command",
        from_pull_spec=INITIAL,
        queued=1,
    )
    verification = Verification(name="e2e", runner=Runner(kind="command"), architecture=about)
    context = RunContext(
        configuration=configuration,
        verification=verification,
        release=release,
        run=run,
        folder=rig.surroundings.state,
    )
    return make_contract(context, [])


@pytest.mark.parametrize(
    ("architectures", "about", "spelled", "said"),
    [
        (("amd64",), "", {""}, "amd64"),
        (("arm64",), "", {"", "ARM64_"}, "arm64"),
        (("amd64", "arm64"), "", {"", "MULTI_"}, "multi"),
        (("amd64", "arm64"), "arm64", {"", "MULTI_", "ARM64_"}, "arm64"),
        (("amd64", "arm64"), "amd64", {"", "MULTI_"}, "amd64"),
    ],
)
def test_releases_are_named_for_their_architectures(
    rig: Rig, architectures: tuple[str, ...], about: str, spelled: set[str], said: str
) -> None:
    """As test jobs of OpenShift know it; the plain names are always there."""
    told = contract(rig, architectures, about)
    names = {name for name in told if name.startswith("RELEASE_IMAGE_")}
    assert names == {
        f"RELEASE_IMAGE_{part}{which}" for part in spelled for which in ("LATEST", "INITIAL")
    }
    for name in names:
        assert told[name] == (LATEST if name.endswith("LATEST") else INITIAL)
    assert told["RELEASE_ARCHITECTURE"] == said


def test_a_verification_is_about_an_architecture_of_its_stream(rig: Rig) -> None:
    """Any other is a mistake that is told when the file is read."""
    verification = Verification(name="e2e", runner=Runner(kind="builtin"), architecture="s390x")
    stream = rig.configure(architectures=("amd64", "arm64"), verifications=(verification,))
    (issue,) = check_stream(stream)
    assert issue.message.endswith("verification e2e is about s390x, which is none of amd64, arm64")
