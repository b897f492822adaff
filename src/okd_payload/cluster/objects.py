# SPDX-License-Identifier: Apache-2.0
"""What this room itself has to know of an object, and how others read the rest of it.

Objects are bytes, and stay what the server sent: here only which one it is, and which state of
it. In lists of the kinds that come with Kubernetes the objects do not say of which kind they are;
that is added, so that an object reads the same however it came. Whoever reads more brings a struct.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from okd_payload.cluster.protocol import ObjectKind
from okd_payload.errors import ClusterError

Shape = TypeVar("Shape", bound=msgspec.Struct)

_NO_SERVER = (
    "something else may answer in its place, as a proxy or a login does: check the server of the "
    "kubeconfig's context"
)


class Identity(msgspec.Struct, frozen=True):
    """The metadata that tells objects and their states apart."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = msgspec.field(name="resourceVersion", default="")

    @property
    def place(self) -> tuple[str, str]:
        """Where one object can be at a time."""
        return self.namespace, self.name


class _Object(msgspec.Struct, frozen=True):
    metadata: Identity
    kind: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    resource_version: str = msgspec.field(name="resourceVersion", default="")
    continues: str = msgspec.field(name="continue", default="")


class Page(msgspec.Struct, frozen=True):
    """A part of a list."""

    metadata: _Metadata
    items: list[msgspec.Raw] | None = None


_decode_metadata = msgspec.json.Decoder(_Object).decode
_decode_page = msgspec.json.Decoder(Page).decode


def identify(content: bytes | msgspec.Raw) -> Identity:
    """Which object it is. Raises ClusterError when it is none."""
    try:
        return _decode_metadata(content).metadata
    except msgspec.MsgspecError as error:
        raise strange_answer(f"the answer is no object of an API: {error}") from error


def read_page(body: bytes, about: str) -> Page:
    """The part of a list in an answer. Raises ClusterError."""
    try:
        return _decode_page(body)
    except msgspec.MsgspecError as error:
        raise strange_answer(f"{about}: the answer is no list of an API: {error}") from error


def with_kind(content: msgspec.Raw, kind: ObjectKind) -> bytes:
    """The object, with the kind that a list may leave out. Raises ClusterError."""
    whole = bytes(content)
    try:
        named = _decode_metadata(whole).kind
    except msgspec.MsgspecError as error:
        raise strange_answer(f"an item of a list is no object of an API: {error}") from error
    if named:
        return whole
    head = f'{{"kind":"{kind.kind}","apiVersion":"{kind.api_version}",'.encode()
    return head + whole.lstrip()[1:].lstrip()


def decode_object(content: bytes, shape: type[Shape], kind: ObjectKind) -> Shape:
    """The object in ``content``, of which ``shape`` has what is read. Raises ClusterError."""
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.MsgspecError as error:
        raise ClusterError(
            f"the cluster has a {kind.kind} that is none: {error}",
            hint=f"see what it is: `kubectl get {kind.resource} -o yaml`",
        ) from error


def strange_answer(message: str) -> ClusterError:
    """The error for an answer that no server of the API gives."""
    return ClusterError(message, hint=_NO_SERVER)
