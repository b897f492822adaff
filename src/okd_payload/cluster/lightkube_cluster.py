# SPDX-License-Identifier: Apache-2.0
"""A real cluster, through lightkube; its errors in words that say what to do."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from okd_payload.cluster.configuration import find_cluster
from okd_payload.cluster.protocol import ObjectKind
from okd_payload.errors import (
    ClusterError,
    ClusterUnavailable,
    InputError,
    NoSuchObject,
    NotPermitted,
)

if TYPE_CHECKING:
    from lightkube import AsyncClient
    from lightkube.config.kubeconfig import SingleConfig


class LightkubeCluster:
    """Implements ``Cluster``."""

    def __init__(self, client: AsyncClient, server: str) -> None:
        self._client = client
        self._server = server

    @property
    def namespace(self) -> str:
        """The namespace of the context, or of the pod we run in."""
        return str(self._client.namespace)

    async def get(self, kind: ObjectKind, name: str, *, namespace: str = "") -> bytes:
        """The object as JSON. Raises NoSuchObject, NotPermitted and ClusterUnavailable."""
        from lightkube.generic_resource import create_global_resource, create_namespaced_resource

        make = create_namespaced_resource if kind.namespaced else create_global_resource
        resource: Any = make(kind.group, kind.version, kind.kind, kind.plural)
        place = {"namespace": namespace or self.namespace} if kind.namespaced else {}
        with self._own_errors("get", kind, name, place.get("namespace", "")):
            found = await self._client.get(resource, name, **place)
        return msgspec.json.encode(found.to_dict())

    @contextlib.contextmanager
    def _own_errors(self, verb: str, kind: ObjectKind, name: str, namespace: str) -> Iterator[None]:
        """Whatever goes wrong in ``verb``, as an error of ours."""
        import httpx2
        from lightkube.exceptions import ConfigError

        place = f" in namespace {namespace}" if namespace else ""
        what = f"{kind.kind} {name}{place} of {self._server}"
        try:
            yield
        except httpx2.HTTPStatusError as error:
            right = f"{verb} {kind.resource}{place}"
            raise _judge(what, right, error.response.status_code, str(error)) from error
        except KeyError as error:  # lightkube relies on refusals having a content type
            refusal = error.__context__
            if not isinstance(refusal, httpx2.HTTPStatusError):
                raise
            right = f"{verb} {kind.resource}{place}"
            raise _judge(what, right, refusal.response.status_code, str(refusal)) from refusal
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise ClusterUnavailable(
                f"{what}: the cluster cannot be reached: {str(error) or type(error).__name__}",
                hint="check the server of the kubeconfig's context, and the network",
            ) from error
        except (ValueError, AttributeError) as error:
            raise ClusterError(f"{what}: the answer is no object of an API: {error}") from error
        except ConfigError as error:
            raise InputError(f"{what}: {error}", hint="log in anew") from error


@contextlib.asynccontextmanager
async def open_cluster(
    kubeconfig: Path | None = None, context: str = ""
) -> AsyncIterator[LightkubeCluster]:
    """The cluster that ``find_cluster`` finds. Raises InputError."""
    configuration = find_cluster(kubeconfig, context)
    client = _connect(configuration)
    try:
        yield LightkubeCluster(client, configuration.cluster.server)
    finally:
        await client.close()


def _connect(configuration: SingleConfig) -> AsyncClient:
    from lightkube import AsyncClient
    from lightkube.config.models import User
    from lightkube.exceptions import ConfigError

    named = configuration._replace(user=configuration.user or User())  # it may be nobody
    try:
        return AsyncClient(named)
    except (ConfigError, ssl.SSLError, OSError, ValueError) as error:
        raise InputError(
            f"the kubeconfig's context {configuration.context_name} cannot be used: {error}",
            hint="log in anew, or mend the certificates and keys that it names",
        ) from error


def _judge(what: str, right: str, status: int, words: str) -> ClusterError:
    """The error for an answer that is not the object."""
    if status == 404:
        return NoSuchObject(
            f"{what} is not there",
            hint="check the name, the namespace, and whether the cluster has this kind of objects",
        )
    if status == 401:
        return NotPermitted(f"{what}: the cluster does not know us", hint="log in anew")
    if status == 403:
        return NotPermitted(
            f"{what}: the right to {right} is missing",
            hint="ask an administrator of the cluster for a role that has it",
        )
    if status == 429 or status >= 500:
        return ClusterUnavailable(f"{what}: the cluster answers {words}", hint="try again later")
    return ClusterError(f"{what}: the cluster answers {words}")
