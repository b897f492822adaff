# SPDX-License-Identifier: Apache-2.0
"""Errors of ours for the refusals of a cluster: what failed, on which object, what to do next.

The status of HTTP does not say enough: 403 is a missing right, a quota, a limit, the pod security
of the namespace or a namespace that goes away, 409 an object that is there or one that somebody
else changed, 500 may be for ever. What a refusal means is told by its reason, its causes and,
where there is nothing better, by the words that Kubernetes has used for it for years.
"""

from __future__ import annotations

import re

from okd_payload.cluster.patience import is_too_large
from okd_payload.cluster.refusal import Refusal
from okd_payload.cluster.request import Request
from okd_payload.errors import (
    AlreadyThere,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    NoSuchKind,
    NoSuchObject,
    NotPermitted,
    QuotaExceeded,
    Refused,
)

_MISSING_RIGHT = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) '
    r'(?:resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"|path "(?P<path>[^"]*)")'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_WEBHOOK = re.compile(
    r'^admission webhook "(?P<webhook>[^"]*)" denied the request: (?P<words>.*)$', re.DOTALL
)
_FORBIDDEN = re.compile(r'^\S+(?: "[^"]*")? is (?:forbidden|invalid): (?P<words>.*)$', re.DOTALL)
_POD_SECURITY = re.compile(r'violates PodSecurity "(?P<level>\w+)')
_LIMIT = re.compile(r"(?:maximum|minimum) \S+ usage per|max limit to request ratio per")
_SAME_AGAIN = "change the object: as it is, the cluster will not take it"
_WRITES = frozenset({"create", "patch", "delete"})
_WAYS_TO_GET = {
    "tekton.dev": "install Tekton Pipelines 0.44 or later, or use another engine",
    "triggers.tekton.dev": "install Tekton Triggers, or do without triggers",
    "shipwright.io": "install Shipwright Build 0.12 or later, or use another engine",
    "build.openshift.io": "use a cluster of OpenShift with its build capability, or another engine",
    "image.openshift.io": "use a cluster of OpenShift: it is not part of Kubernetes",
    "route.openshift.io": "use a cluster of OpenShift: it is not part of Kubernetes",
    "argoproj.io": "install Argo CD, or leave its objects out",
    "source.toolkit.fluxcd.io": "install Flux, or leave its objects out",
    "kustomize.toolkit.fluxcd.io": "install Flux, or leave its objects out",
}


def judge(request: Request, refusal: Refusal, server: str) -> ClusterError:
    """The error that says why ``request`` was not done."""
    what = f"{request.about} of {server}"
    if refusal.code == 404:
        return _not_found(request, refusal, what)
    if refusal.code == 401:
        return NotPermitted(f"{what}: the cluster does not know us", hint="log in anew")
    if refusal.code == 403:
        return _forbidden(request, refusal, what)
    if refusal.code == 409:
        return _conflict(refusal, what)
    return _not_taken(request, refusal, what)


def _not_taken(request: Request, refusal: Refusal, what: str) -> ClusterError:
    if refusal.code == 413 or is_too_large(refusal):
        return Refused(
            f"{what} is too large: {refusal.message}",
            hint="an object may have 1.5 MiB in all, the data of a ConfigMap 1 MiB: split it",
        )
    if refusal.code == 429 or refusal.code >= 500:
        return ClusterUnavailable(
            f"{what}: the cluster answers {_words(refusal)}", hint="try again later"
        )
    if refusal.code in {400, 422} and request.verb in _WRITES:
        return _refused(refusal, what)
    return ClusterError(
        f"{what}: the cluster answers {_words(refusal)}",
        hint="look after the cluster's API server, and what stands before it",
    )


def _words(refusal: Refusal) -> str:
    return f"{refusal.code} {refusal.message}".strip()


def _not_found(request: Request, refusal: Refusal, what: str) -> ClusterError:
    if not refusal.structured or (not refusal.name and "requested resource" in refusal.message):
        group = request.path.split("/")[2] if request.path.startswith("/apis/") else ""
        return NoSuchKind(
            f"{what}: the cluster does not have this kind of objects",
            hint=_WAYS_TO_GET.get(group, "install what defines it, in the version asked for"),
        )
    if refusal.resource == "namespaces" and "/namespaces/" in request.path:
        return NoSuchObject(
            f"{what}: there is no namespace {refusal.name}",
            hint=f"`kubectl create namespace {refusal.name}`, or name another one",
        )
    return NoSuchObject(f"{what} is not there", hint="check the name and the namespace")


