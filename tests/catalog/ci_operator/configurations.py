# SPDX-License-Identifier: Apache-2.0
"""Small trees of configurations for the tests beside this file."""

from __future__ import annotations

from pathlib import Path

from okd_payload.catalog.ci_operator.components import ImportedComponents, make_components
from okd_payload.catalog.ci_operator.selection import want
from okd_payload.catalog.ci_operator.tree import read_tree

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "ci-operator-config"


def write_configuration(
    root: Path, repo: str, branch: str, text: str, *, variant: str = "", org: str = "openshift"
) -> Path:
    """Write the configuration of a branch where OpenShift's repository has it."""
    mark = f"__{variant}" if variant else ""
    path = root / org / repo / f"{org}-{repo}-{branch}{mark}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = f"zz_generated_metadata: {{org: {org}, repo: {repo}, branch: {branch}"
    metadata += f", variant: {variant}}}\n" if variant else "}\n"
    path.write_text(text + metadata)
    return path


def promotes(stream: str, *images: str, more: str = "") -> str:
    """The text of a configuration that builds ``images`` and promotes them to ``stream``."""
    namespace, _, name = stream.partition("/")
    items = "".join(f"- {{to: {image}}}\n" for image in images)
    target = f"- {{namespace: {namespace}, name: '{name}'{more}}}\n"
    return f"images:\n{items}promotion:\n  to:\n  {target}"


def make(root: Path, branch: str, variant: str = "", stream: str = "") -> ImportedComponents:
    """The components of the stream of ``branch``."""
    found = read_tree(root).configurations
    return make_components(found, want(found, branch=branch, variant=variant, stream=stream))
