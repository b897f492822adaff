# SPDX-License-Identifier: Apache-2.0
"""The pod of a TaskRun, as Tekton makes it: steps as containers, workspaces as volumes.

Enough of the real pod for whoever looks at labels, owners, images, resources, privileges and
volumes. The entrypoint that makes steps wait for each other is named, not imitated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    labels_of,
    list_at,
    metadata_of,
    name_of,
    namespace_of,
    object_at,
    text_at,
    uid_of,
)

RELEASE = ("pipeline.tekton.dev/release", "unknown")
"""The annotation by which a controller marks what it has seen."""

_COPIED = (
    "image",
    "env",
    "envFrom",
    "securityContext",
    "volumeMounts",
    "volumeDevices",
    "workingDir",
    "imagePullPolicy",
)
_TEMPLATE = (
    "nodeSelector",
    "tolerations",
    "affinity",
    "securityContext",
    "runtimeClassName",
    "automountServiceAccountToken",
    "imagePullSecrets",
    "hostNetwork",
    "hostUsers",
    "priorityClassName",
    "schedulerName",
    "dnsPolicy",
)
_ENTRYPOINT = "tekton/entrypoint:1"
_SOURCES = ("emptyDir", "configMap", "secret", "persistentVolumeClaim", "projected", "csi")


def pod_of(run: JsonObject, spec: JsonObject, name: str) -> JsonObject:
    """The pod that runs ``spec``, a task whose variables are filled in."""
    steps, sidecars = list_at(spec, "steps"), list_at(spec, "sidecars")
    mounts = [
        {"name": f"ws-{index}", "mountPath": path}
        for index, (_, path) in enumerate(_workspaces(run, spec))
    ]
    own = {it["name"]: it.get("computeResources") for it in list_at(run, "spec", "stepSpecs")}
    containers = [
        _container(
            f"step-{step_name(step, index)}",
            step,
            mounts=mounts,
            template=object_at(spec, "stepTemplate"),
            resources=own.get(step.get("name")),
        )
        for index, step in enumerate(steps)
    ]
    containers += [_container(f"sidecar-{it['name']}", it, mounts=mounts) for it in sidecars]
    template = object_at(run, "spec", "podTemplate")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace_of(run),
            "labels": labels_of(run)
            | {"tekton.dev/taskRun": name_of(run), "tekton.dev/taskRunUID": uid_of(run)},
            "annotations": dict(metadata_of(run).get("annotations") or {}) | dict([RELEASE]),
            "ownerReferences": [owner_of(run)],
        },
        "spec": {
            **{key: template[key] for key in _TEMPLATE if key in template},
            "restartPolicy": "Never",
            "serviceAccountName": text_at(run, "spec", "serviceAccountName"),
            "initContainers": list(_init_containers(steps, sidecars)),
            "containers": containers,
            "volumes": [
                {"name": "tekton-internal-workspace", "emptyDir": {}},
                *list_at(spec, "volumes"),
                *list_at(template, "volumes"),
                *(volume for volume, _ in _workspaces(run, spec)),
            ],
        },
    }


def owner_of(document: JsonObject) -> JsonObject:
    """The reference by which what is made is owned by ``document``."""
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": name_of(document),
        "uid": uid_of(document),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claims_of(run: JsonObject) -> Iterator[JsonObject]:
    """The claims that a run makes from the templates of its workspaces."""
    for binding in list_at(run, "spec", "workspaces"):
        template = binding.get("volumeClaimTemplate")
        if template:
            yield {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    **{key: it for key, it in metadata_of(template).items() if it},
                    "name": claim_name(run, binding["name"]),
                    "namespace": namespace_of(run),
                    "ownerReferences": [owner_of(run)],
                },
                "spec": template.get("spec", {}),
            }


def claim_name(run: JsonObject, workspace: str) -> str:
    """The name of the claim for a workspace of a run: a hash, as with Tekton."""
    text = f"{workspace}/{namespace_of(run)}/{uid_of(run)}"
    return f"pvc-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def step_name(step: JsonObject, index: int) -> str:
    """The name of a step, also of one without."""
    return step.get("name") or f"unnamed-{index}"


def _container(
    name: str,
    step: JsonObject,
    *,
    mounts: list[JsonObject],
    template: JsonObject | None = None,
    resources: JsonObject | None = None,
) -> JsonObject:
    template = template or {}
    merged: dict[str, Any] = {key: template[key] for key in _COPIED if key in template}
    merged |= {key: step[key] for key in _COPIED if key in step}
    variables = (*list_at(template, "env"), *list_at(step, "env"))
    merged["env"] = list({it["name"]: it for it in variables}.values())
    merged["volumeMounts"] = [*list_at(step, "volumeMounts"), *mounts]
    wanted = resources or step.get("computeResources") or template.get("computeResources") or {}
    return {
        "name": name,
        **{key: value for key, value in merged.items() if value},
        "command": ["/tekton/bin/entrypoint"],
        "args": [*step.get("command", []), "--", *step.get("args", [])],
        "resources": wanted,
    }


def _init_containers(steps: list[JsonObject], sidecars: list[JsonObject]) -> Iterator[JsonObject]:
    yield {"name": "prepare", "image": _ENTRYPOINT, "resources": {}}
    if any(it.get("script") for it in (*steps, *sidecars)):
        yield {"name": "place-scripts", "image": _ENTRYPOINT, "resources": {}}


def _workspaces(run: JsonObject, spec: JsonObject) -> list[tuple[JsonObject, str]]:
    """The volume of each workspace that is bound, and where steps see it."""
    bound = {it["name"]: it for it in list_at(run, "spec", "workspaces")}
    found: list[tuple[JsonObject, str]] = []
    for workspace in list_at(spec, "workspaces"):
        binding = bound.get(workspace["name"])
        if binding is None:
            continue
        source = {key: binding[key] for key in _SOURCES if key in binding}
        if "volumeClaimTemplate" in binding:
            claim = claim_name(run, workspace["name"])
            source = {"persistentVolumeClaim": {"claimName": claim}}
        path = workspace.get("mountPath") or f"/workspace/{workspace['name']}"
        found.append(({"name": f"ws-{len(found)}", **source}, path))
    return found
