# SPDX-License-Identifier: Apache-2.0
"""The ImageStream object of OpenShift (``image.openshift.io/v1``), as files hold it.

Such files are the input and the ``image-references`` of releases, so reading follows Go's rules
to the letter (keys in any case, YAML 1.1, the first document) and writing gives Go's bytes. The
fields are those that releases use, in Go's order; all others are dropped on reading. What a tag
finally refers to is for the reader of the stream to decide: nothing is resolved here.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from okd_payload.documents.files import read_file
from okd_payload.errors import InvalidDocument
from okd_payload.imagestream import go_json
from okd_payload.imagestream.go_plain_json import parse_plain_json
from okd_payload.imagestream.go_values import OMIT_EMPTY, convert

KIND = "ImageStream"
API_VERSION = "image.openshift.io/v1"
DOCKER_IMAGE = "DockerImage"

_OptionalText = Annotated[str, OMIT_EMPTY]
_OptionalFlag = Annotated[bool, OMIT_EMPTY]


class ObjectReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a tag follows: an image (``DockerImage``), or a tag or image of a cluster."""

    kind: _OptionalText = ""
    namespace: _OptionalText = ""
    name: _OptionalText = ""


class ImportPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a cluster imports the image of a tag."""

    insecure: _OptionalFlag = False
    scheduled: _OptionalFlag = False
    import_mode: _OptionalText = ""


class ReferencePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How a cluster rewrites references to a tag: ``Source``, ``Local`` or nothing."""

    type: str = ""


class TagReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tag as it is wanted (``spec.tags``)."""

    name: str = ""
    annotations: dict[str, str] | None = None
    origin: Annotated[ObjectReference | None, OMIT_EMPTY] = msgspec.field(default=None, name="from")
    reference: _OptionalFlag = False
    generation: int | None = None
    import_policy: ImportPolicy = ImportPolicy()
    reference_policy: ReferencePolicy = ReferencePolicy()


class LookupPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Whether pods of the namespace may use tags as images."""

    local: bool = False


class ImageStreamSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is wanted of a stream."""

    lookup_policy: LookupPolicy = LookupPolicy()
    docker_image_repository: _OptionalText = ""
    tags: Annotated[tuple[TagReference, ...], OMIT_EMPTY] = ()


class TagEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One image that a tag pointed at, the newest first."""

    created: datetime | None = None
    docker_image_reference: str = ""
    image: str = ""
    generation: int = 0


class TagEventCondition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a cluster has to say about the import of a tag."""

    type: str = ""
    status: str = ""
    last_transition_time: datetime | None = None
    reason: _OptionalText = ""
    message: _OptionalText = ""
    generation: int = 0


class TagHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A tag as a cluster sees it (``status.tags``)."""

    tag: str = ""
    items: tuple[TagEvent, ...] | None = None
    conditions: Annotated[tuple[TagEventCondition, ...], OMIT_EMPTY] = ()


class ImageStreamStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a cluster made of a stream: its own and its public repository, and the history."""

    docker_image_repository: str = ""
    public_docker_image_repository: _OptionalText = ""
    tags: Annotated[tuple[TagHistory, ...], OMIT_EMPTY] = ()


class ObjectMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Name, time and notes of an object."""

    name: _OptionalText = ""
    namespace: _OptionalText = ""
    creation_timestamp: datetime | None = None
    annotations: Annotated[dict[str, str], OMIT_EMPTY] = {}


class RawImageStream(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An ImageStream object, not interpreted."""

    kind: _OptionalText = KIND
    api_version: _OptionalText = API_VERSION
    metadata: ObjectMetadata = ObjectMetadata()
    spec: ImageStreamSpec = ImageStreamSpec()
    status: ImageStreamStatus = ImageStreamStatus()


class _TypeMeta(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    kind: str = ""
    api_version: str = ""


def read_image_stream_file(path: Path) -> RawImageStream:
    """The stream in the file at ``path``. Raises InvalidDocument."""
    return parse_image_stream(read_file(path), path=str(path))


def parse_image_stream(content: bytes, *, path: str) -> RawImageStream:
    """The stream in ``content``, YAML or JSON; ``path`` is only named in errors.

    Raises InvalidDocument, also when it holds another kind of object.
    """
    value = _parse(content, path)
    found = convert(value, _TypeMeta, path=path, text_of=_text_of)
    if (found.kind, found.api_version) != (KIND, API_VERSION):
        raise InvalidDocument(
            f"not an {KIND} in {API_VERSION}, "
            f"but kind {found.kind!r} in apiVersion {found.api_version!r}",
            path=path,
            hint="give what `oc get imagestream NAME -o yaml` prints",
        )
    return convert(value, RawImageStream, path=path, text_of=_text_of)


def encode_image_stream(stream: RawImageStream) -> bytes:
    """``stream`` as Go writes it: two-space indented JSON without a final newline."""
    return go_json.encode(stream, indent=2)


def _parse(content: bytes, path: str) -> Any:
    value = parse_plain_json(content)
    if value is not None:
        return value
    from okd_payload.imagestream import go_yaml

    return go_yaml.parse(content, path=path)


def _text_of(value: Any) -> str | None:
    from okd_payload.imagestream import go_yaml

    return go_yaml.text_of(value)
