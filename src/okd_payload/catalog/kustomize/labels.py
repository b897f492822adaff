# SPDX-License-Identifier: Apache-2.0
"""Labels and annotations for all objects, in their templates and selectors where wanted.

The tables are kustomize's own field specifications: which kinds have templates and selectors, and
where a missing mapping is made. An object of any other kind gets its own metadata changed and
nothing else, because nobody can know what its selectors select.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from okd_payload.catalog.kustomize.field_specs import FieldSpec, change_field, field_spec
from okd_payload.catalog.kustomize.fields import LabelSet
from okd_payload.catalog.kustomize.resource import Resource

_ROLLOUTS = ("Deployment", "ReplicaSet", "DaemonSet")
_TEMPLATED = ("ReplicationController", *_ROLLOUTS, "StatefulSet", "Job")


def _templates(field: str) -> tuple[FieldSpec, ...]:
    """The metadata of the objects that other objects make."""
    return (
        *(field_spec(f"spec/template/metadata/{field}", kind, create=True) for kind in _TEMPLATED),
        field_spec(f"spec/jobTemplate/metadata/{field}", "CronJob", create=True),
        field_spec(f"spec/jobTemplate/spec/template/metadata/{field}", "CronJob", create=True),
    )


_OWN_LABELS = field_spec("metadata/labels", create=True)
_LABEL_TEMPLATES = (
    *_templates("labels"),
    field_spec(
        "spec/volumeClaimTemplates/metadata/labels", "StatefulSet", group="apps", create=True
    ),
)
_ANNOTATIONS = (field_spec("metadata/annotations", create=True), *_templates("annotations"))

_AFFINITIES = tuple(
    f"spec/template/spec/affinity/{affinity}/{term}/labelSelector/matchLabels"
    for affinity in ("podAffinity", "podAntiAffinity")
    for term in (
        "preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm",
        "requiredDuringSchedulingIgnoredDuringExecution",
    )
)
_SELECTORS = (
    field_spec("spec/selector", "Service", version="v1", create=True),
    field_spec("spec/selector", "ReplicationController", version="v1", create=True),
    *(field_spec("spec/selector/matchLabels", kind, create=True) for kind in _ROLLOUTS),
    field_spec("spec/selector/matchLabels", "StatefulSet", group="apps", create=True),
    *(
        field_spec(path, kind, group="apps")
        for kind in ("Deployment", "StatefulSet")
        for path in (
            *_AFFINITIES,
            "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels",
        )
    ),
    field_spec("spec/selector/matchLabels", "Job", group="batch"),
    field_spec("spec/jobTemplate/spec/selector/matchLabels", "CronJob", group="batch"),
    field_spec("spec/selector/matchLabels", "PodDisruptionBudget", group="policy"),
    field_spec("spec/podSelector/matchLabels", "NetworkPolicy", group="networking.k8s.io"),
    field_spec(
        "spec/ingress/from/podSelector/matchLabels", "NetworkPolicy", group="networking.k8s.io"
    ),
    field_spec(
        "spec/egress/to/podSelector/matchLabels", "NetworkPolicy", group="networking.k8s.io"
    ),
)


def add_labels(resource: Resource, labels: LabelSet) -> Resource:
    """``resource`` with ``labels``."""
    specs: tuple[FieldSpec, ...] = (_OWN_LABELS,)
    if labels.include_selectors or labels.include_templates:
        specs += _LABEL_TEMPLATES
    if labels.include_selectors:
        specs += _SELECTORS
    return _add(resource, labels.pairs, specs)


def add_annotations(resource: Resource, annotations: Mapping[str, str]) -> Resource:
    """``resource`` with ``annotations``, in its templates too."""
    return _add(resource, annotations, _ANNOTATIONS)


def _add(resource: Resource, pairs: Mapping[str, str], specs: Iterable[FieldSpec]) -> Resource:
    def merge(texts: Any) -> Any:
        return {**texts, **pairs} if isinstance(texts, dict) else dict(pairs)

    value, identity = resource.value, resource.identity
    for spec in specs:
        if spec.fits(identity):
            value = change_field(value, spec.path, merge, create=spec.create)
    return resource.with_value(value)
