# SPDX-License-Identifier: Apache-2.0
"""How large the images of a release are, and what they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from okd_payload.imagestream.openshift import TagReference
from okd_payload.oci.image import Image
from okd_payload.release.times import parse_time

_MIB = 1024 * 1024
_UNITS = ("B", "kB", "MB", "GB", "TB")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def describe_sizes(
    tags: Sequence[TagReference], images: Mapping[str, Image], *, now: datetime
) -> list[str]:
    """The lines below ``Images:`` that show the sizes of ``images``, and the totals."""
    uses = Counter(layer.digest for image in images.values() for layer in image.layers)
    sizes = {layer.digest: layer.size for image in images.values() for layer in image.layers}
    bases: dict[str, int] = {}
    width = max((len(tag.name) for tag in tags), default=0)
    lines = [f"  {'NAME'.ljust(width)}  AGE  LAYERS  SIZE MB  UNIQUE MB  BASE"]
    for tag in tags:
        image = images.get(tag.name)
        if image is None:
            continue
        total = sum(layer.size for layer in image.layers)
        own = sum(layer.size for layer in image.layers if uses[layer.digest] == 1)
        base = image.layers[0].digest if image.layers else ""
        number = bases.setdefault(base, len(bases))
        lines.append(
            f"  {tag.name.ljust(width)} {_format_age(image, now):>4} {len(image.layers):>7}"
            f" {total / _MIB:>8.1f} {own / _MIB:>10.1f}  {_format_base(number)}"
        )
    lines.append("")
    lines.append(
        f"  {_format_size(sum(sizes.values()))} across {len(sizes)} layers,"
        f" {len(bases)} different base images"
    )
    return lines


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


def _format_base(number: int) -> str:
    """A letter, further to the right for each base, so that equal ones stand in a column."""
    letter = chr(ord("A") + number) if number < 26 else str(number)
    return " " * number + letter


def _format_size(size: float) -> str:
    """Four digits and a decimal unit."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.4g}{unit}"
        size /= 1000
    return f"{size:.4g}{_UNITS[-1]}"
