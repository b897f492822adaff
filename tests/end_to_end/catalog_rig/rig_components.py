# SPDX-License-Identifier: Apache-2.0
"""What the repositories of components hold on one branch: programs, Dockerfiles and manifests.

Each stands for one way of depending on ``openshift/api``: directly, through a library, by a
replacement in go.mod, or not at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rig_modules import Module, go_mod, with_modules
from rig_sources import dockerfile, operator_manifests, program, version_operator_manifests

API, CLIENT, LIBRARY = (f"github.com/openshift/{it}" for it in ("api", "client-go", "library-go"))
CONFIG = f"{API}/config/v1"
_REPORT = {"configv1": CONFIG}


class Modules(NamedTuple):
    """The Go modules that components of one branch use."""

    api: Module
    library: Module
    client: Module
    old_api: Module
    """What the installer keeps to."""


def component_files(version: str, modules: Modules) -> dict[str, dict[str, str]]:
    """The files of every repository of components by its name."""
    operating_system = {
        "Dockerfile": dockerfile(version, "os", extra="COPY packages /usr/share/os/\n"),
        "packages": f"kernel\nsystemd\npodman\nbash\nconmon\ncri-o {version}\n",
    }
    return {
        "cluster-version-operator": _version_operator(version, modules),
        "cluster-config-operator": _config_operator(version, modules),
        "cluster-etcd-operator": _etcd_operator(version, modules),
        "cluster-ingress-operator": _ingress_operator(version, modules),
        "machine-config-operator": _machine_config_operator(version, modules),
        "installer": _installer(version, modules),
        "oc": _clients(version, modules),
        "router": _router(version),
        "etcd": _simple(version, "etcd"),
        "kube-rbac-proxy": _simple(version, "kube-rbac-proxy"),
        "os": operating_system,
        "okd-machine-os": operating_system,
        "images": _images(version),
    }


def _simple(version: str, name: str, *, base: str = "base-rhel9") -> dict[str, str]:
    return {
        **program(name, body=f'fmt.Println("{name} {version}")'),
        "go.mod": go_mod(f"github.com/openshift/{name}"),
        "Dockerfile.openshift": dockerfile(version, name, binary=name, base=base),
    }


def _report(component: str, version: str) -> str:
    told = f'configv1.Component{{Name: "{component}", Version: "{version}"}}'
    return f"fmt.Println(configv1.Report({told}))"


def _operator(
    version: str,
    name: str,
    *,
    direct: tuple[Module, ...],
    indirect: tuple[Module, ...] = (),
    replaced: dict[str, Module] | None = None,
) -> dict[str, str]:
    files = {
        **program(name, imports=_REPORT, body=_report(name, version)),
        "Dockerfile.ocp": dockerfile(version, name, binary=name, operator=True),
    }
    path = f"github.com/openshift/{name}"
    return with_modules(path, files, direct=direct, indirect=indirect, replaced=replaced)


def _version_operator(version: str, modules: Modules) -> dict[str, str]:
    name = "cluster-version-operator"
    extra = "COPY install /manifests\nCOPY bootstrap /bootstrap\n"
    return {
        **_operator(version, name, direct=(modules.api,)),
        **version_operator_manifests(),
        "Dockerfile.ocp": dockerfile(version, name, binary=name, extra=extra),
    }


def _config_operator(version: str, modules: Modules) -> dict[str, str]:
    name = "cluster-config-operator"
    files = {
        **_operator(version, name, direct=(modules.api,)),
        **operator_manifests(name, operands=("cluster-config-api",), level=10),
    }
    files["Dockerfile.ocp"] += f"COPY vendor/{CONFIG}/*.crd.yaml /manifests/\n"
    return files


def _etcd_operator(version: str, modules: Modules) -> dict[str, str]:
    name = "cluster-etcd-operator"
    return {
        **_operator(version, name, direct=(modules.api, modules.library)),
        **program(
            name,
            imports={**_REPORT, "operator": f"{LIBRARY}/pkg/operator"},
            body=f'{_report("etcd", version)}\nfmt.Println(operator.Status("etcd"))',
        ),
        **operator_manifests(name, operands=("etcd",), level=12),
    }


def _ingress_operator(version: str, modules: Modules) -> dict[str, str]:
    name = "cluster-ingress-operator"
    described = _report("ingress", version).replace("Report", "Describe")
    return {
        **_operator(version, name, direct=(modules.api,)),
        **program(name, imports=_REPORT, body=described),
        **operator_manifests(name, operands=("haproxy-router", "kube-rbac-proxy")),
    }


def _machine_config_operator(version: str, modules: Modules) -> dict[str, str]:
    name = "machine-config-operator"
    return {
        **_operator(version, name, direct=(modules.library,), indirect=(modules.api,)),
        **program(
            name,
            imports={"operator": f"{LIBRARY}/pkg/operator"},
            body='fmt.Println(operator.Status("machine-config"))',
        ),
        **operator_manifests(name, operands=("machine-os-content",), level=80),
    }


def _installer(version: str, modules: Modules) -> dict[str, str]:
    name = "installer"
    return {
        **_operator(version, name, direct=(modules.api,), replaced={API: modules.old_api}),
        **operator_manifests(name, level=90, operands=("installer-artifacts", "cli")),
        "Dockerfile.artifacts": dockerfile(
            version,
            name,
            label="Installers of all systems",
            extra=f"COPY --from=registry.ci.openshift.org/ocp/{version}:installer"
            " /usr/bin/installer /usr/share/installer\n",
        ),
    }


def _clients(version: str, modules: Modules) -> dict[str, str]:
    imports = {"rest": f"{CLIENT}/rest"}
    files = {
        **program("oc", imports=imports, body='fmt.Println(rest.Request("oc"))'),
        "images/cli/Dockerfile.rhel": dockerfile(version, "oc", binary="oc"),
        "images/cli-artifacts/Dockerfile.rhel": dockerfile(
            version,
            "oc",
            label="Clients of all systems",
            extra=f"COPY --from=registry.ci.openshift.org/ocp/{version}:cli"
            " /usr/bin/oc /usr/share/openshift/linux/oc\n",
        ),
    }
    path = "github.com/openshift/oc"
    return with_modules(path, files, direct=(modules.client,), indirect=(modules.api,))


def _router(version: str) -> dict[str, str]:
    return {
        **_simple(version, "router", base="haproxy-router-base"),
        "images/router/base/Dockerfile.ocp": dockerfile(
            version,
            "router",
            label="What routers stand on",
            extra="RUN mkdir -p /var/haproxy\n",
        ),
    }


def _images(version: str) -> dict[str, str]:
    """What all stands on: a base, and a builder that has a `go`."""
    here = Path(__file__).parent
    return {
        "base/Dockerfile": f"FROM registry.ci.openshift.org/ocp/{version}:root\n"
        "ENV PATH=/usr/local/bin:/usr/bin:/bin:/sbin\n",
        "builder/Dockerfile": f"FROM registry.ci.openshift.org/ocp/{version}:base-rhel9\n"
        "COPY go go.awk /usr/local/bin/\n",
        "builder/go": (here / "go").read_text(),
        "builder/go.awk": (here / "go.awk").read_text(),
    }
