# SPDX-License-Identifier: Apache-2.0
"""The fields of ``build.openshift.io/v1`` BuildConfigs: honoured, refused, or left to clusters.

The types hold what is honoured. Everything else that the API knows stands in one of the two
tables; what stands nowhere is no field of a BuildConfig.
"""

from __future__ import annotations

from typing import Any

import msgspec

from okd_payload.catalog.component import Layering
from okd_payload.catalog.openshift_names import ImageObject

LAYERING_BY_POLICY = {
    "": Layering.EACH,
    "None": Layering.EACH,
    "SkipLayers": Layering.ONE,
    "SkipLayersAndWarn": Layering.ONE,
}
CHANGES_THE_IMAGE = frozenset(
    {
        "spec.revision",
        "spec.source.binary",
        "spec.source.configMaps",
        "spec.source.secrets",
        "spec.strategy.customStrategy",
        "spec.strategy.dockerStrategy.buildArgs.valueFrom",
        "spec.strategy.dockerStrategy.env.valueFrom",
        "spec.strategy.dockerStrategy.volumes",
        "spec.strategy.jenkinsPipelineStrategy",
        "spec.strategy.sourceStrategy",
    }
)
"""Fields that are no part of the types below, because they cannot be honoured."""

FOR_CLUSTERS_ONLY = frozenset(
    {
        "spec.completionDeadlineSeconds",
        "spec.failedBuildsHistoryLimit",
        "spec.mountTrustedCA",
        "spec.nodeSelector",
        "spec.output.pushSecret",
        "spec.postCommit",
        "spec.resources.claims",
        "spec.resources.limits.ephemeral-storage",
        "spec.resources.requests.ephemeral-storage",
        "spec.runPolicy",
        "spec.serviceAccount",
        "spec.source.git.httpProxy",
        "spec.source.git.httpsProxy",
        "spec.source.git.noProxy",
        "spec.source.images.pullSecret",
        "spec.source.sourceSecret",
        "spec.strategy.dockerStrategy.forcePull",
        "spec.strategy.dockerStrategy.noCache",
        "spec.strategy.dockerStrategy.pullSecret",
        "spec.successfulBuildsHistoryLimit",
        "spec.triggers",
    }
)
"""Fields that are no part of the types below, because no image depends on them."""


class Part(msgspec.Struct, frozen=True, rename="camel"):
    """Base of the parts: camel case, unknown fields tolerated and listed elsewhere."""


class Metadata(Part, frozen=True):
    """The object meta that says who this is; the rest of it is known and not used."""

    name: str
    namespace: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    creation_timestamp: str = ""
    generation: int = 0
    managed_fields: Any = None
    resource_version: str = ""
    uid: str = ""


class Git(Part, frozen=True):
    """Where the source is."""

    uri: str
    ref: str = ""


class CopiedPath(Part, frozen=True):
    """A file or folder to copy out of an image."""

    source_path: str
    destination_dir: str = "."


class ImageSource(Part, frozen=True):
    """An image that is used under other names, or for files of it."""

    image: ImageObject = msgspec.field(name="from")
    aliases: tuple[str, ...] = msgspec.field(name="as", default=())
    paths: tuple[CopiedPath, ...] = ()


class Source(Part, frozen=True):
    """What the build starts from."""

    type: str = ""
    git: Git | None = None
    context_dir: str = "."
    dockerfile: str | None = None
    images: tuple[ImageSource, ...] = ()


class Variable(Part, frozen=True):
    """A named value."""

    name: str
    value: str = ""


class DockerStrategy(Part, frozen=True):
    """How the Dockerfile is found, rewritten and built."""

    base: ImageObject | None = msgspec.field(name="from", default=None)
    dockerfile_path: str = "Dockerfile"
    image_optimization_policy: str = ""
    build_args: tuple[Variable, ...] = ()
    env: tuple[Variable, ...] = ()


class Strategy(Part, frozen=True):
    """The docker strategy; others are not supported."""

    type: str = "Docker"
    docker_strategy: DockerStrategy = DockerStrategy()


class Output(Part, frozen=True):
    """What becomes of the image."""

    to: ImageObject | None = None
    image_labels: tuple[Variable, ...] = ()


class Amounts(Part, frozen=True):
    """CPU and memory, as Kubernetes quantities."""

    cpu: str | int | float = ""
    memory: str | int | float = ""


class ResourceList(Part, frozen=True):
    """What a build asks for and what it may use at most."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


class Specification(Part, frozen=True):
    """What to build."""

    source: Source = Source()
    strategy: Strategy = Strategy()
    output: Output = Output()
    resources: ResourceList = ResourceList()


class BuildConfig(Part, frozen=True):
    """One BuildConfig."""

    metadata: Metadata
    spec: Specification
    api_version: str = ""
    kind: str = ""
    status: Any = None
