# SPDX-License-Identifier: Apache-2.0
"""Pod security: what the labels of a namespace let its pods do.

The levels ``baseline`` and ``restricted``, by the rules of the Pod Security Standards and with
their texts, in the order in which the server tells them. Seccomp and AppArmor by annotation,
Windows, and exemptions are not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject, labels_of, list_at, object_at
from okd_payload.testing.kubernetes.statuses import forbidden

_LABEL = "pod-security.kubernetes.io/"
_BASE_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"),
        *("NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
_VOLUMES = frozenset(
    {
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"),
        *("persistentVolumeClaim", "projected", "secret"),
    }
)
_SYSCTLS = frozenset(
    {
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range"),
        *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports"),
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout"),
        *("net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
    }
)
_GOOD_SECCOMP = ("RuntimeDefault", "Localhost")
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_TEMPLATES = {
    "deployments.apps": ("spec", "template", "spec"),
    "jobs.batch": ("spec", "template", "spec"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template", "spec"),
}
"""Resources that make pods: for them there are warnings, no refusals."""


def check_pod_security(document: JsonObject, request: AdmissionRequest) -> None:
    """Refuse a pod that the level of its namespace forbids, and warn of what it warns of."""
    if request.operation is Operation.DELETE or request.subresource:
        return
    path = ("spec",) if request.resource.name == "pods" else _TEMPLATES.get(request.resource.name)
    if path is None:
        return
    namespace = request.objects.find("namespaces", "", request.namespace) or {}
    labels = labels_of(namespace)
    spec = object_at(document, *path)
    enforced = labels.get(f"{_LABEL}enforce", "privileged")
    found = violations(spec, enforced)
    level = f'"{enforced}:{labels.get(f"{_LABEL}enforce-version", "latest")}"'
    if found and request.resource.name == "pods":
        raise forbidden(
            request.resource, request.name, f"violates PodSecurity {level}: {', '.join(found)}"
        )
    warned = labels.get(f"{_LABEL}warn", "privileged")
    found = violations(spec, warned)
    if found:
        level = f'"{warned}:{labels.get(f"{_LABEL}warn-version", "latest")}"'
        request.warnings.append(f"would violate PodSecurity {level}: {', '.join(found)}")


def violations(spec: JsonObject, level: str) -> list[str]:
    """What a pod does that ``level`` forbids, in the server's words."""
    if level not in ("baseline", "restricted"):
        return []
    checks = [*_BASELINE, *(_RESTRICTED if level == "restricted" else ())]
    if level == "restricted":
        checks = [each for each in checks if each not in _REPLACED]
    return [found for check in checks for found in check(spec)]


def _host_namespaces(spec: JsonObject) -> Iterator[str]:
    used = [
        f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name) is True
    ]
    if used:
        yield f"host namespaces ({', '.join(used)})"


def _host_path(spec: JsonObject) -> Iterator[str]:
    names = [f'"{each.get("name")}"' for each in list_at(spec, "volumes") if each.get("hostPath")]
    if names:
        yield f"hostPath volumes ({_plural('volume', names)})"


def _host_ports(spec: JsonObject) -> Iterator[str]:
    ports: list[str] = []
    names = []
    for container in _containers(spec):
        used = [
            str(each["hostPort"]) for each in list_at(container, "ports") if each.get("hostPort")
        ]
        if used:
            names.append(_name(container))
            ports += used
    if names:
        what = "hostPort" if len(ports) == 1 else "hostPorts"
        uses = "uses" if len(names) == 1 else "use"
        yield f"hostPort ({_plural('container', names)} {uses} {what} {', '.join(sorted(ports))})"


def _privileged(spec: JsonObject) -> Iterator[str]:
    names = [_name(each) for each in _containers(spec) if _context(each).get("privileged") is True]
    if names:
        yield (
            f"privileged ({_plural('container', names)} must not set "
            "securityContext.privileged=true)"
        )


