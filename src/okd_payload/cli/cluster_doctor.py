# SPDX-License-Identifier: Apache-2.0
"""``okd-payload doctor --cluster``: what a cluster lacks for building on it, and how to mend it."""

from __future__ import annotations

import secrets
from typing import Any

import click
import msgspec

from okd_payload.cli.cluster_options import ClusterOptions, take_cluster_options
from okd_payload.cli.issues import print_issues
from okd_payload.cli.loop import run_async
from okd_payload.cli.option_groups import option_group
from okd_payload.cli.output import escape_controls, print_document
from okd_payload.cli.pod_options import (
    credentials_option,
    image_option,
    pod_security_option,
    service_account_option,
    trust_option,
)
from okd_payload.cli.settings import Settings
from okd_payload.engines.pod.image import choose_image
from okd_payload.engines.pod.readiness.examination import (
    Examination,
    Wanted,
    examine_cluster,
)
from okd_payload.engines.pod.readiness.presence import RULES
from okd_payload.engines.pod.readiness.probe import Probe, probe_cluster
from okd_payload.engines.pod.readiness.probe_pod import ProbePod, make_probe_pod
from okd_payload.engines.pod.security import SecurityProfile
from okd_payload.engines.pod.tool import ToolSettings

_PROBE_SECONDS = 300
"""For pulling the image, which is large, and building one file."""
_PATIENCE = 10.0


class PodOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the options of ``pod_options`` were set to."""

    engine: str
    probes: bool
    repository: str
    image: str
    service_account: str
    credentials: str
    trust: str
    pod_security: str
    plain_http: tuple[str, ...]

    def make_pod(self) -> ProbePod:
        """A pod as builds make them. Raises InvalidReference."""
        settings = ToolSettings(
            image=choose_image(self.image),
            profile=SecurityProfile(self.pod_security),
            credentials=self.credentials,
            trust=self.trust,
            plain_http=self.plain_http,
        )
        return make_probe_pod(
            f"okd-payload-doctor-{secrets.token_hex(4)}",
            settings,
            repository=self.repository,
            service_account=self.service_account,
            seconds=_PROBE_SECONDS,
        )


class ClusterDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found out about a cluster; what ``-o json`` prints."""

    ready: bool
    """Whether nothing is known to keep builds from working there."""
    cluster: Examination
    probe: Probe | None
    """How trying it out went; None when it was not asked for, or not possible."""


pod_options = option_group(
    click.option(
        "--engine",
        type=click.Choice(list(RULES)),
        default="tekton",
        show_default=True,
        help="What shall build on the cluster.",
    ),
    click.option(
        "--probe",
        "probes",
        is_flag=True,
        help="Also run a pod there that builds a small image, and is deleted again.",
    ),
    click.option(
        "--repository",
        default="",
        metavar="REPOSITORY",
        help="Where images shall go: the pod of --probe writes a few bytes there.",
    ),
    image_option,
    service_account_option,
    credentials_option(),
    trust_option,
    pod_security_option,
    click.option(
        "--plain-http",
        multiple=True,
        metavar="HOST",
        help="A registry that the pod of --probe speaks to without TLS.",
    ),
)
"""The options that say how pods on the cluster shall build; see ``PodOptions``."""


def diagnose_cluster(settings: Settings, output: str | None, options: dict[str, Any]) -> int:
    """Look at the cluster, print what was found, and return the exit code."""
    place = take_cluster_options(options)
    pods = PodOptions(**{name: options.pop(name) for name in PodOptions.__struct_fields__})
    diagnosis = run_async(_diagnose(place, pods))
    if output:
        print_document(diagnosis, output)
    else:
        _print(diagnosis, pods.engine, settings)
    return 0 if diagnosis.ready else 1


async def _diagnose(place: ClusterOptions, pods: PodOptions) -> ClusterDiagnosis:
    from okd_payload.cluster.lightkube_cluster import open_cluster

    pod = pods.make_pod()
    wanted = Wanted(engine=pods.engine, profile=SecurityProfile(pods.pod_security), pod=pod)
    async with open_cluster(
        place.kubeconfig, place.context, namespace=place.namespace, patience=_PATIENCE
    ) as cluster:
        namespace = cluster.namespace
        examination = await examine_cluster(cluster, wanted, namespace=namespace)
        probe = None
        if pods.probes and examination.kubernetes:
            probe = await probe_cluster(cluster, pod, namespace=namespace, seconds=_PROBE_SECONDS)
    issues = (*examination.issues, *(probe.issues if probe else ()))
    return ClusterDiagnosis(
        ready=not any(issue.blocks for issue in issues), cluster=examination, probe=probe
    )


def _print(diagnosis: ClusterDiagnosis, engine: str, settings: Settings) -> None:
    examination, probe = diagnosis.cluster, diagnosis.probe
    rows = [("namespace", examination.namespace), ("Kubernetes", examination.kubernetes)]
    for found in examination.engines:
        state = "there" if found.usable else "too old" if found.outdated else "not installed"
        rows.append((found.title, " ".join(filter(None, (state, found.version)))))
    rows += [
        ("processors", ", ".join(examination.architectures)),
        ("storage class", examination.storage_class),
        ("pod security", examination.pod_security),
    ]
    if probe is not None and probe.report is not None:
        written = f", wrote to {probe.report.repository}" if probe.report.repository else ""
        rows.append(("first build", f"storage driver {probe.report.driver or 'none'}{written}"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        if value:
            click.echo(f"{name.ljust(width)}  {escape_controls(value)}")
    issues = (*examination.issues, *(probe.issues if probe else ()))
    print_issues(issues, settings)
    title = RULES[engine].title
    if diagnosis.ready and probe is None:
        click.echo(f"\nNothing is known to keep {title} from building here; --probe tries it.")
    elif diagnosis.ready:
        click.echo(f"\n{title} can build here.")
    else:
        click.echo(f"\n{title} cannot build here yet.")
