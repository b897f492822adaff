# SPDX-License-Identifier: Apache-2.0
"""Nobody gives rights that he does not have: what the API server asks of roles and bindings.

Whoever writes a role must hold every right in it, or the right to ``escalate`` it; whoever binds
one must hold every right in it, or the right to ``bind`` it.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.testing.kubernetes.access import Access, Ask, groups_of
from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, text_at
from okd_payload.testing.kubernetes.statuses import Details, Refusal, forbidden

_RBAC = "rbac.authorization.k8s.io"
_ROLES = frozenset({f"roles.{_RBAC}", f"clusterroles.{_RBAC}"})
_BINDINGS = frozenset({f"rolebindings.{_RBAC}", f"clusterrolebindings.{_RBAC}"})


class EscalationCheck:
    """A validating function of admission."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def __call__(self, document: JsonObject, request: AdmissionRequest) -> None:
        """Refuse a role or binding that gives more than its author has."""
        if request.operation is Operation.DELETE or request.user in self._access.administrators:
            return
        if request.resource.name in _ROLES:
            if not self._may(request, "escalate", request.resource.plural, request.name):
                self._check(list_at(document, "rules"), request)
        elif request.resource.name in _BINDINGS:
            kind, name = text_at(document, "roleRef", "kind"), text_at(document, "roleRef", "name")
            plural = f"{kind.lower()}s"
            if not self._may(request, "bind", plural, name):
                self._check(self._rules(request, plural, name), request)

    def _rules(self, request: AdmissionRequest, plural: str, name: str) -> list[JsonObject]:
        namespace = request.namespace if plural == "roles" else ""
        role = request.objects.find(f"{plural}.{_RBAC}", namespace, name)
        if role is None:
            message = f'{plural}.{_RBAC} "{name}" not found'
            details = Details(name=name, group=_RBAC, kind=plural)
            raise Refusal(404, "NotFound", message, details=details)
        return list_at(role, "rules")

    def _check(self, rules: list[JsonObject], request: AdmissionRequest) -> None:
        lacking = [told for rule in rules for told in self._lacking(rule, request)]
        if lacking:
            groups = ", ".join(f'"{each}"' for each in sorted(groups_of(request.user)))
            why = (
                f'user "{request.user}" (groups=[{groups}]) is attempting to grant RBAC '
                "permissions not currently held:\n" + "\n".join(lacking)
            )
            raise forbidden(request.resource, request.name, why)

    def _lacking(self, rule: JsonObject, request: AdmissionRequest) -> Iterator[str]:
        """The parts of a rule that the author does not hold."""
        for group in rule.get("apiGroups") or []:
            for resource in rule.get("resources") or []:
                verbs = [
                    verb
                    for verb in rule.get("verbs") or []
                    if not all(
                        self._holds(request, verb, group, resource=resource, name=name)
                        for name in rule.get("resourceNames") or [""]
                    )
                ]
                if verbs:
                    told = ", ".join(f'"{each}"' for each in verbs)
                    yield f'{{APIGroups:["{group}"], Resources:["{resource}"], Verbs:[{told}]}}'

    def _may(self, request: AdmissionRequest, verb: str, plural: str, name: str) -> bool:
        return self._holds(request, verb, _RBAC, resource=plural, name=name)

    def _holds(
        self, request: AdmissionRequest, verb: str, group: str, *, resource: str, name: str
    ) -> bool:
        asked = Ask(
            user=request.user,
            verb=verb,
            group=group,
            resource=resource,
            namespace=request.namespace,
            name=name,
        )
        return bool(self._access.why(asked))
