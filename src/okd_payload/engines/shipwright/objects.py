# SPDX-License-Identifier: Apache-2.0
"""The objects of ``shipwright.io/v1beta1``, as far as we write them.

Parts of pods are those of all engines; what Shipwright has of its own stands here. What is not
set is not written.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import ObjectKind
from okd_payload.engines.manifests import Manifest, Part
from okd_payload.engines.pod.objects import (
    ConfigMapFiles,
    ContainerSecurity,
    EmptyDirectory,
    EnvironmentVariable,
    Requirements,
    SecretFiles,
    VolumeMount,
)


class Parameter(Part, frozen=True, kw_only=True):
    """A parameter that a strategy has; an array has ``defaults``, a string ``default``."""

    name: str
    description: str
    type: str
    default: str | None = None
    defaults: tuple[str, ...] | None = None


class StrategyStep(Part, frozen=True, kw_only=True):
    """One container of a strategy."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvironmentVariable, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    resources: Requirements
    security_context: ContainerSecurity
    working_dir: str = ""


class StrategyVolume(Part, frozen=True, kw_only=True):
    """A volume of a strategy, which a Build may replace when it is ``overridable``."""

    name: str
    overridable: bool | None = None
    empty_dir: EmptyDirectory | None = None
    secret: SecretFiles | None = None
    config_map: ConfigMapFiles | None = None


class StrategySpecification(Part, frozen=True, kw_only=True):
    """How a strategy builds."""

    parameters: tuple[Parameter, ...] = ()
    steps: tuple[StrategyStep, ...]
    volumes: tuple[StrategyVolume, ...] = ()


class Strategy(Manifest, frozen=True, kw_only=True):
    """A way to build, of a namespace or of a cluster."""

    spec: StrategySpecification


class Value(Part, frozen=True, kw_only=True):
    """One value of an array."""

    value: str


class ParameterValue(Part, frozen=True, kw_only=True):
    """The value of a parameter: one, or several for an array."""

    name: str
    value: str | None = None
    values: tuple[Value, ...] | None = None


class StepResources(Part, frozen=True, kw_only=True):
    """What one step of the strategy gets in this build."""

    name: str
    resources: Requirements


class StrategyReference(Part, frozen=True, kw_only=True):
    """Which strategy builds, and with how much."""

    name: str
    kind: str
    step_resources: tuple[StepResources, ...] = ()


class GitSource(Part, frozen=True, kw_only=True):
    """A commit, branch or tag of a git repository."""

    url: str
    revision: str = ""
    clone_secret: str = ""


class Source(Part, frozen=True, kw_only=True):
    """What is built."""

    type: str
    git: GitSource
    context_dir: str = ""


class Output(Part, frozen=True, kw_only=True):
    """Where the image is pushed to."""

    image: str
    insecure: bool | None = None


class BuildRetention(Part, frozen=True, kw_only=True):
    """How long runs of a Build stay."""

    at_build_deletion: bool | None = None
    failed_limit: int | None = None
    succeeded_limit: int | None = None


class RunRetention(Part, frozen=True, kw_only=True):
    """How long a run stays."""

    ttl_after_failed: str = ""
    ttl_after_succeeded: str = ""


class BuildSpecification(Part, frozen=True, kw_only=True):
    """What to build, and how."""

    source: Source | None = None
    strategy: StrategyReference
    param_values: tuple[ParameterValue, ...] = ()
    output: Output
    retention: BuildRetention | None = None
    timeout: str = ""
    node_selector: dict[str, str] = msgspec.field(default_factory=dict)


class Build(Manifest, frozen=True, kw_only=True):
    """A definition, of which runs are made."""

    spec: BuildSpecification


class BuildReference(Part, frozen=True, kw_only=True):
    """What a run builds: a Build by name, or one of its own."""

    name: str = ""
    spec: BuildSpecification | None = None


class BuildRunSpecification(Part, frozen=True, kw_only=True):
    """One run."""

    build: BuildReference
    service_account: str = ""
    retention: RunRetention | None = None


class BuildRun(Manifest, frozen=True, kw_only=True):
    """One run of a build."""

    spec: BuildRunSpecification


def type_of(kind: ObjectKind) -> dict[str, str]:
    """What an object of ``kind`` says that it is."""
    return {"api_version": kind.api_version, "kind": kind.kind}