def _base_capabilities(spec: JsonObject) -> Iterator[str]:
    names, added = _added(spec, _BASE_CAPABILITIES)
    if names:
        told = ", ".join(f'"{each}"' for each in added)
        yield (
            f"non-default capabilities ({_plural('container', names)} must not include "
            f"{told} in securityContext.capabilities.add)"
        )


def _proc_mount(spec: JsonObject) -> Iterator[str]:
    odd = [
        each
        for each in _containers(spec)
        if _context(each).get("procMount", "Default") != "Default"
    ]
    if odd and spec.get("hostUsers") is not False:
        kinds = ", ".join(sorted({f'"{_context(each).get("procMount")}"' for each in odd}))
        names = [_name(each) for each in odd]
        yield (
            f"procMount ({_plural('container', names)} must not set "
            f"securityContext.procMount to {kinds})"
        )


def _selinux(spec: JsonObject) -> Iterator[str]:
    options = [("pod", object_at(spec, "securityContext", "seLinuxOptions"))]
    options += [
        (_plural("container", [_name(each)]), object_at(_context(each), "seLinuxOptions"))
        for each in _containers(spec)
    ]
    found = []
    for who, each in options:
        if each.get("type", "") not in _SELINUX_TYPES:
            found.append(
                f'{who} set forbidden securityContext.seLinuxOptions: type "{each["type"]}"'
            )
        found += [
            f"{who} set forbidden securityContext.seLinuxOptions: {name} may not be set"
            for name in ("user", "role")
            if each.get(name)
        ]
    if found:
        yield f"seLinuxOptions ({'; '.join(found)})"


def _sysctls(spec: JsonObject) -> Iterator[str]:
    names = sorted(
        str(each.get("name"))
        for each in list_at(spec, "securityContext", "sysctls")
        if each.get("name") not in _SYSCTLS
    )
    if names:
        yield f"forbidden sysctls ({', '.join(names)})"


def _base_seccomp(spec: JsonObject) -> Iterator[str]:
    found = []
    if _seccomp(object_at(spec, "securityContext")) == "Unconfined":
        found.append("pod")
    names = [_name(each) for each in _containers(spec) if _seccomp(_context(each)) == "Unconfined"]
    if names:
        found.append(_plural("container", names))
    if found:
        yield (
            f"seccompProfile ({' and '.join(found)} must not set "
            'securityContext.seccompProfile.type to "Unconfined")'
        )


def _volume_types(spec: JsonObject) -> Iterator[str]:
    bad = [
        (str(each.get("name")), kind)
        for each in list_at(spec, "volumes")
        for kind in each
        if kind != "name" and kind not in _VOLUMES
    ]
    if bad:
        names = [f'"{name}"' for name, _ in bad]
        kinds = ", ".join(sorted({f'"{kind}"' for _, kind in bad}))
        uses = "uses" if len(names) == 1 else "use"
        what = "type" if kinds.count('"') == 2 else "types"
        yield (
            f"restricted volume types ({_plural('volume', names)} {uses} restricted volume "
            f"{what} {kinds})"
        )


def _escalation(spec: JsonObject) -> Iterator[str]:
    names = [
        _name(each)
        for each in _containers(spec)
        if _context(each).get("allowPrivilegeEscalation") is not False
    ]
    if names:
        yield (
            f"allowPrivilegeEscalation != false ({_plural('container', names)} must set "
            "securityContext.allowPrivilegeEscalation=false)"
        )


def _restricted_capabilities(spec: JsonObject) -> Iterator[str]:
    keeping = [
        _name(each)
        for each in _containers(spec)
        if "ALL" not in list_at(_context(each), "capabilities", "drop")
    ]
    found = []
    if keeping:
        found.append(
            f'{_plural("container", keeping)} must set securityContext.capabilities.drop=["ALL"]'
        )
    names, added = _added(spec, frozenset({"NET_BIND_SERVICE"}))
    if names:
        told = ", ".join(f'"{each}"' for each in added)
        found.append(
            f"{_plural('container', names)} must not include {told} in "
            "securityContext.capabilities.add"
        )
    if found:
        yield f"unrestricted capabilities ({'; '.join(found)})"


