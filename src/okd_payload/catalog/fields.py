# SPDX-License-Identifier: Apache-2.0
"""The parts that stream files and component files share, as people write them.

Names are those of ``Component`` in camel case. Every text that something else will parse has
its grammar here, so that editors (through the published JSON Schema) and error messages know
it; a description is the hint of the error as well. Numbers are not taken for texts: YAML reads
``4.20`` as 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from okd_payload.catalog.component import Argument, Copy, ImageInput, Resources


def whole(pattern: str) -> str:
    """``pattern`` as one for the whole text; a bare ``$`` would let a line break pass."""
    return rf"^(?:{pattern})(?![\r\n])$"


NAME_PATTERN = whole(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")
Name = Annotated[
    str,
    Meta(
        pattern=NAME_PATTERN,
        description="a name: lower case letters, digits, '.' and '-', at most 63",
    ),
]
Tag = Annotated[
    str,
    Meta(
        pattern=whole(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
        description="a tag: up to 128 letters, digits, '_', '.' and '-'",
    ),
]
ImageName = Annotated[
    str,
    Meta(pattern=whole(r"\S+"), description="a tag of the stream, or a pull spec with its host"),
]
VariableName = Annotated[
    str,
    Meta(
        pattern=whole(r"[A-Za-z_][A-Za-z0-9_.-]*"),
        description="a variable name: letters, digits and '_'",
    ),
]
LabelName = Annotated[
    str, Meta(pattern=whole(r"[^\s\"'$\\=`]+"), description="a label name, without spaces")
]
Line = Annotated[
    str, Meta(pattern=whole(r"[^\r\n]*"), description="one line; in YAML use '>-' to fold lines")
]
RelativePath = Annotated[
    str,
    Meta(
        pattern=whole(r"(?!/)(?!(?:.*/)?\.\.(?:/|$))[^\r\n]+"),
        description="a relative path that stays inside, without '..'",
    ),
]
Quantity = (
    Annotated[
        str,
        Meta(
            pattern=whole(r"[0-9]+(?:\.[0-9]+)?(?:m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?"),
            description="a Kubernetes quantity: 500m, 4, 8Gi",
        ),
    ]
    | int
    | float
)


class Written(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="camel",
):
    """Base of all parts: unknown fields are errors, nothing is positional."""


class Amounts(Written, frozen=True, kw_only=True):
    """CPU and memory; what is absent is unlimited."""

    cpu: Quantity | None = None
    memory: Quantity | None = None


class ResourceFields(Written, frozen=True, kw_only=True):
    """What a build asks for and what it may use at most, as in Kubernetes."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()

    def to_resources(self) -> Resources:
        """The same as one flat value."""
        return Resources(
            cpu_request=_text_of(self.requests.cpu),
            cpu_limit=_text_of(self.limits.cpu),
            memory_request=_text_of(self.requests.memory),
            memory_limit=_text_of(self.limits.memory),
        )


class CopyFields(Written, frozen=True, kw_only=True):
    """A file or folder taken out of an image into the checkout before anything is read."""

    source: Annotated[
        str, Meta(pattern=whole(r"/[^\r\n]*"), description="an absolute path in the image")
    ] = msgspec.field(name="from")
    destination: Annotated[
        RelativePath,
        Meta(description="a folder, relative to the root of the repository, without '..'"),
    ] = msgspec.field(name="to", default=".")


class InputFields(Written, frozen=True, kw_only=True):
    """Another image that a build uses: under other names, or for files of it."""

    image: ImageName
    aliases: Annotated[
        tuple[str, ...],
        Meta(description="operands of FROM and COPY --from that mean this image, exactly equal"),
    ] = ()
    copies: tuple[CopyFields, ...] = ()


def arguments_of(texts: Mapping[str, str]) -> tuple[Argument, ...]:
    """A mapping as written, as named values in its order."""
    return tuple(Argument(name, value) for name, value in texts.items())


def inputs_of(inputs: Iterable[InputFields]) -> tuple[ImageInput, ...]:
    """The inputs as written, as those of a component."""
    return tuple(
        ImageInput(
            image=item.image,
            aliases=item.aliases,
            copies=tuple(Copy(copy.source, copy.destination) for copy in item.copies),
        )
        for item in inputs
    )


def _text_of(quantity: str | float | None) -> str:
    return "" if quantity is None else str(quantity)
