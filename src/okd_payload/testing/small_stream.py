# SPDX-License-Identifier: Apache-2.0
"""The smallest images that make a payload: an operator, its operand, and the base of releases.

Real images with real tar layers, in whatever repository is given, so that releases of them can be
assembled, checked and read. ``change`` goes into the operand: another one is another payload.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence

from okd_payload.oci.digest import Digest
from okd_payload.oci.repository import Repository
from okd_payload.testing.images import push_image

OPERATOR_LABEL = {"io.openshift.release.operator": "true"}
NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: etcd
  annotations: {include.release.openshift.io/self-managed-high-availability: "true"}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: etcd
  namespace: etcd
  annotations: {include.release.openshift.io/self-managed-high-availability: "true"}
spec:
  selector: {matchLabels: {app: etcd}}
  template:
    metadata: {labels: {app: etcd}}
    spec: {containers: [{name: etcd, image: "quay.io/openshift/origin-etcd:latest"}]}
"""
REFERENCES = """\
kind: ImageStream
apiVersion: image.openshift.io/v1
spec:
  tags:
  - name: etcd
    from: {kind: DockerImage, name: "quay.io/openshift/origin-etcd:latest"}
"""
OPERATOR_FILES = {
    "manifests/0000_12_etcd-operator_00_namespace.yaml": NAMESPACE,
    "manifests/0000_12_etcd-operator_01_deployment.yaml": DEPLOYMENT,
    "manifests/image-references": REFERENCES,
}
BASE_FILES = {
    "manifests/0000_00_cluster-version-operator_00_namespace.yaml": NAMESPACE.replace(
        "name: etcd", "name: openshift-cluster-version"
    )
}


async def push_small_stream(
    repository: Repository,
    *,
    change: str = "one",
    files: Mapping[str, str] = OPERATOR_FILES,
    more: int = 0,
) -> dict[str, Digest]:
    """Push the three images under their tags, and ``more`` operands; their digests by tag.

    With other ``files`` the operator brings other manifests, broken ones too.
    """
    made = {
        "cluster-version-operator": await push_component(
            repository, "cluster-version-operator", BASE_FILES
        ),
        "etcd": await push_component(repository, "etcd", {"etcd": f"the program {change}"}),
        "etcd-operator": await push_component(
            repository, "etcd-operator", files, labels=OPERATOR_LABEL
        ),
    }
    for number in range(more):
        tag = f"operand-{number:03}"
        made[tag] = await push_component(repository, tag, {"program": f"{tag} {change}"})
    return made


async def push_component(
    repository: Repository,
    tag: str,
    files: Mapping[str, str],
    *,
    labels: Mapping[str, str] | None = None,
    entrypoint: Sequence[str] = (),
) -> Digest:
    """Push an image whose one layer holds ``files``; its digest."""
    source = {
        "io.openshift.build.source-location": f"https://github.com/example/{tag}",
        "io.openshift.build.commit.id": "0123456789012345678901234567890123456789",
    }
    manifest = await push_image(
        repository,
        tag=tag,
        layers=[_archive(files)],
        labels=source | dict(labels or {}),
        entrypoint=entrypoint,
    )
    return manifest.digest


def _archive(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()
