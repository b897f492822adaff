# SPDX-License-Identifier: Apache-2.0
"""The options that say which engine builds, and how it does, shared by all that build."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.cli.cluster_options import ClusterOptions, cluster_options, take_cluster_options
from okd_payload.cli.engines import ENGINES, LOCAL_ENGINE
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.pod_options import (
    credentials_option,
    git_credentials_option,
    image_option,
    pod_security_option,
    service_account_option,
    trust_option,
)
from okd_payload.engines.buildah.settings import Network
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.errors import InputError

ENGINE_VARIABLE = "OKD_PAYLOAD_ENGINE"
_MINUTE = 60.0
_OPENSHIFT = "openshift"


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``engine_options`` were set to."""

    engine: str = LOCAL_ENGINE
    network: str = Network.HOST.value
    image: str = ""
    service_account: str = ""
    credentials: str = ""
    git_credentials: str = ""
    trust: str = ""
    pod_security: str = SecurityProfile.USER_NAMESPACE.value
    timeout: int = 240
    """Minutes for one build."""
    keeps: bool = False
    image_stream: str = ""
    """With OpenShift Builds: the image stream of the project that is the repository."""
    existing: bool = False
    """With OpenShift Builds: whether the project's BuildConfigs are used as they are."""
    cluster: ClusterOptions = ClusterOptions()

    @property
    def seconds(self) -> float:
        """How long one build may take."""
        return self.timeout * _MINUTE

    def to_words(self) -> list[str]:
        """The options of builds in pods, as on a command line."""
        given = (
            ("--network", self.network if self.network != Network.HOST.value else ""),
            ("--image", self.image),
            ("--service-account", self.service_account),
            ("--credentials", self.credentials),
            ("--git-credentials", self.git_credentials),
            ("--trust", self.trust),
            ("--pod-security", self.pod_security),
            ("--timeout", str(self.timeout)),
            ("--image-stream", self.image_stream),
        )
        words = ["--existing"] if self.existing else []
        return [*words, *(word for name, value in given if value for word in (name, value))]


_choices = option_group(
    click.option(
        "--engine",
        type=click.Choice(list(ENGINES)),
        default=LOCAL_ENGINE,
        envvar=ENGINE_VARIABLE,
        show_default=True,
        help="What builds: this machine, or a cluster.",
    ),
    click.option(
        "--network",
        type=click.Choice([network.value for network in Network]),
        default=Network.HOST.value,
        show_default=True,
        help="What builds can reach.",
    ),
)
"""Which engine, and what every engine is told."""
_pods = option_group(
    image_option,
    service_account_option,
    credentials_option(),
    git_credentials_option,
    trust_option,
    pod_security_option,
    click.option(
        "--timeout",
        type=click.IntRange(min=1),
        default=240,
        show_default=True,
        metavar="MINUTES",
        help="How long one build on a cluster may take, waiting included.",
    ),
)
"""How pods run the tool."""
_clusters = option_group(
    click.option(
        "--keep-task-runs",
        "keeps",
        is_flag=True,
        help="Leave what was made on the cluster there when it is over.",
    ),
    click.option(
        "--image-stream",
        default="",
        metavar="NAME",
        help="With --engine openshift: the image stream of the project that --repository is.",
    ),
    click.option(
        "--existing",
        is_flag=True,
        help="With --engine openshift: use the BuildConfigs of the project as they are.",
    ),
)
"""What single engines take beside that."""
engine_options = option_group(_choices, _pods, _clusters, cluster_options)
"""The options of a command that builds; see ``EngineOptions``."""


def take_engine_options(options: dict[str, Any]) -> EngineOptions:
    """Take what belongs to ``EngineOptions`` out of ``options``."""
    cluster = take_cluster_options(options)
    names = [name for name in EngineOptions.__struct_fields__ if name in options]
    return EngineOptions(cluster=cluster, **{name: options.pop(name) for name in names})


def check_engine_options(options: EngineOptions, *, repository: str) -> None:
    """Refuse a cluster that could not reach the images. Raises InputError."""
    if (options.image_stream or options.existing) and options.engine != _OPENSHIFT:
        raise InputError(
            "--image-stream and --existing are for --engine openshift",
            hint="leave them away, or build with OpenShift Builds",
        )
    if options.engine == LOCAL_ENGINE:
        return
    if not repository or repository.startswith("oci:"):
        raise InputError(
            f"--engine {options.engine} needs --repository: pods cannot reach this machine's disk",
            hint="name a registry repository that pods may push to, as in --repository "
            "registry.example.com/me/okd",
        )
