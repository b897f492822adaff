# SPDX-License-Identifier: Apache-2.0
"""Objects of ``tekton.dev/v1beta1``: how they become ``v1``, and how they are shown again.

Tekton stores v1 and converts both ways. What is called otherwise in the old version is renamed;
bundles are gone. Only what runs and tasks consist of is converted, without old kinds of resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from okd_payload.testing.kubernetes.documents import JsonObject, object_at

OLD = "v1beta1"
_STEP_NAMES = {"resources": "computeResources"}
_RUN_NAMES = {"stepOverrides": "stepSpecs", "sidecarOverrides": "sidecarSpecs"}
_TASK_RUN_SPEC_NAMES = {
    "taskServiceAccountName": "serviceAccountName",
    "taskPodTemplate": "podTemplate",
}
_TEMPLATE = ("serviceAccountName", "podTemplate")


def convert(document: JsonObject, version: str) -> JsonObject:
    """The object in the version ``v1`` or ``v1beta1``."""
    old = version == OLD
    spec = object_at(document, "spec")
    converters: dict[str, Callable[[JsonObject], JsonObject]] = {
        "Task": _task_to_old if old else _task_to_new,
        "Pipeline": lambda it: _pipeline(it, _task_to_old if old else _task_to_new),
        "TaskRun": _task_run_to_old if old else _task_run_to_new,
        "PipelineRun": _pipeline_run_to_old if old else _pipeline_run_to_new,
    }
    kind = str(document.get("kind", ""))
    if kind not in converters:
        return document
    converted = {**document, "apiVersion": f"tekton.dev/{version}", "spec": converters[kind](spec)}
    if old and kind in {"TaskRun", "PipelineRun"} and "status" not in document:
        converted["status"] = {"podName": ""} if kind == "TaskRun" else {}
    return converted


def has_bundle(document: Mapping[str, Any]) -> str:
    """The field with a bundle, which nobody may set any longer; empty when there is none."""
    for field in ("taskRef", "pipelineRef"):
        if (document.get("spec") or {}).get(field, {}).get("bundle"):
            return f"spec.{field}.bundle"
    return ""


def _task_to_new(spec: JsonObject) -> JsonObject:
    return _task(spec, _STEP_NAMES)


def _task_to_old(spec: JsonObject) -> JsonObject:
    return _task(spec, _reversed(_STEP_NAMES))


def _task(spec: JsonObject, names: Mapping[str, str]) -> JsonObject:
    converted = dict(spec)
    for field in ("steps", "sidecars"):
        if isinstance(spec.get(field), list):
            converted[field] = [_rename(it, names) for it in spec[field]]
    if isinstance(spec.get("stepTemplate"), dict):
        converted["stepTemplate"] = _rename(spec["stepTemplate"], names)
    return converted


def _pipeline(spec: JsonObject, convert_task: Callable[[JsonObject], JsonObject]) -> JsonObject:
    converted = dict(spec)
    for field in ("tasks", "finally"):
        if isinstance(spec.get(field), list):
            converted[field] = [
                {**it, "taskSpec": convert_task(it["taskSpec"])} if it.get("taskSpec") else it
                for it in spec[field]
            ]
    return converted


def _task_run_to_new(spec: JsonObject) -> JsonObject:
    converted = _rename(spec, _RUN_NAMES)
    if spec.get("taskSpec"):
        converted["taskSpec"] = _task_to_new(spec["taskSpec"])
    return converted


def _task_run_to_old(spec: JsonObject) -> JsonObject:
    converted = _rename(spec, _reversed(_RUN_NAMES))
    if spec.get("taskSpec"):
        converted["taskSpec"] = _task_to_old(spec["taskSpec"])
    return converted


def _pipeline_run_to_new(spec: JsonObject) -> JsonObject:
    converted = {key: it for key, it in spec.items() if key not in {*_TEMPLATE, "timeout"}}
    template = {key: spec[key] for key in _TEMPLATE if key in spec}
    if template:
        converted["taskRunTemplate"] = template
    if spec.get("timeout"):
        converted["timeouts"] = {**object_at(spec, "timeouts"), "pipeline": spec["timeout"]}
    if spec.get("pipelineSpec"):
        converted["pipelineSpec"] = _pipeline(spec["pipelineSpec"], _task_to_new)
    if spec.get("taskRunSpecs"):
        converted["taskRunSpecs"] = [
            _rename(it, _TASK_RUN_SPEC_NAMES) for it in spec["taskRunSpecs"]
        ]
    return converted


def _pipeline_run_to_old(spec: JsonObject) -> JsonObject:
    converted = {key: it for key, it in spec.items() if key != "taskRunTemplate"}
    converted |= object_at(spec, "taskRunTemplate")
    if spec.get("pipelineSpec"):
        converted["pipelineSpec"] = _pipeline(spec["pipelineSpec"], _task_to_old)
    if spec.get("taskRunSpecs"):
        names = _reversed(_TASK_RUN_SPEC_NAMES)
        converted["taskRunSpecs"] = [_rename(it, names) for it in spec["taskRunSpecs"]]
    return converted


def _rename(document: JsonObject, names: Mapping[str, str]) -> JsonObject:
    return {names.get(key, key): it for key, it in document.items()}


def _reversed(names: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in names.items()}
