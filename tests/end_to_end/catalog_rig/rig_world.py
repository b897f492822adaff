# SPDX-License-Identifier: Apache-2.0
"""Sixteen repositories of a small OpenShift, with branches, pull requests and shared libraries.

| repository | images | uses `openshift/api` |
| --- | --- | --- |
| images | base, builder | |
| api | cluster-config-api | |
| library-go, client-go | none: libraries | directly |
| cluster-version-operator, cluster-config-operator | one each | directly |
| cluster-etcd-operator | one | directly and through library-go |
| cluster-ingress-operator | one | directly: what the pull request takes away, too |
| machine-config-operator, oc | one; cli and cli-artifacts | through a library only |
| installer | installer and installer-artifacts | directly, replaced in go.mod |
| router | haproxy-router-base, haproxy-router | not at all |
| etcd, kube-rbac-proxy, os | one each | not at all |
| okd-machine-os | none any more: what os once was | not at all |

All have `main`, `release-4.15` and `release-4.16`, but etcd has `openshift-4.16` for the last and
kube-rbac-proxy stopped at 4.15.
"""

from __future__ import annotations

from pathlib import Path

from rig_components import API, CLIENT, CONFIG, LIBRARY, Modules, component_files
from rig_modules import Module, go_mod, with_modules
from rig_repository import FIRST_TIME, GitRepository
from rig_sources import custom_resource, dockerfile

OLD, NEW = "4.15", "4.16"
VERSIONS = {f"release-{OLD}": OLD, f"release-{NEW}": NEW, "main": NEW}
CRD = "config/v1/0000_10_config_components.crd.yaml"
PULL_REQUEST = "refs/pull/123/head"
HARMLESS = "refs/pull/7/head"
REPOSITORIES = (
    "api",
    "client-go",
    "cluster-config-operator",
    "cluster-etcd-operator",
    "cluster-ingress-operator",
    "cluster-version-operator",
    "etcd",
    "images",
    "installer",
    "kube-rbac-proxy",
    "library-go",
    "machine-config-operator",
    "oc",
    "okd-machine-os",
    "os",
    "router",
)

_TYPES = """\
package v1

// Component is what an operator reports.
type Component struct {
	Name    string
	Version string
}

// Report is one line about a component.
func Report(component Component) string { return component.Name + " at " + component.Version }
"""
_DESCRIBE = """
// Describe is a longer line about a component.
func Describe(component Component) string { return "component " + Report(component) }
"""
_CHANNEL = """
// Channel is where updates of a component come from.
type Channel struct{ Name string }
"""
_FROM_CHANNEL = _TYPES.replace("component.Version }", 'component.Version + " from a channel" }')


class World:
    """The repositories below ``root``/openshift."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repositories = {
            name: GitRepository(root / "openshift" / name, first_time=FIRST_TIME + 3600 * number)
            for number, name in enumerate(REPOSITORIES)
        }
        self._api: dict[str, Module] = {}
        self._write_libraries()
        for branch, version in VERSIONS.items():
            for name, files in self._components(branch, version).items():
                if (name, branch) == ("kube-rbac-proxy", f"release-{NEW}"):
                    continue
                etcd = (name, branch) == ("etcd", f"release-{NEW}")
                self[name].commit(f"openshift-{NEW}" if etcd else branch, files, f"Be {version}")

    def __getitem__(self, name: str) -> GitRepository:
        """A repository by its name."""
        return self.repositories[name]

    def _write_libraries(self) -> None:
        for branch, version in VERSIONS.items():
            files = self._api_files(version, _TYPES + _DESCRIBE, ("name", "version"))
            self["api"].commit(branch, files, f"Be {version}")
            self._api[branch] = Module(API, self["api"].pseudo_version(branch), files)
            for name, package, text in (
                ("library-go", "pkg/operator", "Status"),
                ("client-go", "rest", "Request"),
            ):
                library = _library(name, package, text, self._api[branch])
                self[name].commit(branch, library, f"Be {version}")
        self._open_pull_requests()

    def _open_pull_requests(self) -> None:
        branch = f"release-{NEW}"
        fields = ("name", "version", "channel")
        removed = self._api_files(NEW, _FROM_CHANNEL + _CHANNEL, fields)
        message = "Say channels, and describe nothing any more"
        self["api"].commit(PULL_REQUEST, removed, message, on=branch)
        added = self._api_files(NEW, _TYPES + _DESCRIBE + _CHANNEL, ("name", "version"))
        self["api"].commit(HARMLESS, added, "Say channels", on=branch)

    def _api_files(self, version: str, types: str, fields: tuple[str, ...]) -> dict[str, str]:
        return {
            "go.mod": go_mod(API),
            "config/v1/types.go": types,
            CRD: custom_resource(fields),
            "Dockerfile.ocp": dockerfile(
                version, "api", extra="COPY config/v1/*.crd.yaml /usr/share/api/\n"
            ),
        }

    def _components(self, branch: str, version: str) -> dict[str, dict[str, str]]:
        api = self._api[branch]
        modules = Modules(
            api=api,
            library=self._module(LIBRARY, "library-go", branch, api),
            client=self._module(CLIENT, "client-go", branch, api),
            old_api=self._api[f"release-{OLD}"],
        )
        return component_files(version, modules)

    def _module(self, path: str, name: str, branch: str, api: Module) -> Module:
        repository = self[name]
        return Module(path, repository.pseudo_version(branch), repository.files(branch), (api,))


def _library(name: str, package: str, function: str, api: Module) -> dict[str, str]:
    short = package.rpartition("/")[2]
    text = f"""\
package {short}

import configv1 "{CONFIG}"

// {function} is a line about a component.
func {function}(name string) string {{
	return configv1.Report(configv1.Component{{Name: name, Version: "{short}"}})
}}
"""
    files = {f"{package}/{short}.go": text}
    return with_modules(f"github.com/openshift/{name}", files, direct=(api,))
