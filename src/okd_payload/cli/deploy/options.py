# SPDX-License-Identifier: Apache-2.0
"""What ``deploy tekton`` may be told: about the namespace, its pods, and what starts by itself."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from okd_payload.catalog.stream import Stream
from okd_payload.cli.cluster_options import ClusterOptions, take_cluster_options
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.pod_options import (
    credentials_option,
    git_credentials_option,
    image_option,
    pod_security_option,
    trust_option,
)
from okd_payload.engines.pod.accounts import REGISTRY_CREDENTIALS, WEBHOOK_SECRET
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings
from okd_payload.engines.tekton.deploying.settings import DeploymentSettings, default_namespace
from okd_payload.engines.tekton.triggers.forges import FORGES
from okd_payload.engines.tekton.triggers.settings import (
    ListenerChoice,
    Schedule,
    read_schedule,
    read_source,
)
from okd_payload.errors import InputError
from okd_payload.oci.location import RegistryLocation, parse_location

_ZONE = "Etc/UTC"


class DeployOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``deploy_options`` were set to."""

    cluster: ClusterOptions = ClusterOptions()
    repository: str = ""
    releases: str = ""
    image: str = ""
    credentials: str = REGISTRY_CREDENTIALS
    anonymous: bool = False
    git_credentials: str = ""
    trust: str = ""
    plain_http: tuple[str, ...] = ()
    pod_security: str = SecurityProfile.USER_NAMESPACE.value
    jobs: int | None = None
    source: str = ""
    source_folder: str = ""
    schedule: str = ""
    time_zone: str = _ZONE
    listen: str | None = None
    webhook_secret: str = WEBHOOK_SECRET
    pull_requests_on: str = ""
    depth: int = 0
    follow: str = ""
    openshift: bool = False
    namespaced_only: bool = False

    def to_words(self, namespace: str) -> tuple[str, ...]:
        """The options as the job needs them that deploys again, in a pod of ``namespace``."""
        given = (
            ("--namespace", namespace),
            ("--repository", self.repository),
            ("--releases", self.releases),
            ("--image", self.image),
            ("--credentials", "" if self.anonymous else self.credentials),
            ("--git-credentials", self.git_credentials),
            ("--trust", self.trust),
            *(("--plain-http", host) for host in self.plain_http),
            ("--pod-security", self.pod_security),
            ("--jobs", str(self.jobs or "")),
            ("--source", self.source),
            ("--source-folder", self.source_folder),
            ("--schedule", self.schedule),
            ("--time-zone", self.time_zone),
            ("--listen", self.listen or ""),
            ("--webhook-secret", self.webhook_secret if self.listen else ""),
            ("--pull-requests-on", self.pull_requests_on),
            ("--depth", str(self.depth or "")),
            ("--follow", self.follow),
        )
        words = [word for name, value in given if value for word in (name, value)]
        flags = (("--anonymous", self.anonymous), ("--openshift", self.openshift))
        return (*words, *(name for name, is_set in flags if is_set), "--namespaced-only")

    def to_settings(self, stream: Stream) -> DeploymentSettings:
        """What is deployed for ``stream``. Raises InputError."""
        repository = self.repository or stream.publish.content
        _check_repository(repository)
        releases = self.releases or stream.publish.releases
        if releases:
            _check_repository(releases)
        namespace = self.cluster.namespace or default_namespace(stream.name)
        return DeploymentSettings(
            stream=stream.name,
            namespace=namespace,
            repository=repository,
            releases=releases,
            makes_releases=not stream.release.skip,
            tool=ToolSettings(
                image=choose_image(self.image),
                profile=SecurityProfile(self.pod_security),
                credentials="" if self.anonymous else self.credentials,
                git_credentials=self.git_credentials,
                trust=self.trust,
                plain_http=tuple(sorted(self.plain_http)),
            ),
            openshift=self.openshift,
            namespaced_only=self.namespaced_only,
            source=read_source(self.source, folder=self.source_folder) if self.source else None,
            schedule=self._read_schedule(self.schedule),
            listener=self._read_listener(),
            follow=self._read_schedule(self.follow),
            follow_words=self.to_words(namespace),
            jobs=self.jobs or 0,
        )

    def _read_schedule(self, text: str) -> Schedule | None:
        return read_schedule(text, time_zone=self.time_zone) if text else None

    def _read_listener(self) -> ListenerChoice | None:
        if not self.listen:
            if self.pull_requests_on:
                raise InputError(
                    "--pull-requests-on goes with --listen", hint="name the forge with --listen"
                )
            return None
        return ListenerChoice(
            forge=FORGES[self.listen],
            secret=self.webhook_secret,
            base_release=self.pull_requests_on,
            depth=self.depth,
        )


