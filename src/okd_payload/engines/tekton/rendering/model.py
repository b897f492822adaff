# SPDX-License-Identifier: Apache-2.0
"""What is rendered: plans by the name of their variant, and how their pods run the tool."""

from __future__ import annotations

import msgspec

from okd_payload.build.plan import Plan
from okd_payload.catalog.stream import Publish
from okd_payload.engines.pod.tool import ToolSettings


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One stream, as one Pipeline."""

    name: str
    """What overlays and people call it."""
    plan: Plan
    publish: Publish = Publish()
    """Where its images go unless a run says otherwise."""
    makes_releases: bool = True
    is_exact: bool = True
    """Whether the edges of ``plan`` are those of Dockerfiles, and not only declared ones."""
    parameter: str = ""
    """What `step snapshot --variant` is told; empty where a repository has one stream only."""


class RenderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What all objects have in common."""

    tool: ToolSettings = ToolSettings()
    source_url: str = ""
    """The repository of the streams, as the default of a parameter; empty for none."""
    source_ref: str = "main"
    source_path: str = ""
