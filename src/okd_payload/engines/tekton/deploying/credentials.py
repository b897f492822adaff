# SPDX-License-Identifier: Apache-2.0
"""Whether the Secrets that a deployment names are there and of use; their content is never shown.

Builds push with them, so it is better to know now than after the first hour. What cannot be
read is no fault: the right to read Secrets is one that few should have.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

import msgspec

from okd_payload.cluster import Cluster, kinds
from okd_payload.cluster.objects import strange_answer
from okd_payload.engines.tekton.deploying import codes
from okd_payload.engines.tekton.deploying.survey import find
from okd_payload.errors import InvalidDocument, NotPermitted
from okd_payload.issues import Issue
from okd_payload.oci.reference import Reference
from okd_payload.oci.registry.credentials import AuthFile, decode_auth_file

_TYPE = "kubernetes.io/dockerconfigjson"
_KEY = ".dockerconfigjson"


class _Secret(msgspec.Struct, frozen=True):
    type: str = "Opaque"
    data: dict[str, str] = {}


async def check_credentials(
    cluster: Cluster, name: str, *, namespace: str, repositories: Iterable[Reference]
) -> list[Issue]:
    """What is wrong with the Secret ``name`` for pushing to ``repositories``."""
    needed = tuple(repositories)
    try:
        content = await find(cluster, kinds.SECRET, name, namespace=namespace)
    except NotPermitted as error:
        return [codes.CREDENTIALS_UNSEEN.issue(f"Secret {name}: {error.message}")]
    if content is None:
        return [
            codes.CREDENTIALS_MISSING.issue(
                f"there is no Secret {name} in namespace {namespace}",
                hint=_command(name, namespace),
            )
        ]
    return list(_check(name, namespace, _read(content), needed))


async def check_webhook_secret(
    cluster: Cluster, name: str, key: str, *, namespace: str
) -> list[Issue]:
    """What is wrong with the Secret ``name`` by whose entry ``key`` events are verified."""
    try:
        content = await find(cluster, kinds.SECRET, name, namespace=namespace)
    except NotPermitted as error:
        return [codes.CREDENTIALS_UNSEEN.issue(f"Secret {name}: {error.message}")]
    if content is not None and _read(content).data.get(key):
        return []
    state = "has no entry" if content is not None else "is not there, which would need an entry"
    return [
        codes.WEBHOOK_SECRET.issue(
            f"Secret {name} in namespace {namespace} {state} {key}",
            hint=f'kubectl -n {namespace} create secret generic {name} --from-literal={key}="$('
            'openssl rand -hex 32)"',
        )
    ]


def _check(
    name: str, namespace: str, secret: _Secret, repositories: Iterable[Reference]
) -> Iterator[Issue]:
    if secret.type != _TYPE or _KEY not in secret.data:
        yield codes.CREDENTIALS_WRONG.issue(
            f"Secret {name} in namespace {namespace} is of type {secret.type}, not {_TYPE}",
            hint=_command(name, namespace),
        )
        return
    try:
        file = _decode(name, secret.data[_KEY])
        unknown = [repository for repository in repositories if not _knows(file, repository)]
    except InvalidDocument as error:
        yield codes.CREDENTIALS_WRONG.issue(
            f"Secret {name} in namespace {namespace}, {_KEY}: {error.detail}",
            hint=_command(name, namespace),
        )
        return
    for repository in unknown:
        yield codes.CREDENTIALS_INCOMPLETE.issue(
            f"Secret {name} in namespace {namespace} has nothing for {repository.repository}",
            hint=f"add an entry for {repository.host} or for the repository, if it asks for one",
        )


def _knows(file: AuthFile, repository: Reference) -> bool:
    return file.find(repository.host, repository.path) is not None


def _decode(name: str, encoded: str) -> AuthFile:
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDocument("is not base64", path=name) from None
    return decode_auth_file(content, name=name)


def _read(content: bytes) -> _Secret:
    try:
        return msgspec.json.decode(content, type=_Secret)
    except msgspec.DecodeError:  # whose message might quote what it read
        raise strange_answer("the cluster answers with something else than a Secret") from None


def _command(name: str, namespace: str) -> str:
    return (
        f"kubectl -n {namespace} create secret generic {name} --type {_TYPE} "
        f"--from-file {_KEY}=$HOME/.config/containers/auth.json, with a file that has only what "
        "this stream needs"
    )
