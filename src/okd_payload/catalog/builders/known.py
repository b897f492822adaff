# SPDX-License-Identifier: Apache-2.0
"""The builder references and rules of OpenShift that no stream needs to write.

The families are those of 184 component Dockerfiles and 359 configurations of OpenShift's CI.
Go keeps old code compiling within a major version, so the next higher minor stands in. Node has
no such promise, but only even majors are supported for long. An operating system is what the
result was linked against, so another major is never chosen unless the stream says so.
"""

from __future__ import annotations

from okd_payload.catalog.builders.policy import BuilderReference, Nearest, VersionRule

_HOSTS = (
    "registry.ci.openshift.org/ocp/builder:",
    "registry.svc.ci.openshift.org/ocp/builder:",
    "quay-proxy.ci.openshift.org/openshift/ci:ocp_builder_",
)
_GO = (
    "rhel-{os}-golang-{go}-openshift-*",
    "rhel-{os}-golang-{go}",
    "rhel-{os}-etcd-golang-{go}-openshift-*",
    "rhel-{os}-etcd-golang-{go}",
    "golang-{go}",
)
_ANY_GO = ("rhel-{os}-golang-openshift-*",)
_NODE = ("rhel-{os}-base-nodejs-{node}-openshift-*",)
_ANY_NODE = ("rhel-{os}-base-nodejs-openshift-*", "rhel-{os}-openshift-nodejs-base-*")
_RELEASE_HOSTS = (
    "registry.ci.openshift.org/openshift/release:",
    "registry.svc.ci.openshift.org/openshift/release:",
    "quay-proxy.ci.openshift.org/openshift/ci:openshift_release_",
    "openshift/origin-release:",
    "docker.io/openshift/origin-release:",
)
_RELEASE = (
    "rhel-{os}-release-golang-{go}-openshift-*",
    "rhel-{os}-release-golang-{go}",
    "rhel-{os}-golang-{go}",
    "golang-{go}",
)

KNOWN_REFERENCES = (
    *(BuilderReference(pattern=host + tag) for host in _HOSTS for tag in (*_GO, *_NODE)),
    *(
        BuilderReference(pattern=host + tag, versions={"go": None})
        for host in _HOSTS
        for tag in _ANY_GO
    ),
    *(
        BuilderReference(pattern=host + tag, versions={"node": None})
        for host in _HOSTS
        for tag in _ANY_NODE
    ),
    *(BuilderReference(pattern=host + tag) for host in _RELEASE_HOSTS for tag in _RELEASE),
)

DEFAULT_RULES = {
    "go": VersionRule(nearest=Nearest.HIGHER),
    "node": VersionRule(nearest=Nearest.HIGHER_EVEN),
    "os": VersionRule(nearest=Nearest.SAME),
}
