# SPDX-License-Identifier: Apache-2.0
"""Who somebody is and what they may do: tokens, granted rights, and the roles in the cluster.

Rights come from two places: ``grant`` for tests that want nothing but a right, and the Roles,
ClusterRoles and bindings that stand in the cluster, so that a set of rights can be tried out
before a real cluster sees it. Whoever is an administrator may do everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from okd_payload.testing.kubernetes.admission import Objects
from okd_payload.testing.kubernetes.documents import JsonObject, list_at, name_of, text_at
from okd_payload.testing.kubernetes.requests import ADMINISTRATOR, Target
from okd_payload.testing.kubernetes.statuses import Details, Refusal, unauthorized

ANONYMOUS = "system:anonymous"
_ACCOUNT = "system:serviceaccount:"
_RBAC = "rbac.authorization.k8s.io"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A right that somebody has."""

    user: str
    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    """As rights are named: ``taskruns.tekton.dev``, ``pods/log``; ``*`` for all."""
    namespace: str = ""
    """Empty for all namespaces and for what is in none."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A right that is asked for."""

    user: str
    verb: str
    group: str
    resource: str
    """With its subresource: ``pods/log``."""
    namespace: str = ""
    name: str = ""

    @property
    def right(self) -> str:
        """The resource as grants name it."""
        plural, slash, subresource = self.resource.partition("/")
        return f"{plural}.{self.group}{slash}{subresource}" if self.group else self.resource


class Access:
    """Tokens, grants, and the roles that are in the cluster."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._tokens: dict[str, str] = {}
        self._grants: list[Grant] = []
        self.administrators = {ADMINISTRATOR}

    def token_for(self, user: str) -> str:
        """The token by which the server knows ``user``."""
        token = f"token-of-{user}"
        self._tokens[token] = user
        return token

    def revoke(self, token: str) -> None:
        """Nobody is known by ``token`` any longer."""
        self._tokens.pop(token, None)

    def grant(
        self, user: str, verbs: Sequence[str], resources: Sequence[str], *, namespace: str = ""
    ) -> None:
        """Give ``user`` rights, beside those from the roles in the cluster."""
        self._grants.append(
            Grant(user=user, verbs=tuple(verbs), resources=tuple(resources), namespace=namespace)
        )

    def withdraw(self, user: str) -> None:
        """Take back all that ``grant`` gave to ``user``."""
        self._grants = [grant for grant in self._grants if grant.user != user]

    def user_of(self, authorization: str) -> str:
        """Who sends this ``Authorization`` header. Refuses tokens that nobody knows."""
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            return ANONYMOUS
        user = self._tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise unauthorized()
        return user

    def check(self, user: str, verb: str, target: Target) -> None:
        """Refuse what ``user`` may not do, naming the right that is missing."""
        plural = target.resource.plural
        asked = Ask(
            user=user,
            verb=verb,
            group=target.resource.group,
            resource=f"{plural}/{target.subresource}" if target.subresource else plural,
            namespace=target.namespace,
            name=target.name,
        )
        if self.why(asked):
            return
        name = f' "{target.name}"' if target.name and verb != "create" else ""
        place = (
            f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
        )
        raise Refusal(
            403,
            "Forbidden",
            f'{target.resource.name}{name} is forbidden: User "{user}" cannot {verb} resource '
            f'"{asked.resource}" in API group "{asked.group}" {place}',
            details=Details(
                name=target.name if name else "", group=target.resource.group, kind=plural
            ),
        )

    def why(self, asked: Ask) -> str:
        """Why this is allowed; empty when it is not."""
        if asked.user in self.administrators:
            return "administrators may do everything"
        for grant in self._grants:
            if (
                grant.user == asked.user
                and _has(grant.verbs, asked.verb)
                and _has(grant.resources, asked.right)
                and grant.namespace in ("", asked.namespace)
            ):
                return "granted"
        return next(self._by_roles(asked), "")

    def review(self, user: str, document: JsonObject) -> JsonObject:
        """The answer to a SelfSubjectAccessReview."""
        attributes = document.get("spec", {}).get("resourceAttributes") or {}
        subresource = attributes.get("subresource", "")
        resource = attributes.get("resource", "")
        reason = self.why(
            Ask(
                user=user,
                verb=attributes.get("verb", ""),
                group=attributes.get("group", ""),
                resource=f"{resource}/{subresource}" if subresource else resource,
                namespace=attributes.get("namespace", ""),
                name=attributes.get("name", ""),
            )
        )
        status: JsonObject = {"allowed": bool(reason)}
        if reason.startswith("RBAC"):
            status["reason"] = reason
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": document.get("spec", {}),
            "status": status,
        }

    def _by_roles(self, asked: Ask) -> Iterator[str]:
        """By which bindings ``asked`` is allowed."""
        bindings = [(each, "") for each in self._objects.all_of(f"clusterrolebindings.{_RBAC}")]
        if asked.namespace:
            own = self._objects.all_of(f"rolebindings.{_RBAC}", asked.namespace)
            bindings += [(each, asked.namespace) for each in own]
        for binding, namespace in bindings:
            subject = next(
                (
                    each
                    for each in list_at(binding, "subjects")
                    if _is_meant(each, asked.user, namespace)
                ),
                None,
            )
            if subject is None:
                continue
            kind, role = text_at(binding, "roleRef", "kind"), text_at(binding, "roleRef", "name")
            place = namespace if kind == "Role" else ""
            found = self._objects.find(f"{kind.lower()}s.{_RBAC}", place, role)
            if found is not None and any(_allows(rule, asked) for rule in list_at(found, "rules")):
                yield _reason(binding, namespace, subject)


def _is_meant(subject: JsonObject, user: str, namespace: str) -> bool:
    name = subject.get("name")
    if subject.get("kind") == "ServiceAccount":
        return user == f"{_ACCOUNT}{subject.get('namespace') or namespace}:{name}"
    if subject.get("kind") == "Group":
        return name in groups_of(user)
    return user == name


def groups_of(user: str) -> set[str]:
    """The groups that the server puts ``user`` in."""
    if user == ANONYMOUS:
        return {"system:unauthenticated"}
    groups = {"system:authenticated"}
    if user.startswith(_ACCOUNT):
        namespace = user.removeprefix(_ACCOUNT).partition(":")[0]
        groups |= {"system:serviceaccounts", f"system:serviceaccounts:{namespace}"}
    return groups


def _allows(rule: JsonObject, asked: Ask) -> bool:
    names = rule.get("resourceNames") or []
    plural, _, subresource = asked.resource.partition("/")
    resources = rule.get("resources") or []
    return (
        _has(rule.get("verbs") or [], asked.verb)
        and _has(rule.get("apiGroups") or [], asked.group)
        and (
            _has(resources, asked.resource)
            or (bool(subresource) and f"*/{subresource}" in resources)
        )
        and (not names or asked.name in names)
        and bool(plural)
    )


def _has(words: Sequence[str], word: str) -> bool:
    return "*" in words or word in words


def _reason(binding: JsonObject, namespace: str, subject: JsonObject) -> str:
    kind, role = text_at(binding, "roleRef", "kind"), text_at(binding, "roleRef", "name")
    where = f"{name_of(binding)}/{namespace}" if namespace else name_of(binding)
    bound = "RoleBinding" if namespace else "ClusterRoleBinding"
    who = str(subject.get("name"))
    if subject.get("kind") == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    return f'RBAC: allowed by {bound} "{where}" of {kind} "{role}" to {subject.get("kind")} "{who}"'
