# SPDX-License-Identifier: Apache-2.0
"""The rules for the specifications of pods, with the texts of the API server.

From ``ValidatePodSpec`` of Kubernetes, as far as what the engines write can break them. What is not
here is let through: this is no proof that a real server takes a pod.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from okd_payload.testing.kubernetes.documents import JsonObject, list_at, object_at
from okd_payload.testing.kubernetes.metadata import (
    key_problems,
    label_name_problems,
    label_value_problems,
    subdomain_problems,
)
from okd_payload.testing.kubernetes.quantities import read_quantity
from okd_payload.testing.kubernetes.statuses import (
    Cause,
    absent,
    duplicate,
    forbidden_field,
    invalid_value,
    required,
    unsupported,
)

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_OVERCOMMITTED = frozenset({"cpu", "memory", "ephemeral-storage"})
"""Resources of which less may be requested than is allowed."""
_ENVIRONMENT_NAME = re.compile(r"[^\x00-\x1f=\x7f]+")


def pod_problems(spec: JsonObject, path: str) -> Iterator[Cause]:
    """Everything that a pod with this specification breaks."""
    volumes = [str(each.get("name", "")) for each in list_at(spec, "volumes")]
    yield from _volume_problems(spec, path)
    containers = list_at(spec, "containers")
    if not containers:
        yield required(f"{path}.containers")
    names: set[str] = set()
    for group in ("initContainers", "containers"):
        for number, container in enumerate(list_at(spec, group)):
            where = f"{path}.{group}[{number}]"
            name = str(container.get("name", ""))
            if name in names and name:
                yield duplicate(f"{where}.name", name)
            names.add(name)
            yield from _container_problems(container, volumes, where)
    policy = spec.get("restartPolicy", "Always")
    if policy not in _RESTART_POLICIES:
        yield unsupported(f"{path}.restartPolicy", policy, _RESTART_POLICIES)
    dns = spec.get("dnsPolicy", "ClusterFirst")
    if dns not in _DNS_POLICIES:
        yield unsupported(f"{path}.dnsPolicy", dns, _DNS_POLICIES)
    yield from _selector_problems(object_at(spec, "nodeSelector"), f"{path}.nodeSelector")
    for why in subdomain_problems(str(spec.get("serviceAccountName") or "default")):
        yield invalid_value(f"{path}.serviceAccountName", spec["serviceAccountName"], why)
    yield from _identity_problems(object_at(spec, "securityContext"), f"{path}.securityContext")


def _volume_problems(spec: JsonObject, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for number, volume in enumerate(list_at(spec, "volumes")):
        where = f"{path}.volumes[{number}]"
        name = str(volume.get("name", ""))
        if not name:
            yield required(f"{where}.name")
        for why in label_name_problems(name) if name else ():
            yield invalid_value(f"{where}.name", name, why)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if not sources:
            yield required(where, "must specify a volume type")
        for extra in sources[1:]:
            yield forbidden_field(f"{where}.{extra}", "may not specify more than 1 volume type")


def _container_problems(container: JsonObject, volumes: list[str], path: str) -> Iterator[Cause]:
    name = str(container.get("name", ""))
    if "name" in container and not name:
        yield required(f"{path}.name")
    for why in label_name_problems(name) if name else ():
        yield invalid_value(f"{path}.name", name, why)
    image = str(container.get("image", ""))
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        why = "must not have leading or trailing whitespace"
        yield invalid_value(f"{path}.image", image, why)
    policy = container.get("imagePullPolicy", "Always")
    if policy not in _PULL_POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", policy, _PULL_POLICIES)
    yield from _environment_problems(container, path)
    yield from _mount_problems(container, volumes, path)
    yield from _resource_problems(object_at(container, "resources"), f"{path}.resources")
    yield from _security_problems(object_at(container, "securityContext"), path)


def _environment_problems(container: JsonObject, path: str) -> Iterator[Cause]:
    for number, variable in enumerate(list_at(container, "env")):
        where = f"{path}.env[{number}]"
        name = str(variable.get("name", ""))
        if not name:
            yield required(f"{where}.name")
        elif not _ENVIRONMENT_NAME.fullmatch(name):
            why = (
                "a valid environment variable name must consist only of printable ASCII "
                "characters other than '='"
            )
            yield invalid_value(f"{where}.name", name, why)
        if variable.get("value") and variable.get("valueFrom"):
            why = "may not be specified when `value` is not empty"
            yield invalid_value(f"{where}.valueFrom", "", why)


def _mount_problems(container: JsonObject, volumes: list[str], path: str) -> Iterator[Cause]:
    places: set[str] = set()
    for number, mount in enumerate(list_at(container, "volumeMounts")):
        where = f"{path}.volumeMounts[{number}]"
        name, place = str(mount.get("name", "")), str(mount.get("mountPath", ""))
        if not name:
            yield required(f"{where}.name")
        elif name not in volumes:
            yield absent(f"{where}.name", name)
        if not place:
            yield required(f"{where}.mountPath")
        elif place in places:
            yield invalid_value(f"{where}.mountPath", place, "must be unique")
        places.add(place)
        inside = str(mount.get("subPath", ""))
        if inside.startswith("/"):
            yield invalid_value(f"{where}.subPath", inside, "must be a relative path")
        if ".." in inside.split("/"):
            yield invalid_value(f"{where}.subPath", inside, "must not contain '..'")


def _resource_problems(resources: JsonObject, path: str) -> Iterator[Cause]:
    limits, requests = object_at(resources, "limits"), object_at(resources, "requests")
    for group, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            amount = read_quantity(value)
            if amount is not None and amount.amount < 0:
                why = "must be greater than or equal to 0"
                yield invalid_value(f"{path}.{group}[{name}]", value, why)
    for name, value in requests.items():
        wanted, most = read_quantity(value), read_quantity(limits.get(name))
        if wanted is None or most is None:
            continue
        if wanted.amount > most.amount:
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid_value(f"{path}.requests", value, why)
        elif name not in _OVERCOMMITTED and wanted.amount != most.amount:
            why = f"must be equal to {name} limit of {limits[name]}"
            yield invalid_value(f"{path}.requests", value, why)


def _security_problems(context: JsonObject, path: str) -> Iterator[Cause]:
    where = f"{path}.securityContext"
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged") is True:
            why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid_value(where, "", why)
        elif "CAP_SYS_ADMIN" in list_at(context, "capabilities", "add"):
            why = (
                "cannot set `allowPrivilegeEscalation` to false and "
                "`capabilities.Add` CAP_SYS_ADMIN"
            )
            yield invalid_value(where, "", why)
    yield from _identity_problems(context, where)


def _identity_problems(context: JsonObject, path: str) -> Iterator[Cause]:
    for name in ("runAsUser", "runAsGroup", "fsGroup"):
        value = context.get(name)
        if isinstance(value, int) and not 0 <= value <= 2**31 - 1:
            why = "must be between 0 and 2147483647, inclusive"
            yield invalid_value(f"{path}.{name}", value, why)
    profile = object_at(context, "seccompProfile")
    kind = profile.get("type", "Unconfined")
    if kind not in ("Localhost", "RuntimeDefault", "Unconfined"):
        known = ["Localhost", "RuntimeDefault", "Unconfined"]
        yield unsupported(f"{path}.seccompProfile.type", kind, known)
    if kind == "Localhost" and not profile.get("localhostProfile"):
        why = "must be set when seccomp type is Localhost"
        yield required(f"{path}.seccompProfile.localhostProfile", why)


def _selector_problems(labels: JsonObject, path: str) -> Iterator[Cause]:
    for key, value in sorted(labels.items()):
        for why in key_problems(key):
            yield invalid_value(path, key, why)
        for why in label_value_problems(str(value)):
            yield invalid_value(path, value, why)
