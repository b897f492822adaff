# SPDX-License-Identifier: Apache-2.0
"""The fields of kustomizations: honoured, or refused with the reason.

The types hold what is honoured. What kustomize knows beside that stands in ``REFUSED``; what
stands nowhere is no field of a kustomization, and kustomize refuses it too.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from okd_payload.catalog.fields import Written

KUSTOMIZATION = "Kustomization"
COMPONENT = "Component"
API_VERSIONS = {
    KUSTOMIZATION: "kustomize.config.k8s.io/v1beta1",
    COMPONENT: "kustomize.config.k8s.io/v1alpha1",
}

_GENERATED = "objects are not generated here: write them to a file and list it in resources"
_CHART = "charts are not rendered here: render them to a file and list it in resources"
_PLUGIN = "plugins are programs, and no program of a catalog is run"
_CONFIGURED = "the rules for fields are those of kustomize itself and cannot be changed"
REFUSED = {
    "configMapGenerator": _GENERATED,
    "secretGenerator": _GENERATED,
    "generatorOptions": _GENERATED,
    "inventory": _GENERATED,
    "helmCharts": _CHART,
    "helmGlobals": _CHART,
    "helmChartInflationGenerator": _CHART,
    "generators": _PLUGIN,
    "transformers": _PLUGIN,
    "validators": _PLUGIN,
    "configurations": _CONFIGURED,
    "crds": _CONFIGURED,
    "openapi": _CONFIGURED,
    "vars": "vars are gone from kustomize's present form: say it with replacements",
    "replicas": "say it with a patch of spec.replicas",
    "buildMetadata": "where objects come from is told beside them, not in annotations",
}

REFUSED_BELOW = {
    "fields": "labels go where kustomize puts them by itself",
    "fieldSpecs": "labels go where kustomize puts them by itself",
    "tagSuffix": "kustomize 5.5 appends it twice: give newTag",
    "encoding": "kustomize 5.5 does nothing with it",
}
"""Fields below the top that kustomize knows and that are refused."""


class Target(Written, frozen=True, kw_only=True):
    """Which objects a patch is for: expressions for whole names, and selectors."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    label_selector: str = ""
    annotation_selector: str = ""


class PatchEntry(Written, frozen=True, kw_only=True):
    """A patch, inline or in a file, and what it is for."""

    path: str = ""
    patch: str = ""
    target: Target | None = None
    options: dict[str, bool] = msgspec.field(default_factory=dict)


class LabelSet(Written, frozen=True, kw_only=True):
    """Labels, and how deep into the objects they go."""

    pairs: dict[str, str] = msgspec.field(default_factory=dict)
    include_selectors: bool = False
    include_templates: bool = False


class ImageChange(Written, frozen=True, kw_only=True):
    """Another name, tag or digest for an image."""

    name: str
    new_name: str = ""
    new_tag: str = ""
    digest: str = ""


class ValueOptions(Written, frozen=True, kw_only=True):
    """Which part of a text is meant, and whether to make a field that is not there."""

    delimiter: str = ""
    index: int = 0
    create: bool = False


class ReplacementSource(Written, frozen=True, kw_only=True):
    """The one object, and its field, that a value is taken from."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    field_path: str = "metadata.name"
    options: ValueOptions = ValueOptions()


class ReplacementTarget(Written, frozen=True, kw_only=True):
    """The objects, and their fields, that the value is written into."""

    select: Target | None = None
    reject: tuple[Target, ...] = ()
    field_paths: tuple[str, ...] = ("metadata.name",)
    options: ValueOptions = ValueOptions()


class ReplacementFields(Written, frozen=True, kw_only=True):
    """A value taken from one place and written into others."""

    path: str = ""
    source: ReplacementSource | None = None
    targets: tuple[ReplacementTarget, ...] = ()


class LegacySortOptions(Written, frozen=True, kw_only=True):
    """Kinds that come first and last."""

    order_first: tuple[str, ...] = ()
    order_last: tuple[str, ...] = ()


class SortOptions(Written, frozen=True, kw_only=True):
    """The order of the objects: as listed (``fifo``), or by kind (``legacy``)."""

    order: Literal["", "fifo", "legacy"] = ""
    legacy_sort_options: LegacySortOptions | None = None


class KustomizationFields(Written, frozen=True, kw_only=True):
    """One kustomization file, as people write it."""

    api_version: str = ""
    kind: str = KUSTOMIZATION
    metadata: Any = None
    resources: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    namespace: str = ""
    name_prefix: str = ""
    name_suffix: str = ""
    labels: tuple[LabelSet, ...] = ()
    common_labels: dict[str, str] = msgspec.field(default_factory=dict)
    common_annotations: dict[str, str] = msgspec.field(default_factory=dict)
    images: tuple[ImageChange, ...] = ()
    image_tags: tuple[ImageChange, ...] = ()
    patches: tuple[PatchEntry, ...] = ()
    patches_strategic_merge: tuple[str, ...] = ()
    patches_json: tuple[PatchEntry, ...] = msgspec.field(name="patchesJson6902", default=())
    replacements: tuple[ReplacementFields, ...] = ()
    sort_options: SortOptions | None = None
