# SPDX-License-Identifier: Apache-2.0
"""The stream of the rig: a folder that names the repositories as everybody knows them.

Where they really are is git's own configuration of the home folder that the program has: half of
them behind a web server, half behind git's daemon.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
from real_program import EXAMPLE, Program
from rig_world import NEW, REPOSITORIES

HUB = "https://github.com/openshift"
BY_DAEMON = ("api", "cluster-etcd-operator", "client-go", "images", "installer", "oc", "router")
COMPONENTS: dict[str, tuple[str, str, str]] = {
    "base": ("images", "base", "Dockerfile"),
    "builder": ("images", "builder", "Dockerfile"),
    "cli": ("oc", "", "images/cli/Dockerfile.rhel"),
    "cli-artifacts": ("oc", "", "images/cli-artifacts/Dockerfile.rhel"),
    "cluster-config-api": ("api", "", "Dockerfile.ocp"),
    "cluster-config-operator": ("cluster-config-operator", "", "Dockerfile.ocp"),
    "cluster-etcd-operator": ("cluster-etcd-operator", "", "Dockerfile.ocp"),
    "cluster-ingress-operator": ("cluster-ingress-operator", "", "Dockerfile.ocp"),
    "cluster-version-operator": ("cluster-version-operator", "", "Dockerfile.ocp"),
    "etcd": ("etcd", "", "Dockerfile.openshift"),
    "haproxy-router": ("router", "", "Dockerfile.openshift"),
    "haproxy-router-base": ("router", "images/router/base", "Dockerfile.ocp"),
    "installer": ("installer", "", "Dockerfile.ocp"),
    "installer-artifacts": ("installer", "", "Dockerfile.artifacts"),
    "kube-rbac-proxy": ("kube-rbac-proxy", "", "Dockerfile.openshift"),
    "machine-config-operator": ("machine-config-operator", "", "Dockerfile.ocp"),
    "machine-os-content": ("os", "", "Dockerfile"),
}
"""Repository, context and Dockerfile of each."""
ON_API = {
    "cli",
    "cluster-config-api",
    "cluster-config-operator",
    "cluster-etcd-operator",
    "cluster-ingress-operator",
    "cluster-version-operator",
    "installer",
    "machine-config-operator",
}
"""What has openshift/api in it, directly, through a library, or as its own source."""
EXCEPTIONS = {"etcd": f"openshift-{NEW}", "kube-rbac-proxy": "main"}

_STREAM = """\
# A small OpenShift, of repositories that the tests make.
name: rig

catalog:
  - components: components{further}

git:
  branch: {branch}  # what everybody builds{exceptions}

substitutions:
  - glob: registry.ci.openshift.org/ocp/builder:*
    image: builder
  - glob: registry.ci.openshift.org/ocp/*:base-rhel9
    image: base
  - glob: registry.ci.openshift.org/ocp/*:*
    image: "{{2}}"

imports:
  root:
    command: [{root}]

publish:
  content: {host}/{project}/content
  releases: {host}/{project}/release

release:
  version: "4.16.0"
"""
_DEBIAN = EXAMPLE.parent / "debian"
_REAL = ("base", "builder")
"""Components that the debian example has, with the real thing in them."""


def write_stream(
    folder: Path,
    *,
    host: str = "registry.example.org",
    project: str = "rig",
    branch: str = f"release-{NEW}",
    exceptions: dict[str, str] = EXCEPTIONS,
    real_go: bool = False,
) -> Path:
    """Write the stream below ``folder``; images will be published at ``host``/``project``.

    With ``real_go`` all stands on the base and the builder of the debian example.
    """
    (folder / "components").mkdir(parents=True)
    lines = "".join(f"\n    {name}: {ref}" for name, ref in exceptions.items())
    text = _STREAM.format(
        branch=branch,
        exceptions=f"\n  exceptions:{lines}" if exceptions else "",
        root=(_DEBIAN if real_go else EXAMPLE) / "root.sh",
        further="".join(f"\n  - components: {_DEBIAN}/components/{name}.yaml" for name in _REAL)
        if real_go
        else "",
        host=host,
        project=project,
    )
    if real_go:
        text += '\nenvironment:\n  GO111MODULE: "on"\n'
    (folder / "stream.yaml").write_text(text)
    for name, (repository, context, dockerfile) in COMPONENTS.items():
        if real_go and name in _REAL:
            continue
        text = f"# {name.replace('-', ' ')}, as the rig has it.\n"
        text += f"source: {{git: {HUB}/{repository}}}\n"
        text += f"context: {context}\n" if context else ""
        text += f"dockerfile: {dockerfile}\n" if dockerfile != "Dockerfile" else ""
        (folder / "components" / f"{name}.yaml").write_text(text)
    return folder


def program_in(program: Program, spec: str) -> bytes:
    """The files of the layer that an image was made of, one behind the other."""
    blobs = program.images("rig") / "blobs" / "sha256"
    manifest = msgspec.json.decode((blobs / spec.rpartition(":")[2]).read_bytes())
    layer = manifest["layers"][-1]["digest"].rpartition(":")[2]
    done = subprocess.run(["tar", "-xzOf", blobs / layer], check=True, capture_output=True)
    return done.stdout


def lead_to_servers(program: Program, http: str, daemon: str) -> None:
    """Let the git of ``program`` find the repositories at these servers."""
    lines = []
    for name in REPOSITORIES:
        server = daemon if name in BY_DAEMON else http
        lines += [f'[url "{server}/openshift/{name}"]', f"\tinsteadOf = {HUB}/{name}"]
    (program.home / ".gitconfig").write_text("\n".join(lines) + "\n")
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        program.environment.pop(name, None)
    program.environment["GIT_CONFIG_NOSYSTEM"] = "1"
