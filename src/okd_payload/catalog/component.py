# SPDX-License-Identifier: Apache-2.0
"""A component: the definition of one image of a stream, independent of who builds it.

The meaning of every field is that of a BuildConfig with the docker strategy
(reference ``okd-pipelines.md`` 1.4, items 1 to 8), whichever format it was read from.
"""

from __future__ import annotations

import enum

import msgspec

from okd_payload.source.model import Source


class Layering(enum.Enum):
    """How many layers an image adds to its base (BuildConfig: ``imageOptimizationPolicy``)."""

    ONE = "one"
    EACH = "each"


class Sharing(enum.Enum):
    """Whether OKD and OCP ship the same image of a component."""

    SHARED = "shared"
    SPECIFIC = "specific"
    """Built for OKD, from another base, with other arguments or another Dockerfile."""


class Argument(msgspec.Struct, frozen=True):
    """A named value: a build argument or an environment variable."""

    name: str
    value: str = ""


class Copy(msgspec.Struct, frozen=True):
    """A file or folder taken out of an image into the repository before anything is read.

    ``destination`` is relative to the repository root, not to the context directory; a source
    that is a file lands inside the destination folder.
    """

    source: str
    destination: str


class ImageInput(msgspec.Struct, frozen=True, kw_only=True):
    """Another image that a build uses.

    ``image`` is a tag of the stream, or a pull spec. Each of ``aliases`` is a literal: a FROM
    or COPY --from operand that is exactly equal means this image.
    """

    image: str
    aliases: tuple[str, ...] = ()
    copies: tuple[Copy, ...] = ()


class Resources(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Kubernetes quantities as text; empty means unlimited."""

    cpu_request: str = ""
    cpu_limit: str = ""
    memory_request: str = ""
    memory_limit: str = ""


class Origin(msgspec.Struct, frozen=True):
    """Where a definition stands, for messages."""

    file: str
    line: int = 0


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a stream. Exactly one of ``dockerfile_path`` and ``dockerfile`` counts."""

    name: str
    tag: str
    """The stream tag that its image gets; equal to ``name`` nearly always."""
    origin: Origin
    source: Source | None = None
    """None for an image made of other images only."""
    patches: str = ""
    """A folder of patches that are applied to the source; empty for none."""
    context_directory: str = "."
    dockerfile_path: str = "Dockerfile"
    """Relative to the context directory."""
    dockerfile: str | None = None
    """Inline text; wins over ``dockerfile_path``."""
    base: str = ""
    """Replaces the image of the *last* FROM: a stream tag or a pull spec."""
    inputs: tuple[ImageInput, ...] = ()
    build_arguments: tuple[Argument, ...] = ()
    """In order; of equal names the later one wins."""
    offered_arguments: tuple[Argument, ...] = ()
    """Of the whole stream: given where the Dockerfile declares the name and
    ``build_arguments`` does not give it."""
    environment: tuple[Argument, ...] = ()
    """One ENV instruction after every FROM."""
    labels: tuple[Argument, ...] = ()
    """Of the image (BuildConfig: ``output.imageLabels``)."""
    selector_labels: tuple[Argument, ...] = ()
    """For overlays to select by; no image carries them (BuildConfig: ``metadata.labels``)."""
    layering: Layering = Layering.ONE
    resources: Resources = Resources()
    sharing: Sharing | None = None
    """None when nobody has said."""
    sharing_reason: str = ""