def _forbidden(request: Request, refusal: Refusal, what: str) -> ClusterError:
    missing = _MISSING_RIGHT.search(refusal.message)
    if missing:
        return _missing_right(missing, what)
    if _WEBHOOK.search(refusal.message):
        return _refused(refusal, what)
    words = _after(_FORBIDDEN, refusal.message)
    if "NamespaceTerminating" in refusal.causes or "it is being terminated" in words:
        return Refused(
            f"{what}: the namespace is being deleted",
            hint="wait until it is gone and make it anew, or name another one",
        )
    return (
        _out_of_bounds(words, what)
        or _not_secure_enough(words, what)
        or _other_forbidden(request, refusal, words, what)
    )


def _out_of_bounds(words: str, what: str) -> ClusterError | None:
    """A quota or a limit of the namespace is in the way, for now or for good."""
    if "exceeded quota:" in words:
        return QuotaExceeded(
            f"{what}: {words}",
            hint="wait until other work has ended, run fewer at a time, or ask for a higher quota",
        )
    if "failed quota:" in words:
        return Refused(
            f"{what}: {words}",
            hint="the quota of the namespace asks for these limits and requests: state them",
        )
    if _LIMIT.search(words):
        return Refused(
            f"{what}: {words}",
            hint="ask for what the LimitRange of the namespace allows, or have that changed",
        )
    return None


def _missing_right(missing: re.Match[str], what: str) -> NotPermitted:
    user, verb = missing["user"], missing["verb"]
    if user == "system:anonymous":
        return NotPermitted(
            f"{what}: the cluster does not know us: nobody is logged in",
            hint="log in anew, or name a context with a user",
        )
    resource = missing["path"] or ".".join(filter(None, (missing["resource"], missing["group"])))
    namespace = missing["namespace"]
    place = f" in namespace {namespace}" if namespace else " in the whole cluster"
    option = f" --namespace {namespace}" if namespace else ""
    return NotPermitted(
        f"{what}: {user} lacks the right to {verb} {resource}{place}",
        hint="ask an administrator of the cluster for a role that has it; "
        f"`kubectl auth can-i {verb} {resource}{option}` says whether it is there",
    )


def _not_secure_enough(words: str, what: str) -> Refused | None:
    found = _POD_SECURITY.search(words)
    if found:
        return Refused(
            f"{what}: {words}",
            hint=f"the namespace enforces pod security level {found['level']}: use a namespace "
            "with a lower one (label pod-security.kubernetes.io/enforce)",
        )
    if "unable to validate against any security context constraint" in words:
        return Refused(
            f"{what}: {words}",
            hint="give the service account a security context constraint that allows it: "
            "`oc adm policy add-scc-to-user`",
        )
    return None


def _other_forbidden(request: Request, refusal: Refusal, words: str, what: str) -> ClusterError:
    account = "error looking up service account"
    if account in words:
        return Refused(f"{what}: {words}", hint="make the service account, or name another one")
    if request.verb in _WRITES and refusal.structured and refusal.reason and words:
        return Refused(f"{what}: {words}", hint=_SAME_AGAIN)
    return NotPermitted(
        f"{what}: the right to {request.verb} {request.right} is missing",
        hint="ask an administrator of the cluster for a role that has it",
    )


def _conflict(refusal: Refusal, what: str) -> ClusterError:
    if refusal.reason == "AlreadyExists":
        return AlreadyThere(
            f"{what} is there already", hint="delete it first, or name it otherwise"
        )
    if refusal.field_conflicts:
        owners = sorted({conflict.manager for conflict in refusal.field_conflicts})
        fields = ", ".join(sorted({conflict.field for conflict in refusal.field_conflicts}))
        return Conflict(
            f"{what}: {' and '.join(owners)} looks after {fields}",
            hint="leave these fields to them, or have them give the fields up",
        )
    return Conflict(f"{what}: {refusal.message}", hint="read the object again, then change it")


def _refused(refusal: Refusal, what: str) -> Refused:
    webhook = _WEBHOOK.search(refusal.message)
    if webhook:
        words = webhook["words"].removeprefix("validation failed: ")
        return Refused(f"{what}: {webhook['webhook']} refuses it: {words}", hint=_SAME_AGAIN)
    words = _after(_FORBIDDEN, refusal.message)
    return Refused(f"{what}: refused: {words or refusal.code}", hint=_SAME_AGAIN)


def _after(pattern: re.Pattern[str], message: str) -> str:
    """The words of ``pattern`` in the message, or all of it."""
    found = pattern.search(message)
    return found["words"] if found else message
