# SPDX-License-Identifier: Apache-2.0
"""Letting Argo CD or Flux keep a deployment as its repository has it.

Both apply a folder of the repository, the one that ``deploy tekton --to`` writes. Both are told
to apply on the server and to remove what is gone, as ``deploy`` itself does. Argo CD compares on
the server too: Tekton's webhooks fill in defaults, which would otherwise look like drift for
ever. Whoever has neither has the job of ``deploy --follow``.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Manifest, Metadata, Part
from okd_payload.engines.tekton.triggers.settings import StreamSource

ARGO_NAMESPACE, FLUX_NAMESPACE = "argocd", "flux-system"
_THIS_CLUSTER = "https://kubernetes.default.svc"
_OFTEN, _SELDOM = "5m0s", "30m0s"


class ApplicationSource(Part, frozen=True, kw_only=True):
    """What Argo CD reads."""

    repo_url: str = msgspec.field(name="repoURL")
    target_revision: str
    path: str


class Destination(Part, frozen=True, kw_only=True):
    """Where Argo CD applies it."""

    server: str
    namespace: str


class AutomatedSync(Part, frozen=True, kw_only=True):
    """What Argo CD does without being asked."""

    prune: bool
    self_heal: bool


class SyncPolicy(Part, frozen=True, kw_only=True):
    """How Argo CD applies it."""

    automated: AutomatedSync
    sync_options: tuple[str, ...]


class ApplicationSpecification(Part, frozen=True, kw_only=True):
    """What is applied where, and how."""

    project: str
    source: ApplicationSource
    destination: Destination
    sync_policy: SyncPolicy


class Application(Manifest, frozen=True, kw_only=True):
    """An Application of Argo CD."""

    spec: ApplicationSpecification


class GitReference(Part, frozen=True, kw_only=True):
    """What Flux follows."""

    branch: str


class GitRepositorySpecification(Part, frozen=True, kw_only=True):
    """A repository, and how often it is looked at."""

    interval: str
    url: str
    ref: GitReference


class GitRepository(Manifest, frozen=True, kw_only=True):
    """A repository that Flux follows."""

    spec: GitRepositorySpecification


class SourceReference(Part, frozen=True, kw_only=True):
    """Where a Kustomization of Flux is."""

    kind: str
    name: str


class FluxSpecification(Part, frozen=True, kw_only=True):
    """What Flux applies, and how."""

    interval: str
    path: str
    prune: bool
    source_ref: SourceReference
    timeout: str


class FluxKustomization(Manifest, frozen=True, kw_only=True):
    """What Flux applies."""

    spec: FluxSpecification


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that follows its repository."""

    name: str
    namespace: str
    """Where it is deployed."""
    source: StreamSource
    """``folder`` is that of the objects, as ``deploy tekton --to`` wrote them."""


def make_application(followed: Followed, *, namespace: str = ARGO_NAMESPACE) -> Application:
    """The Application; ``namespace`` is that of Argo CD."""
    source = followed.source
    return Application(
        api_version=kinds.APPLICATION.api_version,
        kind=kinds.APPLICATION.kind,
        metadata=Metadata(
            name=followed.name,
            namespace=namespace,
            annotations={
                "argocd.argoproj.io/compare-options": "ServerSideDiff=true,"
                "IncludeMutationWebhook=true"
            },
        ),
        spec=ApplicationSpecification(
            project="default",
            source=ApplicationSource(
                repo_url=source.url,
                target_revision=source.ref or "HEAD",
                path=source.folder or ".",
            ),
            destination=Destination(server=_THIS_CLUSTER, namespace=followed.namespace),
            sync_policy=SyncPolicy(
                automated=AutomatedSync(prune=True, self_heal=True),
                sync_options=("ServerSideApply=true", "PruneLast=true"),
            ),
        ),
    )


def make_flux_objects(
    followed: Followed, *, namespace: str = FLUX_NAMESPACE
) -> tuple[GitRepository, FluxKustomization]:
    """The repository and the Kustomization; ``namespace`` is that of Flux."""
    source, metadata = followed.source, Metadata(name=followed.name, namespace=namespace)
    return (
        GitRepository(
            api_version=kinds.FLUX_GIT_REPOSITORY.api_version,
            kind=kinds.FLUX_GIT_REPOSITORY.kind,
            metadata=metadata,
            spec=GitRepositorySpecification(
                interval=_OFTEN, url=source.url, ref=GitReference(branch=source.ref or "main")
            ),
        ),
        FluxKustomization(
            api_version=kinds.FLUX_KUSTOMIZATION.api_version,
            kind=kinds.FLUX_KUSTOMIZATION.kind,
            metadata=metadata,
            spec=FluxSpecification(
                interval=_SELDOM,
                path=f"./{source.folder}",
                prune=True,
                source_ref=SourceReference(kind=kinds.FLUX_GIT_REPOSITORY.kind, name=followed.name),
                timeout=_OFTEN,
            ),
        ),
    )
