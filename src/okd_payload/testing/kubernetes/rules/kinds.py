# SPDX-License-Identifier: Apache-2.0
"""The rules of the built-in kinds, by kind, and what may not change in them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping

from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    list_at,
    metadata_of,
    name_of,
    object_at,
    text_at,
)
from okd_payload.testing.kubernetes.quantities import PATTERN, read_quantity
from okd_payload.testing.kubernetes.rules.pods import pod_problems
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    forbidden_field,
    invalid_value,
    required,
    too_long,
    unsupported,
)

MOST_DATA = 1_048_576
"""Bytes that a ConfigMap or a Secret may hold."""
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_DATA_KEY_WORDS = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_QUANTITIES = frozenset(
    {
        *("limits", "requests", "hard", "used", "capacity", "allocatable"),
        *("default", "defaultRequest", "max", "min", "maxLimitRequestRatio", "overhead"),
    }
)
_TYPED_DATA: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_CRON_FIELDS = 5
_CRON_NAMES = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly"})
_CRON_FIELD = re.compile(r"[-*/,0-9A-Za-z?]+")
_CHANGEABLE_POD_FIELDS = (
    "activeDeadlineSeconds",
    "terminationGracePeriodSeconds",
    "tolerations",
    "nodeName",
    "schedulingGates",
    "ephemeralContainers",
)
_MOST_CRON_NAME = 52


def decoding_problem(document: JsonObject) -> str:
    """What keeps the server from decoding an object at all; empty when nothing does."""
    wrong = next(_wrong_quantities(document), None)
    return f"quantities must match the regular expression '{PATTERN}'" if wrong else ""


def written_out(document: JsonObject) -> JsonObject:
    """A built-in object as the server keeps it: the texts of a Secret among its data."""
    if document.get("kind") != "Secret":
        return document
    texts = object_at(document, "stringData")
    data = {
        **object_at(document, "data"),
        **{name: base64.b64encode(str(text).encode()).decode() for name, text in texts.items()},
    }
    kept = {name: value for name, value in document.items() if name not in ("data", "stringData")}
    return {**kept, **({"data": data} if data else {}), "type": document.get("type") or "Opaque"}


def rule_problems(document: JsonObject) -> Iterator[Cause]:
    """Everything that an object breaks of the rules of its kind."""
    check = _RULES.get((str(document.get("apiVersion")), str(document.get("kind"))))
    if check is not None:
        yield from check(document)


def change_problems(before: JsonObject, after: JsonObject) -> Iterator[Cause]:
    """Everything that must not change in an object of this kind, and does."""
    kind = (str(after.get("apiVersion")), str(after.get("kind")))
    if kind == ("v1", "Pod") and _fixed_part(before) != _fixed_part(after):
        yield forbidden_field(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
            "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)",
        )
    if kind[1] in ("RoleBinding", "ClusterRoleBinding") and before.get("roleRef") != after.get(
        "roleRef"
    ):
        yield invalid_value("roleRef", after.get("roleRef"), "cannot change roleRef")
    if kind in (("v1", "Secret"), ("v1", "ConfigMap")) and before.get("immutable") is True:
        for field in ("data", "binaryData"):
            if before.get(field) != after.get(field):
                why = "field is immutable when `immutable` is set"
                yield forbidden_field(field, why)
    if kind == ("v1", "Secret") and before.get("type", "Opaque") != after.get("type", "Opaque"):
        yield invalid_value("type", after.get("type"), "field is immutable")
    if kind[1] in ("Job", "Deployment"):
        yield from _template_changes(before, after, kind[1])


def _template_changes(before: JsonObject, after: JsonObject, kind: str) -> Iterator[Cause]:
    fields = ("selector", "template") if kind == "Job" else ("selector",)
    for field in fields:
        was, now = object_at(before, "spec", field), object_at(after, "spec", field)
        if was != now and was:
            yield invalid_value(f"spec.{field}", now, "field is immutable")


def _fixed_part(pod: JsonObject) -> JsonObject:
    spec = dict(object_at(pod, "spec"))
    for name in _CHANGEABLE_POD_FIELDS:
        spec.pop(name, None)
    for name in ("containers", "initContainers"):
        if name in spec:
            spec[name] = [{**each, "image": ""} for each in spec[name]]
    return spec


def _check_config_map(document: JsonObject) -> Iterator[Cause]:
    text, binary = object_at(document, "data"), object_at(document, "binaryData")
    for field, values in (("data", text), ("binaryData", binary)):
        yield from _data_key_problems(values, field)
    for name in sorted(set(text) & set(binary)):
        yield invalid_value(f"data[{name}]", name, "duplicate of key present in binaryData")
    size = sum(len(str(each).encode()) for each in text.values())
    size += sum(_decoded_size(each) for each in binary.values())
    if size > MOST_DATA:
        yield too_long("[]", MOST_DATA)


def _check_secret(document: JsonObject) -> Iterator[Cause]:
    data = object_at(document, "data")
    yield from _data_key_problems(data, "data")
    size = sum(_decoded_size(each) for each in data.values())
    if size > MOST_DATA:
        yield too_long("data", MOST_DATA)
    for name in _TYPED_DATA.get(text_at(document, "type"), ()):
        if name not in data:
            yield required(f"data[{name}]")


def _data_key_problems(values: JsonObject, field: str) -> Iterator[Cause]:
    for name in sorted(values):
        if not _DATA_KEY.fullmatch(name):
            yield invalid_value(f"{field}[{name}]", name, _DATA_KEY_WORDS)


def _check_role(document: JsonObject) -> Iterator[Cause]:
    for number, rule in enumerate(list_at(document, "rules")):
        where = f"rules[{number}]"
        if not rule.get("verbs"):
            yield required(f"{where}.verbs", "verbs must contain at least one value")
        if rule.get("nonResourceURLs"):
            if document.get("kind") == "Role":
                why = "namespaced rules cannot apply to non-resource URLs"
                yield invalid_value(f"{where}.nonResourceURLs", rule["nonResourceURLs"], why)
            continue
        if not rule.get("apiGroups"):
            why = "resource rules must supply at least one api group"
            yield required(f"{where}.apiGroups", why)
        if not rule.get("resources"):
            why = "resource rules must supply at least one resource"
            yield required(f"{where}.resources", why)


def _check_binding(document: JsonObject) -> Iterator[Cause]:
    group = text_at(document, "roleRef", "apiGroup")
    rbac = "rbac.authorization.k8s.io"
    if group not in ("", rbac):
        yield unsupported("roleRef.apiGroup", group, [rbac])
    kinds = ["ClusterRole"]
    if document.get("kind") == "RoleBinding":
        kinds.insert(0, "Role")
    kind = text_at(document, "roleRef", "kind")
    if kind not in kinds:
        yield unsupported("roleRef.kind", kind, kinds)
    if not text_at(document, "roleRef", "name"):
        yield required("roleRef.name")
    for number, subject in enumerate(list_at(document, "subjects")):
        where = f"subjects[{number}]"
        if not subject.get("name"):
            yield required(f"{where}.name")
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            known = ["ServiceAccount", "User", "Group"]
            yield unsupported(f"{where}.kind", subject.get("kind"), known)
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            yield required(f"{where}.namespace")


def _check_job(document: JsonObject) -> Iterator[Cause]:
    yield from _job_problems(document, "spec")


def _job_problems(document: JsonObject, path: str) -> Iterator[Cause]:
    steps = path.split(".")
    template = object_at(document, *steps, "template")
    yield from pod_problems(object_at(template, "spec"), f"{path}.template.spec")
    policy = text_at(template, "spec", "restartPolicy")
    if policy not in ("Never", "OnFailure"):
        field = f"{path}.template.spec.restartPolicy"
        if policy:
            yield unsupported(field, policy, ["OnFailure", "Never"])
        else:
            yield required(field, 'valid values: "OnFailure", "Never"')


def _check_cron_job(document: JsonObject) -> Iterator[Cause]:
    if len(name_of(document)) > _MOST_CRON_NAME:
        why = f"must be no more than {_MOST_CRON_NAME} characters"
        yield invalid_value("metadata.name", name_of(document), why)
    schedule = text_at(document, "spec", "schedule")
    if not schedule:
        yield required("spec.schedule")
    elif schedule not in _CRON_NAMES and not _is_schedule(schedule):
        why = f"expected exactly {_CRON_FIELDS} fields, found {len(schedule.split())}: {schedule}"
        yield invalid_value("spec.schedule", schedule, why)
    policy = text_at(document, "spec", "concurrencyPolicy")
    if policy not in ("", "Allow", "Forbid", "Replace"):
        known = ["Allow", "Forbid", "Replace"]
        yield unsupported("spec.concurrencyPolicy", policy, known)
    yield from _job_problems(document, "spec.jobTemplate.spec")


def _is_schedule(schedule: str) -> bool:
    fields = schedule.split()
    return len(fields) == _CRON_FIELDS and all(_CRON_FIELD.fullmatch(each) for each in fields)


def _check_workload(document: JsonObject) -> Iterator[Cause]:
    template = object_at(document, "spec", "template")
    wanted = object_at(document, "spec", "selector", "matchLabels")
    labels = metadata_of(template).get("labels") or {}
    if not object_at(document, "spec", "selector"):
        yield required("spec.selector")
    elif any(labels.get(key) != value for key, value in wanted.items()):
        why = "`selector` does not match template `labels`"
        yield invalid_value("spec.template.metadata.labels", labels, why)
    yield from pod_problems(object_at(template, "spec"), "spec.template.spec")


def _check_claim(document: JsonObject) -> Iterator[Cause]:
    if not list_at(document, "spec", "accessModes"):
        yield required("spec.accessModes", "at least 1 access mode is required")
    if "storage" not in object_at(document, "spec", "resources", "requests"):
        yield required("spec.resources[storage]")


def _check_pod(document: JsonObject) -> Iterator[Cause]:
    yield from pod_problems(object_at(document, "spec"), "spec")


def _wrong_quantities(value: object, name: str = "") -> Iterator[str]:
    """Values of the document that should be quantities and are none."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in _QUANTITIES and isinstance(each, dict):
                yield from (
                    str(amount)
                    for amount in each.values()
                    if isinstance(amount, str | int | float) and read_quantity(amount) is None
                )
            else:
                yield from _wrong_quantities(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _wrong_quantities(each, name)


def _decoded_size(text: object) -> int:
    try:
        return len(base64.b64decode(str(text)))
    except (binascii.Error, ValueError):
        return 0


_RBAC = "rbac.authorization.k8s.io/v1"
_RULES: Mapping[tuple[str, str], Callable[[JsonObject], Iterator[Cause]]] = {
    ("v1", "Pod"): _check_pod,
    ("v1", "ConfigMap"): _check_config_map,
    ("v1", "Secret"): _check_secret,
    ("v1", "PersistentVolumeClaim"): _check_claim,
    ("batch/v1", "Job"): _check_job,
    ("batch/v1", "CronJob"): _check_cron_job,
    ("apps/v1", "Deployment"): _check_workload,
    ("apps/v1", "StatefulSet"): _check_workload,
    ("apps/v1", "DaemonSet"): _check_workload,
    ("apps/v1", "ReplicaSet"): _check_workload,
    (_RBAC, "Role"): _check_role,
    (_RBAC, "ClusterRole"): _check_role,
    (_RBAC, "RoleBinding"): _check_binding,
    (_RBAC, "ClusterRoleBinding"): _check_binding,
}
