# SPDX-License-Identifier: Apache-2.0
"""Which traffic the pods of a stream may send and receive.

Builds fetch sources, packages and images from anywhere, so what they send is not limited but
for one thing: the metadata service of clouds, which gives the rights of the node to whoever
asks. What strangers propose reaches no private network either. Nothing connects to build pods.

Policies add up: a registry inside of the cluster is let through by one more policy. Where the
cluster's network does not know policies, these have no effect, and do no harm.
"""

from __future__ import annotations

from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.pod import labels
from okd_payload.engines.tekton.deploying.access import named
from okd_payload.engines.tekton.kubernetes_objects import (
    AddressBlock,
    EgressRule,
    IngressRule,
    LabelRequirement,
    LabelSelector,
    NetworkPolicy,
    NetworkRules,
    Peer,
    Port,
)
from okd_payload.engines.tekton.triggers.starting import PULL_REQUEST_ROLE

LISTENER_PORT = 8080
"""Where the listener of Tekton Triggers serves."""

_LINK_LOCAL = "169.254.0.0/16"
_LINK_LOCAL_6 = ("fd00:ec2::254/128", "fe80::/10")
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", _LINK_LOCAL, "172.16.0.0/12", "192.168.0.0/16")
_PRIVATE_6 = ("fc00::/7", "fe80::/10")
_NAMES = EgressRule(ports=(Port(protocol="UDP", port=53), Port(protocol="TCP", port=53)))
"""Names are looked up anywhere: caches on nodes have link-local addresses."""


def limit_network(metadata: Metadata) -> tuple[Manifest, ...]:
    """The policies for everything that is built in the namespace."""
    stream = metadata.labels[labels.STREAM]
    builds = LabelSelector(
        match_labels={labels.STREAM: stream},
        match_expressions=(
            LabelRequirement(key=labels.ROLE, operator="NotIn", values=(PULL_REQUEST_ROLE,)),
            LabelRequirement(key="eventlistener", operator="DoesNotExist"),
        ),
    )
    return (
        _policy(
            named(metadata, "okd-payload-builds", "keep builds from the node's own rights"),
            builds,
            excluded=(_LINK_LOCAL,),
            excluded_6=_LINK_LOCAL_6,
        ),
        _policy(
            named(
                metadata,
                "okd-payload-pull-requests",
                "what strangers propose reaches the internet and nothing private",
            ),
            LabelSelector(match_labels={labels.STREAM: stream, labels.ROLE: PULL_REQUEST_ROLE}),
            excluded=_PRIVATE,
            excluded_6=_PRIVATE_6,
        ),
    )


def admit_events(metadata: Metadata, listener: str) -> NetworkPolicy:
    """The policy by which events reach the listener, and nothing else of its pod."""
    return NetworkPolicy(
        api_version="networking.k8s.io/v1",
        kind="NetworkPolicy",
        metadata=named(metadata, "okd-payload-listener", "events of forges come in on one port"),
        spec=NetworkRules(
            pod_selector=LabelSelector(match_labels={"eventlistener": listener}),
            policy_types=("Ingress",),
            ingress=(IngressRule(ports=(Port(protocol="TCP", port=LISTENER_PORT),)),),
        ),
    )


def _policy(
    metadata: Metadata,
    pods: LabelSelector,
    *,
    excluded: tuple[str, ...],
    excluded_6: tuple[str, ...],
) -> NetworkPolicy:
    everywhere = EgressRule(
        to=(
            Peer(ip_block=AddressBlock(cidr="0.0.0.0/0", excluded=excluded)),
            Peer(ip_block=AddressBlock(cidr="::/0", excluded=excluded_6)),
        )
    )
    return NetworkPolicy(
        api_version="networking.k8s.io/v1",
        kind="NetworkPolicy",
        metadata=metadata,
        spec=NetworkRules(
            pod_selector=pods,
            policy_types=("Ingress", "Egress"),
            egress=(_NAMES, everywhere),
        ),
    )
