# SPDX-License-Identifier: Apache-2.0
"""Updates that a stream's owner blocks, or ties to a risk, as they are written in its file."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.catalog.fields import Line, Written, whole
from okd_payload.controller.configuration.model import EdgeRule
from okd_payload.controller.graph.addresses import ADDRESS


class RiskFields(Written, frozen=True, kw_only=True):
    """Why some clusters, or all, should not take an update."""

    name: Annotated[
        str,
        Meta(
            pattern=whole(r"[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?"),
            description="one word that people look for: SlowDisks",
        ),
    ]
    message: Line
    url: Annotated[str, Meta(pattern=whole(ADDRESS), description="where people read about it")]
    promql: Annotated[
        str, Meta(description="for which clusters the risk holds; for all of them without")
    ] = ""


class EdgeFields(Written, frozen=True, kw_only=True):
    """Updates from one version to another that are not for everybody."""

    source: Annotated[str, Meta(description="a version or a glob: 4.19.*")] = msgspec.field(
        name="from"
    )
    target: Annotated[str, Meta(description="a version or a glob")] = msgspec.field(name="to")
    blocked: Annotated[Line, Meta(description="why nobody should take it")] = ""
    risk: RiskFields | None = None

    def __post_init__(self) -> None:
        """Refuse neither reason, and both."""
        if bool(self.blocked) == (self.risk is not None):
            raise ValueError("one of blocked and risk is needed")

    def to_rule(self) -> EdgeRule:
        """The same as a value of the controller."""
        risk = self.risk
        return EdgeRule(
            source=self.source,
            target=self.target,
            name=risk.name if risk else "",
            message=risk.message if risk else self.blocked,
            url=risk.url if risk else "",
            promql=risk.promql if risk else "",
        )
