# SPDX-License-Identifier: Apache-2.0
"""Streams for the tests of commands: small, and with every kind of image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

STREAM = """\
name: small
catalog: [{components: components}]
publish: {content: registry.example.org/small/content, releases: registry.example.org/small/release}
release: {version: "4.20.0", name: "{version}-0.{stream}-{inputs}"}
substitutions:
  - {glob: "registry.ci.openshift.org/ocp/*:base", image: base}
imports:
  root: {command: [./root.sh]}
  kuryr: {tag: base, stub: nobody builds it}
"""
COMPONENTS = {
    "base": "inlineDockerfile: |\n  FROM root\n  ENV PATH=/bin\n",
    "cluster-version-operator": "source: {folder: ../cvo}\n",
    "etcd": "source: {folder: ../etcd}\n",
    "etcd-operator": "source: {folder: ../etcd-operator}\n",
}
BASE = "registry.ci.openshift.org/ocp/4.20:base"
SOURCES = {
    "cvo/Dockerfile": f"FROM {BASE}\nCOPY manifests /manifests\n",
    "cvo/manifests/00.yaml": "kind: Namespace\napiVersion: v1\nmetadata: {name: cvo}\n",
    "etcd/Dockerfile": f"FROM {BASE}\nCOPY etcd.sh /bin/etcd\nRUN chmod 755 /bin/etcd\n",
    "etcd/etcd.sh": "#!/bin/sh\necho etcd 3.5\n",
    "etcd-operator/Dockerfile": f"FROM {BASE}\nCOPY manifests /manifests\n"
    "LABEL io.openshift.release.operator=true\n",
    "etcd-operator/manifests/0000_12_etcd_00.yaml": "kind: Namespace\napiVersion: v1\n"
    "metadata: {name: etcd, annotations: {include.release.openshift.io/hypershift: 'true'}}\n",
    "etcd-operator/manifests/0000_12_etcd_01.yaml": "kind: ConfigMap\napiVersion: v1\n"
    "metadata: {name: etcd, namespace: etcd,"
    " annotations: {include.release.openshift.io/hypershift: 'true'}}\n"
    "data: {image: quay.io/openshift/origin-etcd:latest}\n",
    "etcd-operator/manifests/image-references": "kind: ImageStream\n"
    "apiVersion: image.openshift.io/v1\n"
    "spec: {tags: [{name: etcd, from: {kind: DockerImage, "
    "name: 'quay.io/openshift/origin-etcd:latest'}}]}\n",
}
ROOT = """\
#!/bin/sh
# A root file system of busybox alone.
set -e
folder=$(mktemp -d)
mkdir -p "$folder/bin"
cp "$(command -v busybox)" "$folder/bin/busybox"
for name in sh chmod cat echo; do ln -s busybox "$folder/bin/$name"; done
tar -c -C "$folder" bin
rm -r "$folder"
"""


def write_stream(
    folder: Path,
    *,
    stream: str = STREAM,
    components: Mapping[str, str] = COMPONENTS,
    sources: Mapping[str, str] = SOURCES,
) -> Path:
    """Write a stream into ``folder`` and return its file."""
    files = {"stream.yaml": stream, "root.sh": ROOT, **sources}
    files |= {f"components/{name}.yaml": text for name, text in components.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "root.sh").chmod(0o755)
    return folder / "stream.yaml"


def inline(dockerfile: str) -> str:
    """A component file with ``dockerfile`` in it."""
    return "inlineDockerfile: |\n" + "".join(f"  {line}\n" for line in dockerfile.splitlines())