_pod_options = option_group(
    click.option(
        "--repository",
        default="",
        metavar="REPOSITORY",
        help="Where pods keep the images; else what the stream says.",
    ),
    click.option(
        "--releases",
        default="",
        metavar="REPOSITORY",
        help="Where releases go that are made without anybody asking; else what the stream says.",
    ),
    image_option,
    credentials_option(REGISTRY_CREDENTIALS),
    click.option("--anonymous", is_flag=True, help="Registries ask nobody who they are."),
    git_credentials_option,
    trust_option,
    click.option(
        "--plain-http",
        multiple=True,
        metavar="HOST",
        help="A registry that pods speak to without TLS.",
    ),
    pod_security_option,
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        metavar="NUMBER",
        help="Builds at a time, of what starts by itself.",
    ),
    click.option(
        "--openshift",
        is_flag=True,
        help="Bind security context constraints; found out where a cluster can be asked.",
    ),
    click.option(
        "--namespaced-only",
        is_flag=True,
        help="Leave objects of the whole cluster as they are.",
    ),
)
_start_options = option_group(
    click.option(
        "--source",
        default="",
        metavar="URL[@REF]",
        help="The git repository of the stream, for what starts by itself.",
    ),
    click.option(
        "--source-folder",
        default="",
        metavar="DIR",
        help="The folder of the stream file in it.",
    ),
    click.option(
        "--schedule",
        default="",
        metavar="CRON",
        help="Build what changed at these times, as in '0 3 * * *'.",
    ),
    click.option(
        "--time-zone",
        default=_ZONE,
        show_default=True,
        metavar="ZONE",
        help="By whose clocks times are meant.",
    ),
    click.option(
        "--listen",
        type=click.Choice(list(FORGES)),
        help="Build what is pushed to this forge, by its events.",
    ),
    click.option(
        "--webhook-secret",
        default=WEBHOOK_SECRET,
        show_default=True,
        metavar="SECRET",
        help="The Secret whose entry `token` events are signed with.",
    ),
    click.option(
        "--pull-requests-on",
        default="",
        metavar="RELEASE",
        help="With --listen: try pull requests too, on top of this release.",
    ),
    click.option(
        "--depth",
        type=click.IntRange(min=0),
        default=0,
        metavar="STEPS",
        help="How far from a pull request is built.",
    ),
    click.option(
        "--follow",
        default="",
        metavar="CRON",
        help="Deploy anew from --source at these times.",
    ),
)
deploy_options = option_group(_pod_options, _start_options)
"""The options about what is deployed; see ``DeployOptions``."""


def take_deploy_options(options: dict[str, Any]) -> DeployOptions:
    """Take what belongs to ``DeployOptions`` out of ``options``."""
    cluster = take_cluster_options(options)
    names = [name for name in DeployOptions.__struct_fields__ if name in options]
    return DeployOptions(cluster=cluster, **{name: options.pop(name) for name in names})


def _check_repository(text: str) -> None:
    if not text:
        raise InputError(
            "nobody says where the images of the stream go",
            hint="name a repository with --repository, or under publish in the stream file",
        )
    location = parse_location(text)
    if not isinstance(location, RegistryLocation) or location.reference.tag or location.digest:
        raise InputError(
            f"{text!r} is no repository that pods could reach",
            hint="write HOST/PATH, without tag and digest",
        )
