# SPDX-License-Identifier: Apache-2.0
"""What the controller finds out about a TaskRun before it makes a pod, with Tekton's words."""

from __future__ import annotations

import re
from typing import Any

from okd_payload.testing.kubernetes.documents import JsonObject, list_at

_INDEXED = re.compile(r"\$\(params\.([_a-zA-Z][_a-zA-Z0-9-]*)\[([0-9]+)\]\)")


def validate_task_run(run: JsonObject, spec: JsonObject, task: str) -> str:
    """Why the run cannot be tried at all; empty when it can."""
    problem = validate_params(list_at(run, "spec", "params"), list_at(spec, "params"))
    if problem:
        return f"[User error] invalid input params for task {task}: {problem}"
    problem = _indexes(run, spec)
    if problem:
        return f"[User error] non-existent param references:[{problem}]"
    bound = {it["name"] for it in list_at(run, "spec", "workspaces")}
    for workspace in list_at(spec, "workspaces"):
        if workspace["name"] not in bound and not workspace.get("optional"):
            name = workspace["name"]
            return f'[User error] declared workspace "{name}" is required but has not been bound'
    return ""


def validate_params(given: list[JsonObject], declared: list[JsonObject]) -> str:
    """Which parameters are missing, of another type, or lack keys; empty when all fit."""
    values = {it["name"]: it["value"] for it in given}
    missing = [it["name"] for it in declared if it["name"] not in values and "default" not in it]
    if missing:
        names = " ".join(missing)
        return f"missing values for these params which have no default values: [{names}]"
    wrong = [
        it["name"]
        for it in declared
        if it["name"] in values and _type_of(values[it["name"]]) != it.get("type", "string")
    ]
    if wrong:
        return f"param types don't match the user-specified type: [{' '.join(wrong)}]"
    lacking = []
    for param in declared:
        value = values.get(param["name"], param.get("default"))
        if param.get("type") == "object" and isinstance(value, dict):
            default = param.get("default")
            known = {**(default if isinstance(default, dict) else {}), **value}
            keys = [key for key in param.get("properties", {}) if key not in known]
            if keys:
                lacking.append(f"{param['name']}:[{' '.join(keys)}]")
    if lacking:
        what = "missing keys for these params which are required in ParamSpec's properties"
        return f"{what} map[{' '.join(lacking)}]"
    return ""


def _indexes(run: JsonObject, spec: JsonObject) -> str:
    """References beyond the end of lists that are given."""
    lengths = {
        it["name"]: len(it["value"])
        for it in list_at(run, "spec", "params")
        if isinstance(it["value"], list)
    }
    texts = [text for step in list_at(spec, "steps") for text in _texts(step)]
    found = {
        match[0]
        for text in texts
        for match in _INDEXED.finditer(text)
        if match[1] in lengths and int(match[2]) >= lengths[match[1]]
    }
    return " ".join(sorted(found))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for it in value for text in _texts(it)]
    return []


def _type_of(value: Any) -> str:
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
