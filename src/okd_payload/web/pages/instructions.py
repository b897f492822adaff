# SPDX-License-Identifier: Apache-2.0
"""What readers type to use a release: with our tool, and with ``oc`` where it can.

Commands are copied into shells, so what comes from records is quoted. Nothing is told of a release
that cannot be pulled.
"""

from __future__ import annotations

import shlex

import msgspec

from okd_payload.controller.model import Release

_REGISTRY = "registry.example.com/okd"
"""Where readers are to put their own."""


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """Commands for one purpose."""

    title: str
    commands: tuple[str, ...]
    note: str = ""


def tell_release(release: Release) -> tuple[Instruction, ...]:
    """How to install, update to, mirror and verify ``release``; nothing before it is made."""
    if not release.pull_spec:
        return ()
    spec = shlex.quote(release.pull_spec)
    copy = f"{_REGISTRY}:{shlex.quote(release.name)}"
    return (
        Instruction(
            title="Install",
            commands=(
                f"okd-payload release extract --tools {spec}",
                f"oc adm release extract --tools {spec}",
            ),
            note="Either writes archives of openshift-install and the clients that belong to it;"
            " openshift-install create cluster then installs this release.",
        ),
        Instruction(
            title="Update a cluster",
            commands=(f"oc adm upgrade --allow-explicit-upgrade --to-image={spec}",),
            note="For a cluster that does not follow the update graph of this server. Where the"
            " cluster trusts nobody who signed the release, it takes --force besides.",
        ),
        Instruction(
            title="Mirror",
            commands=(
                f"okd-payload release mirror {spec} --to {_REGISTRY}",
                f"oc adm release mirror --from={spec} --to={_REGISTRY} --to-release-image={copy}",
            ),
            note=f"Put your own registry in the place of {_REGISTRY}.",
        ),
        Instruction(
            title="Verify",
            commands=(
                f"okd-payload release verify {spec} --key KEY.asc",
                f"okd-payload release lint {spec}",
            ),
            note="Whether all of it is there and signed by who has KEY.asc, the public key that you"
            " trust (without --key: whether it is all there), and whether a cluster would take it.",
        ),
    )


def tell_graph(graph: str, channel: str) -> str:
    """How to point a cluster at the update graph of this server."""
    patch = msgspec.json.encode({"spec": {"upstream": graph, "channel": channel}}).decode()
    return f"oc patch clusterversion/version --type=merge --patch {shlex.quote(patch)}"
