# SPDX-License-Identifier: Apache-2.0
"""The rights in a namespace that building on a cluster needs, each with its reason.

One table for two uses: ``deploy`` makes roles from it, and ``doctor --cluster`` asks the server
about each of them. Whoever makes a new kind of request to a cluster adds it here. Nothing is
given that no code asks for: no right to read secrets, none outside the namespace, and none by
which somebody could get at more.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import ObjectKind, kinds


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with the objects of one kind, and what for."""

    kind: ObjectKind
    verbs: tuple[str, ...]
    reason: str
    subresource: str = ""

    @property
    def resource(self) -> str:
        """The name by which a role gives it: ``pods/log``."""
        return f"{self.kind.plural}/{self.subresource}" if self.subresource else self.kind.plural


FOLLOWING = (
    Right(
        kind=kinds.POD,
        verbs=("get", "list", "watch"),
        reason="wait for the container of a build, and say why it waits or fails",
    ),
    Right(kind=kinds.POD, subresource="log", verbs=("get",), reason="keep the log of every build"),
)
"""What every engine on a cluster needs."""

TEKTON = (
    Right(
        kind=kinds.TASK_RUN,
        verbs=("create", "get", "list", "watch", "patch", "delete"),
        reason="make one run for each component, follow it, cancel it and clear it away",
    ),
    *FOLLOWING,
    Right(
        kind=kinds.EVENT,
        verbs=("list",),
        reason="name what keeps a pod from starting, which only its events say",
    ),
)
SHIPWRIGHT = (
    Right(
        kind=kinds.BUILD_STRATEGY,
        verbs=("create",),
        reason="tell Shipwright how pods run the tool: one strategy for equal settings",
    ),
    Right(
        kind=kinds.SHIPWRIGHT_BUILD_RUN,
        verbs=("create", "get", "list", "watch", "patch", "delete"),
        reason="run it, follow it, cancel it and clear it away",
    ),
    *FOLLOWING,
)
OPENSHIFT = (
    Right(
        kind=kinds.BUILD_CONFIG,
        verbs=("create", "patch"),
        reason="apply the build configurations of the catalog",
    ),
    Right(
        kind=kinds.BUILD_CONFIG,
        subresource="instantiate",
        verbs=("create",),
        reason="start a build at the locked commit",
    ),
    Right(
        kind=kinds.OPENSHIFT_BUILD,
        verbs=("list", "watch", "patch"),
        reason="follow builds, and cancel them",
    ),
    Right(
        kind=kinds.OPENSHIFT_BUILD,
        subresource="docker",
        verbs=("create",),
        reason="build Dockerfiles: each strategy of OpenShift is a right of its own",
    ),
    Right(
        kind=kinds.IMAGE_STREAM,
        verbs=("get",),
        reason="find what was built in the project's image stream",
    ),
    Right(
        kind=kinds.IMAGE_STREAM_TAG,
        verbs=("get",),
        reason="read which image the tag of a build key means",
    ),
    *FOLLOWING,
)

RIGHTS = {"tekton": TEKTON, "shipwright": SHIPWRIGHT, "openshift": OPENSHIFT}
"""All rights that an engine needs in its namespace, by the name of the engine."""
