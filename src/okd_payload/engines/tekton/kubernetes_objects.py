# SPDX-License-Identifier: Apache-2.0
"""The objects of plain Kubernetes that a deployment has, as Kubernetes names their fields.

They stand in https://kubernetes.io/docs/reference/kubernetes-api/. Only what a deployment says is
here; what the server adds to its objects is its own, and no difference.
"""

from __future__ import annotations

import msgspec

from okd_payload.engines.manifests import Manifest, Metadata, Part
from okd_payload.engines.pod.objects import PodSpec


class Namespace(Manifest, frozen=True, kw_only=True):
    """A namespace; all that we say of it is in its metadata."""


class ServiceAccount(Manifest, frozen=True, kw_only=True):
    """Who pods are for the API of the cluster."""

    automount_service_account_token: bool | None = None


class PolicyRule(Part, frozen=True, kw_only=True):
    """What may be done with some resources."""

    api_groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]


class Role(Manifest, frozen=True, kw_only=True):
    """Rights in a namespace, or as a ClusterRole in all of them."""

    rules: tuple[PolicyRule, ...]


class Subject(Part, frozen=True, kw_only=True):
    """Who is given rights."""

    kind: str = msgspec.field(default_factory=lambda: "ServiceAccount")
    name: str
    namespace: str


class RoleReference(Part, frozen=True, kw_only=True):
    """Which rights are given."""

    api_group: str
    kind: str
    name: str


class RoleBinding(Manifest, frozen=True, kw_only=True):
    """Rights given to somebody, in a namespace or as a ClusterRoleBinding in all of them."""

    role_ref: RoleReference
    subjects: tuple[Subject, ...]


class LabelRequirement(Part, frozen=True, kw_only=True):
    """A condition on a label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class LabelSelector(Part, frozen=True, kw_only=True):
    """Objects with these labels."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[LabelRequirement, ...] = ()


class AddressBlock(Part, frozen=True, kw_only=True):
    """A range of addresses, and what of it is left out."""

    cidr: str
    excluded: tuple[str, ...] = msgspec.field(default=(), name="except")


class Peer(Part, frozen=True, kw_only=True):
    """Where traffic goes to or comes from."""

    ip_block: AddressBlock


class Port(Part, frozen=True, kw_only=True):
    """A port that is let through."""

    protocol: str
    port: int


class EgressRule(Part, frozen=True, kw_only=True):
    """Traffic that pods may send."""

    to: tuple[Peer, ...] = ()
    ports: tuple[Port, ...] = ()


class IngressRule(Part, frozen=True, kw_only=True):
    """Traffic that pods may receive."""

    ports: tuple[Port, ...] = ()


class NetworkRules(Part, frozen=True, kw_only=True):
    """Which traffic is let through; of a type that is listed without rules, none."""

    pod_selector: LabelSelector
    policy_types: tuple[str, ...]
    ingress: tuple[IngressRule, ...] = ()
    egress: tuple[EgressRule, ...] = ()


class NetworkPolicy(Manifest, frozen=True, kw_only=True):
    """Which traffic pods of the namespace may send and receive."""

    spec: NetworkRules


class PodTemplate(Part, frozen=True, kw_only=True):
    """Pods that are made by something else."""

    metadata: Metadata
    spec: PodSpec


class JobSpecification(Part, frozen=True, kw_only=True):
    """Work that is done once."""

    backoff_limit: int | None = None
    active_deadline_seconds: int | None = None
    ttl_seconds_after_finished: int | None = None
    template: PodTemplate


class JobTemplate(Part, frozen=True, kw_only=True):
    """Jobs that are made by something else."""

    metadata: Metadata
    spec: JobSpecification


class CronJobSpecification(Part, frozen=True, kw_only=True):
    """Work that is done again and again."""

    schedule: str
    time_zone: str
    concurrency_policy: str
    starting_deadline_seconds: int | None = None
    successful_jobs_history_limit: int | None = None
    failed_jobs_history_limit: int | None = None
    job_template: JobTemplate


class CronJob(Manifest, frozen=True, kw_only=True):
    """A job by the clock."""

    spec: CronJobSpecification
