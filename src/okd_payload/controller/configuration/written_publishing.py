# SPDX-License-Identifier: Apache-2.0
"""Ways of publishing, and what must hold before, as they are written in a stream's file.

Which kind it is follows from the one field that is given, so no file can name a kind and mean
another. Whether what it names can be published to is for ``checks``, which judges all forms alike.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from okd_payload.catalog.fields import Tag, Written
from okd_payload.controller.configuration.durations import parse_duration
from okd_payload.controller.configuration.model import Gate, PublishAction
from okd_payload.controller.configuration.written_types import Count, Duration, Globs


class GateFields(Written, frozen=True, kw_only=True):
    """What must hold before a release is published."""

    signed: bool = False
    approvals: Count = 0
    soak: Annotated[Duration, Meta(description="how long it must have been accepted")] = "0"
    newest: Annotated[bool, Meta(description="newer by version than what is published")] = True
    keys: Annotated[
        tuple[str, ...], Meta(description="files with public keys that may have signed it")
    ] = ()
    signature_stores: Annotated[
        tuple[str, ...], Meta(description="where signatures are looked for, beside our own")
    ] = ()

    def to_gate(self) -> Gate:
        """The same as a value of the controller."""
        return Gate(
            signed=self.signed,
            approvals=self.approvals,
            soak=parse_duration(self.soak),
            newest=self.newest,
            keys=self.keys,
            stores=self.signature_stores,
        )


class PublishFields(Written, frozen=True, kw_only=True):
    """One way of publishing: one of these, and its gates."""

    tag: Annotated[Tag | None, Meta(description="a tag in the repository of the releases")] = None
    copy_to: Annotated[
        tuple[str, ...], Meta(description="repositories that the whole payload is copied to")
    ] = ()
    image_stream: Annotated[
        str, Meta(description="NAMESPACE/NAME of an image stream that gets the images")
    ] = ""
    tags: Globs = ()
    exclude: Globs = ()
    sign_with: Annotated[str, Meta(description="a key file, or gpg:KEY")] = ""
    signature_stores: Annotated[
        tuple[str, ...], Meta(description="folders or addresses that signatures are put into")
    ] = ()
    command: Annotated[tuple[str, ...], Meta(description="program and arguments")] = ()
    disabled: bool = False
    gate: GateFields = GateFields()

    def __post_init__(self) -> None:
        """Refuse nothing, and two things at once."""
        kinds = (self.tag, self.copy_to, self.image_stream, self.sign_with, self.command)
        if sum(map(bool, kinds)) != 1:
            raise ValueError("one of tag, copyTo, imageStream, signWith and command is needed")

    def to_action(self, name: str) -> PublishAction:
        """The same as a value of the controller."""
        kind = "command"
        targets: tuple[str, ...] = ()
        if self.tag:
            kind, targets = "tag", (str(self.tag),)
        elif self.copy_to:
            kind, targets = "copy", self.copy_to
        elif self.image_stream:
            kind, targets = "image-stream", (self.image_stream,)
        elif self.sign_with:
            kind, targets = "sign", self.signature_stores
        return PublishAction(
            name=name,
            kind=kind,
            targets=targets,
            tags=self.tags,
            exclude=self.exclude,
            command=self.command,
            key=self.sign_with,
            disabled=self.disabled,
            gate=self.gate.to_gate(),
        )
