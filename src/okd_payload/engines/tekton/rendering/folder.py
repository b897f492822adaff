# SPDX-License-Identifier: Apache-2.0
"""The rendered objects as a folder for kustomize: a base, and an overlay for each variant.

base/               the Tasks, the same for all variants
overlays/NAME/      the Pipeline of a variant; `kubectl apply -k overlays/NAME`
overlays/custom/    where to begin with values of one's own, kept when it is there already
runs/NAME.yaml      a PipelineRun, for `kubectl create -f`
"""

from __future__ import annotations

from collections.abc import Sequence

from okd_payload.build.plan import Node
from okd_payload.build.work_graph import work_graph
from okd_payload.engines.manifests import (
    Kustomization,
    Patch,
    PatchTarget,
    TextFile,
    make_kustomization,
    write_documents,
)
from okd_payload.engines.tekton.rendering.model import RenderSettings, Variant
from okd_payload.engines.tekton.rendering.names import name_tasks
from okd_payload.engines.tekton.rendering.objects import Pipeline
from okd_payload.engines.tekton.rendering.pipeline import render_pipeline
from okd_payload.engines.tekton.rendering.run import render_run
from okd_payload.engines.tekton.rendering.tasks import render_tasks
from okd_payload.errors import InputError

CUSTOM = "custom"
_KUSTOMIZATION = "kustomization.yaml"
CUSTOM_FILE = f"overlays/{CUSTOM}/{_KUSTOMIZATION}"
"""The file that belongs to people."""
_HEAD = ("Rendered by okd-payload: change the stream and render again, not this file.",)
_CUSTOMISED = (
    "content-repository",
    "release-repository",
    "image",
)


def render_folder(
    variants: Sequence[Variant], settings: RenderSettings, *, custom: bool = True
) -> tuple[TextFile, ...]:
    """All files for ``variants``; with ``custom``, an overlay for people to change, too.

    Raises InputError when two variants have the same name, or resources are no quantities.
    """
    _check_names(variants)
    nodes: list[Node] = [
        variant.plan.nodes[name] for variant in variants for name in work_graph(variant.plan).waits
    ]
    tasks = render_tasks(nodes, settings.tool)
    files = [
        TextFile(f"base/tasks/{task.metadata.name}.yaml", write_documents([task], comment=_HEAD))
        for task in tasks
    ]
    resources = tuple(f"tasks/{task.metadata.name}.yaml" for task in tasks)
    files.append(_kustomization("base", make_kustomization(resources=resources)))
    for variant in variants:
        folder = f"overlays/{_folder_of(variant)}"
        pipeline = render_pipeline(variant, settings)
        run = render_run(variant, settings)
        files += [
            TextFile(f"{folder}/pipeline.yaml", write_documents([pipeline], comment=_HEAD)),
            _kustomization(folder, make_kustomization(resources=("../../base", "pipeline.yaml"))),
            TextFile(
                f"runs/{_folder_of(variant)}.yaml",
                write_documents([run], comment=("Start it with `kubectl create -f`.",)),
            ),
        ]
        if custom:
            files.append(_custom(_folder_of(variant), pipeline))
            custom = False
    return tuple(files)


def _custom(overlay: str, pipeline: Pipeline) -> TextFile:
    """An overlay on ``overlay`` with values to be changed; they are those that count now."""
    lines = []
    for number, parameter in enumerate(pipeline.spec.params):
        if parameter.name in _CUSTOMISED:
            value = parameter.default if isinstance(parameter.default, str) else ""
            lines += [
                "- op: add",
                f"  path: /spec/params/{number}/default  # {parameter.name}",
                f'  value: "{value}"',
            ]
    patch = Patch(
        patch="".join(f"{line}\n" for line in lines),
        target=PatchTarget(kind="Pipeline", name=pipeline.metadata.name),
    )
    text = write_documents(
        [make_kustomization(resources=(f"../{overlay}",), patches=(patch,))],
        comment=("Yours: put your values in. Rendering again keeps this file.",),
    )
    return TextFile(CUSTOM_FILE, text)


def _kustomization(folder: str, value: Kustomization) -> TextFile:
    return TextFile(f"{folder}/{_KUSTOMIZATION}", write_documents([value], comment=_HEAD))


def _folder_of(variant: Variant) -> str:
    return name_tasks([variant.name])[variant.name]


def _check_names(variants: Sequence[Variant]) -> None:
    seen: set[str] = set()
    for variant in variants:
        if variant.name in seen or variant.name == CUSTOM:
            raise InputError(
                f"two overlays would be called {variant.name}", hint="name each variant once"
            )
        seen.add(variant.name)