def _non_root(spec: JsonObject) -> Iterator[str]:
    whole = object_at(spec, "securityContext").get("runAsNonRoot")
    wrong = [
        _name(each) for each in _containers(spec) if _context(each).get("runAsNonRoot") is False
    ]
    silent = [
        _name(each) for each in _containers(spec) if _context(each).get("runAsNonRoot") is None
    ]
    if wrong:
        yield (
            f"runAsNonRoot != true ({_plural('container', wrong)} must not set "
            "securityContext.runAsNonRoot=false)"
        )
    elif whole is not True and silent:
        if whole is False:
            yield "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"
        else:
            yield (
                f"runAsNonRoot != true (pod or {_plural('container', silent)} must set "
                "securityContext.runAsNonRoot=true)"
            )


def _root_user(spec: JsonObject) -> Iterator[str]:
    found = []
    if object_at(spec, "securityContext").get("runAsUser") == 0:
        found.append("pod")
    names = [_name(each) for each in _containers(spec) if _context(each).get("runAsUser") == 0]
    if names:
        found.append(_plural("container", names))
    if found:
        yield f"runAsUser=0 ({' and '.join(found)} must not set runAsUser=0)"


def _restricted_seccomp(spec: JsonObject) -> Iterator[str]:
    whole = _seccomp(object_at(spec, "securityContext"))
    wrong = [
        _name(each)
        for each in _containers(spec)
        if _seccomp(_context(each)) and _seccomp(_context(each)) not in _GOOD_SECCOMP
    ]
    silent = [_name(each) for each in _containers(spec) if not _seccomp(_context(each))]
    if wrong:
        yield (
            f"seccompProfile ({_plural('container', wrong)} must not set "
            'securityContext.seccompProfile.type to "Unconfined")'
        )
    elif whole not in _GOOD_SECCOMP and silent:
        yield (
            f"seccompProfile (pod or {_plural('container', silent)} must set "
            'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
        )


_Check = Callable[[JsonObject], Iterator[str]]
_BASELINE: tuple[_Check, ...] = (
    _host_namespaces,
    _host_path,
    _host_ports,
    _privileged,
    _base_capabilities,
    _proc_mount,
    _selinux,
    _sysctls,
    _base_seccomp,
)
_RESTRICTED: tuple[_Check, ...] = (
    _volume_types,
    _escalation,
    _restricted_capabilities,
    _non_root,
    _root_user,
    _restricted_seccomp,
)
_REPLACED = frozenset({_base_capabilities, _base_seccomp, _host_path})
"""Checks of the baseline that ``restricted`` has stricter ones for."""


def _containers(spec: JsonObject) -> list[JsonObject]:
    groups = ("initContainers", "containers", "ephemeralContainers")
    return [each for group in groups for each in list_at(spec, group)]


def _context(container: JsonObject) -> JsonObject:
    return object_at(container, "securityContext")


def _seccomp(context: JsonObject) -> str:
    return str(object_at(context, "seccompProfile").get("type", ""))


def _added(spec: JsonObject, allowed: frozenset[str]) -> tuple[list[str], list[str]]:
    """Containers that add capabilities beyond ``allowed``, and these capabilities."""
    names, added = [], set()
    for container in _containers(spec):
        more = set(list_at(_context(container), "capabilities", "add")) - allowed
        if more:
            names.append(_name(container))
            added |= more
    return names, sorted(added)


def _name(container: JsonObject) -> str:
    return f'"{container.get("name")}"'


def _plural(word: str, names: list[str]) -> str:
    return f"{word if len(names) == 1 else word + 's'} {', '.join(names)}"
