# SPDX-License-Identifier: Apache-2.0
"""Payloads that somebody pushes into the repository of a stable stream."""

from __future__ import annotations

from typing import Any

from rig import INPUT, RELEASES, Rig

from okd_payload.controller.configuration.model import Input, StreamKind
from okd_payload.oci.digest import Digest
from okd_payload.release.inputs import make_input, pull_spec_tag
from okd_payload.release.new.checked import make_checked
from okd_payload.release.new.payload import ReleaseOptions
from okd_payload.testing.small_stream import push_small_stream

STABLE = "4-scos-stable"


async def push_payload(
    rig: Rig, name: str, *, tag: str = "", change: str = "one", target: str = RELEASES
) -> Digest:
    """Push a payload called ``name`` into the repository ``target``, as a person would."""
    digests = await push_small_stream(rig.repository(INPUT), change=change)
    given = make_input(pull_spec_tag(each, f"{INPUT}@{found}") for each, found in digests.items())

    async def repository_of(_reference: object) -> Any:
        return rig.repository(INPUT)

    repository = rig.repository(target)
    options = ReleaseOptions(name=name, previous=("4.18.0",), metadata={"url": "https://a.test"})
    made = await make_checked(
        given, options=options, target=repository, repository_of=repository_of
    )
    assert made.release is not None, made.issues
    if tag and tag != name:
        await repository.manifests.put(await repository.manifests.get(name), tag=tag)
        await repository.manifests.untag(name)
    return made.release.digest


def configure_stable(rig: Rig, **fields: object) -> None:
    """A stable stream alone."""
    rig.streams.clear()
    rig.configure(STABLE, **({"kind": StreamKind.STABLE, "input": Input()} | fields))
