# SPDX-License-Identifier: Apache-2.0
"""A small stream that gives a real release: an operator, its operand, and what all stands on."""

from __future__ import annotations

from pathlib import Path

from streams import inline, write_stream
from workshop import Workshop, from_git

from okd_payload.build.job import BuildOutcome, release_images
from okd_payload.build.releasing import ReleaseOutcome
from okd_payload.build.report import ReleaseResult
from okd_payload.catalog.catalog import Catalog
from okd_payload.source.lock import Lock

OPERATOR = "FROM base\nLABEL io.openshift.release.operator=true\n"
CONTENT, RELEASES = "quay.io/me/content", "quay.io/me/release"
STREAM = f"publish: {{content: {CONTENT}, releases: {RELEASES}}}\n"
NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata: {name: etcd}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: etcd, namespace: etcd}
spec: {template: {spec: {containers: [{image: "quay.io/openshift/origin-etcd:latest"}]}}}
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
COMPONENTS = {
    "cluster-version-operator": from_git("cluster-version-operator"),
    "base": inline("FROM scratch"),
    "etcd": from_git("etcd"),
    "etcd-operator": from_git("etcd-operator"),
    "tools": inline("FROM base\nCOPY --from=etcd /a /a"),
}


def put_sources(workshop: Workshop) -> None:
    """The sources of ``COMPONENTS``."""
    workshop.put("cluster-version-operator", "FROM base\n", {"manifests/00.yaml": NAMESPACE})
    workshop.put("etcd", "FROM base\n", {"etcd": "the program"})
    workshop.put("etcd-operator", OPERATOR, OPERATOR_FILES)


def make_catalog(folder: Path, *, stream: str = STREAM) -> Catalog:
    """A stream of ``COMPONENTS``."""
    return write_stream(folder, COMPONENTS, stream=stream)


async def release(workshop: Workshop, catalog: Catalog, outcome: BuildOutcome) -> ReleaseOutcome:
    """The release of what a run made."""
    return await release_images(
        outcome,
        frozen=await workshop.freeze(catalog),
        maker=workshop.release_maker(catalog),
        given=Lock(),
    )


async def make_release(workshop: Workshop, folder: Path, *, stream: str = STREAM) -> ReleaseResult:
    """Build the stream and make its release."""
    put_sources(workshop)
    catalog = make_catalog(folder, stream=stream)
    made = await release(workshop, catalog, await workshop.run(catalog))
    assert made.result is not None, made.issues
    return made.result
