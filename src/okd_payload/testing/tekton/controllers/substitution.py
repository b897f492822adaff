# SPDX-License-Identifier: Apache-2.0
"""Fills in the variables of a task, as the controller does before it makes a pod.

Values come from parameters, workspaces, results and the run. What is none of these stays as text,
as it does with Tekton.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    name_of,
    namespace_of,
    object_at,
    uid_of,
)

_VARIABLE = re.compile(r"\$\(([^()\s$]+)\)")
_BRACKETS = re.compile(r"\[(?:'([^']+)'|\"([^\"]+)\")\]")


class Values(msgspec.Struct, frozen=True):
    """What variables stand for."""

    texts: Mapping[str, str]
    lists: Mapping[str, list[str]] = {}
    """Variables that may stand for several entries of a list."""
    objects: Mapping[str, dict[str, str]] = {}
    """Variables that may stand for a whole object."""


def fill_in(value: Any, values: Values) -> Any:
    """``value`` with all variables that are known replaced, in texts at any depth."""
    if isinstance(value, str):
        return _fill_text(value, values)
    if isinstance(value, dict):
        return {key: fill_in(it, values) for key, it in value.items()}
    if isinstance(value, list):
        filled: list[Any] = []
        for it in value:
            whole = _list_of(it, values) if isinstance(it, str) else None
            filled += whole if whole is not None else [fill_in(it, values)]
        return filled
    return value


def fill_in_params(params: list[JsonObject], values: Values) -> list[JsonObject]:
    """Parameters that are given, where a reference to a whole list or object becomes one."""
    return [{**it, "value": _fill_whole(it["value"], values)} for it in params]


def values_of(run: JsonObject, spec: JsonObject, retry: int) -> Values:
    """What the variables of a task stand for in a run."""
    texts = {
        "context.taskRun.name": name_of(run),
        "context.taskRun.namespace": namespace_of(run),
        "context.taskRun.uid": uid_of(run),
        "context.task.name": object_at(run, "spec", "taskRef").get("name") or name_of(run),
        "context.task.retry-count": str(retry),
    }
    for result in list_at(spec, "results"):
        texts[f"results.{result['name']}.path"] = f"/tekton/results/{result['name']}"
    bound = {it["name"]: it for it in list_at(run, "spec", "workspaces")}
    for workspace in list_at(spec, "workspaces"):
        texts |= _workspace(workspace, bound.get(workspace["name"]))
    params = param_values(list_at(run, "spec", "params"), list_at(spec, "params"))
    return msgspec.structs.replace(params, texts={**texts, **params.texts})


def param_values(given: list[JsonObject], declared: list[JsonObject]) -> Values:
    """The variables of parameters, by their names with ``params.`` in front."""
    values = {it["name"]: it["default"] for it in declared if "default" in it}
    for param in given:
        default, value = values.get(param["name"]), param["value"]
        if isinstance(default, dict) and isinstance(value, dict):
            value = {**default, **value}
        values[param["name"]] = value
    return spread({f"params.{name}": value for name, value in values.items()})


def spread(values: Mapping[str, Any]) -> Values:
    """The variables for values of any type: the whole, its entries, its fields."""
    texts: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    objects: dict[str, dict[str, str]] = {}
    for key, value in values.items():
        if isinstance(value, str):
            texts[key] = value
        elif isinstance(value, list):
            lists[key] = value
            texts |= {f"{key}[{index}]": it for index, it in enumerate(value)}
        elif isinstance(value, dict):
            objects[key] = value
            texts |= {f"{key}.{field}": it for field, it in value.items()}
    return Values(texts, lists, objects)


def _workspace(declared: JsonObject, binding: JsonObject | None) -> dict[str, str]:
    name = declared["name"]
    path = declared.get("mountPath") or f"/workspace/{name}"
    claim = object_at(binding or {}, "persistentVolumeClaim").get("claimName", "")
    return {
        f"workspaces.{name}.path": path if binding is not None else "",
        f"workspaces.{name}.bound": "true" if binding is not None else "false",
        f"workspaces.{name}.claim": claim,
    }


def _fill_text(text: str, values: Values) -> str:
    if "$(" not in text:
        return text
    return _VARIABLE.sub(lambda it: values.texts.get(_key(it[1]), it[0]), text)


def _fill_whole(value: Any, values: Values) -> Any:
    match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    if match is not None and match[1].endswith("[*]"):
        key = _key(match[1]).removesuffix("[*]")
        whole = values.lists.get(key) or values.objects.get(key)
        if whole is not None:
            return whole
    return fill_in(value, values)


def _list_of(text: str, values: Values) -> list[str] | None:
    match = _VARIABLE.fullmatch(text)
    return None if match is None else values.lists.get(_key(match[1]).removesuffix("[*]"))


def _key(variable: str) -> str:
    """``params['a.b']`` as ``params.a.b``."""
    return _BRACKETS.sub(lambda it: f".{it[1] or it[2]}", variable)
