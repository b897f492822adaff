# SPDX-License-Identifier: Apache-2.0
"""How large the images of a release are, and what they share.

A layer that several images have counts once in the total and for none of them alone; an image
without any layer of its own shows its last one, the first time that it is seen. Layout: ``oc adm
release info --size``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from okd_payload.imagestream.openshift import TagReference
from okd_payload.oci.digest import Digest
from okd_payload.oci.image import Image
from okd_payload.release.times import parse_time

_MIB = 1024 * 1024
_NAME = "NAME"
_MOST_LETTERS = 5
"""Of more bases the numbers are shown."""
_UNITS = ("B", "kB", "MB", "GB", "TB")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def describe_sizes(
    tags: Sequence[TagReference], images: Mapping[str, Image], *, now: datetime
) -> list[str]:
    """The lines below ``Images:`` that show the sizes of ``images``, and the totals."""
    uses = Counter(layer.digest for image in images.values() for layer in image.layers)
    sizes = {layer.digest: layer.size for image in images.values() for layer in image.layers}
    bases = _number_bases(images[tag.name] for tag in tags if tag.name in images)
    width = max([len(_NAME), *(len(tag.name) for tag in tags)])
    head = "BASE" if len(bases) > 1 else ""
    lines = [f"  {_NAME.ljust(width)}  AGE  LAYERS  SIZE MB  UNIQUE MB  {head}"]
    told: set[Digest] = set()
    for tag in tags:
        image = images.get(tag.name)
        if image is None:
            continue
        total = sum(layer.size for layer in image.layers)
        lines.append(
            f"  {tag.name.ljust(width)} {_format_age(image, now):>4} {len(image.layers):>7}"
            f" {total / _MIB:>8.1f} {_own_size(image, uses, told) / _MIB:>10.1f}"
            f"  {_format_base(image, bases)}"
        )
    different = f", {len(bases)} different base images" if len(bases) > 1 else ""
    lines.append("")
    lines.append(f"  {_format_size(sum(sizes.values()))} across {len(sizes)} layers{different}")
    return lines


def _number_bases(images: Iterable[Image]) -> dict[Digest, int]:
    """The first layers of all ``images``, numbered as they come."""
    bases: dict[Digest, int] = {}
    for image in images:
        for layer in image.layers[:1]:
            bases.setdefault(layer.digest, len(bases))
    return bases


def _own_size(image: Image, uses: Counter[Digest], told: set[Digest]) -> int:
    """What ``image`` adds: its own layers, or else its last one, when that was not ``told`` yet."""
    own = sum(layer.size for layer in image.layers if uses[layer.digest] == 1)
    if own or not image.layers or image.layers[-1].digest in told:
        return own
    told.add(image.layers[-1].digest)
    return image.layers[-1].size


def format_duration(seconds: float) -> str:
    """``seconds`` in one unit, as Kubernetes shows ages."""
    if seconds < 0:
        return "0s"
    for limit, unit, letter in ((_MINUTE, 1, "s"), (_HOUR, _MINUTE, "m"), (_DAY, _HOUR, "h")):
        if seconds < limit:
            return f"{int(seconds // unit)}{letter}"
    return f"{int(seconds // _DAY)}d" if seconds < _YEAR else f"{int(seconds // _YEAR)}y"


def _format_age(image: Image, now: datetime) -> str:
    created = parse_time(image.config.created)
    return format_duration((now - created).total_seconds()) if created else ""


def _format_base(image: Image, bases: Mapping[Digest, int]) -> str:
    """The base of ``image``: nothing when all have the same, of few a letter in a column."""
    if len(bases) < 2 or not image.layers:
        return ""
    number = bases[image.layers[0].digest]
    if len(bases) > _MOST_LETTERS:
        return str(number + 1)
    return " " * number + chr(ord("A") + number)


def _format_size(size: float) -> str:
    """Four digits and a decimal unit."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.4g}{unit}"
        size /= 1000
    return f"{size:.4g}{_UNITS[-1]}"
