# SPDX-License-Identifier: Apache-2.0
"""The TaskRun of a BuildRun: a strategy's steps, with the parameters of the build."""

from __future__ import annotations

from typing import Any

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    metadata_of,
    name_of,
    namespace_of,
    object_at,
    text_at,
)
from okd_payload.testing.shipwright.strategies import combined_values, strategy_label
from okd_payload.testing.tekton.controllers.pods import owner_of

_ROOT = "/workspace/source"
_OWN_PARAMETERS = {
    "shp-output-image": "The URL of the image that the build produces",
    "shp-output-insecure": (
        "A flag indicating that the output image is on an insecure container registry"
    ),
    "shp-source-context": "The context directory inside the source directory",
    "shp-source-root": "The source directory",
}
_RESULTS = {
    "shp-image-digest": "The digest of the image",
    "shp-image-size": "The compressed size of the image",
    "shp-image-vulnerabilities": "List of vulnerabilities",
    "shp-error-message": "The error description of the task run",
    "shp-error-reason": "The error reason of the task run",
}
_SOURCE_RESULTS = ("commit-sha", "commit-author", "branch-name", "source-timestamp")
_STEP_FIELDS = (
    "name",
    "image",
    "command",
    "args",
    "workingDir",
    "securityContext",
    "volumeMounts",
    "imagePullPolicy",
)


def task_run_of(
    run: JsonObject, build: JsonObject, strategy: JsonObject, *, account: str
) -> JsonObject:
    """The TaskRun that carries out ``run`` of the specification ``build``."""
    spec = object_at(run, "spec")
    values = combined_values(build, spec)
    output = object_at(build, "output") | object_at(spec, "output")
    given = {
        "shp-output-image": output.get("image", ""),
        "shp-output-insecure": "true" if output.get("insecure") else "false",
        "shp-source-root": _ROOT,
        "shp-source-context": "/".join(
            it for it in (_ROOT, text_at(build, "source", "contextDir")) if it
        ),
    }
    labels = {
        key: it
        for key, it in (metadata_of(run).get("labels") or {}).items()
        if key.startswith("build.shipwright.io/")
    }
    labels |= {
        "buildrun.shipwright.io/generation": str(metadata_of(run).get("generation", 1)),
        "buildrun.shipwright.io/name": name_of(run),
    }
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "generateName": f"{name_of(run)}-",
            "namespace": namespace_of(run),
            "labels": labels | strategy_label(strategy),
            "ownerReferences": [owner_of(run)],
        },
        "spec": {
            "params": [
                *({"name": name, "value": value} for name, value in given.items()),
                *({"name": it["name"], "value": _value_of(it)} for it in values),
            ],
            "serviceAccountName": account,
            "taskSpec": _task_spec(build, spec, strategy),
            "timeout": spec.get("timeout") or build.get("timeout") or "1h0m0s",
            "workspaces": [{"name": "source", "emptyDir": {}}],
        },
    }


def _task_spec(build: JsonObject, run: JsonObject, strategy: JsonObject) -> JsonObject:
    variables = list(
        {it["name"]: it for it in [*list_at(build, "env"), *list_at(run, "env")]}.values()
    )
    own = [
        {"name": name, "description": text, "type": "string"}
        for name, text in _OWN_PARAMETERS.items()
    ]
    steps = [_step(it, variables) for it in list_at(strategy, "spec", "steps")]
    results = [
        {"name": name, "description": text, "type": "string"} for name, text in _RESULTS.items()
    ]
    if text_at(build, "source", "type") == "Git":
        steps.insert(0, _source_step(build))
        results += [
            {"name": f"shp-source-default-{it}", "type": "string"} for it in _SOURCE_RESULTS
        ]
    return {
        "params": own + [_parameter(it) for it in list_at(strategy, "spec", "parameters")],
        "results": results,
        "steps": steps,
        "volumes": _volumes(build, run, strategy),
        "workspaces": [{"name": "source"}],
    }


def _step(step: JsonObject, variables: list[JsonObject]) -> JsonObject:
    copied = {key: step[key] for key in _STEP_FIELDS if key in step}
    env = [*list_at(step, "env"), *variables]
    if env:
        copied["env"] = env
    copied["computeResources"] = step.get("resources") or {}
    return copied


def _source_step(build: JsonObject) -> JsonObject:
    """What fetches the source: a step of Shipwright's own, before those of the strategy."""
    git = object_at(build, "source", "git")
    arguments = ["--url", git.get("url", ""), "--target", "$(params.shp-source-root)"]
    if git.get("revision"):
        arguments += ["--revision", git["revision"]]
    return {
        "name": "source-default",
        "image": "localhost/shipwright/git:1",
        "command": ["/ko-app/git"],
        "args": arguments,
        "computeResources": {},
    }


def _parameter(parameter: JsonObject) -> JsonObject:
    listed = parameter.get("type") == "array"
    declared: JsonObject = {
        "name": parameter["name"],
        "description": parameter.get("description", ""),
        "type": "array" if listed else "string",
    }
    default = parameter.get("defaults" if listed else "default")
    if default is not None:
        declared["default"] = default
    return declared


def _value_of(value: JsonObject) -> Any:
    if "values" in value:
        return [it.get("value", "") for it in value["values"]]
    return value.get("value", "")


def _volumes(build: JsonObject, run: JsonObject, strategy: JsonObject) -> list[JsonObject]:
    """The volumes of the strategy; a build may put others in the place of those it may change."""
    given = {it["name"]: it for it in [*list_at(build, "volumes"), *list_at(run, "volumes")]}
    volumes = []
    for volume in list_at(strategy, "spec", "volumes"):
        chosen = given.get(volume["name"], volume) if volume.get("overridable") else volume
        source = {
            key: it for key, it in chosen.items() if key not in {"overridable", "description"}
        }
        volumes.append(source)
    return volumes
