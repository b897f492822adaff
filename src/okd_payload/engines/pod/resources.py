# SPDX-License-Identifier: Apache-2.0
"""How much a pod gets: what its component says, defaults for the rest, more after it ran out.

Requests and limits are always both set: a pod without them is the first to be evicted and may
starve its neighbours. A limit is never below its request.
"""

from __future__ import annotations

import re

from okd_payload.catalog.component import Resources
from okd_payload.engines.pod.objects import Quantities, Requirements
from okd_payload.errors import InputError

DEFAULT_RESOURCES = Resources(
    cpu_request="500m", cpu_limit="4", memory_request="1Gi", memory_limit="4Gi"
)
"""Of a build; the largest components of OKD need 8 GiB and say so themselves."""
SMALL_RESOURCES = Resources(
    cpu_request="100m", cpu_limit="2", memory_request="256Mi", memory_limit="1Gi"
)
"""Of what plans and moves images, but builds none."""
WORK_STORAGE = Quantities(ephemeral_storage="2Gi")
"""What the work folder of a build takes at least; only a request, because images differ."""

_QUANTITY = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)(?P<unit>m|k|[KMGTPE]i?|)")
_POWERS = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_MEGABYTE = 1024**2


def requirements_of(
    resources: Resources, *, defaults: Resources = DEFAULT_RESOURCES, enlarged: int = 0
) -> Requirements:
    """What a pod with ``resources`` asks for. Raises InputError for what is no quantity.

    ``enlarged`` says how often it ran out of memory: each time gives it twice as much.
    """
    memory_request = resources.memory_request or defaults.memory_request
    memory_limit = resources.memory_limit or _larger(defaults.memory_limit, memory_request)
    cpu_request = resources.cpu_request or _smaller(defaults.cpu_request, resources.cpu_limit)
    cpu_limit = resources.cpu_limit or _larger(defaults.cpu_limit, cpu_request)
    if enlarged:
        memory_limit = _in_megabytes(size_of(memory_limit) * 2**enlarged)
        memory_request = _in_megabytes(size_of(memory_request) * 2**enlarged)
    return Requirements(
        requests=Quantities(
            cpu=cpu_request,
            memory=_smaller(memory_request, memory_limit),
            ephemeral_storage=WORK_STORAGE.ephemeral_storage,
        ),
        limits=Quantities(cpu=cpu_limit, memory=memory_limit),
    )


def size_of(quantity: str) -> float:
    """A Kubernetes quantity as a number. Raises InputError."""
    matched = _QUANTITY.fullmatch(quantity)
    if matched is None:
        raise InputError(f"{quantity!r} is not a quantity", hint="write it as in 500m, 4 or 8Gi")
    number, unit = float(matched["number"]), matched["unit"]
    if unit in ("", "m"):
        return number / 1000 if unit else number
    return number * float((1024 if unit.endswith("i") else 1000) ** _POWERS[unit[0]])


def _larger(one: str, other: str) -> str:
    return other if size_of(other) > size_of(one) else one


def _smaller(one: str, other: str) -> str:
    return other if other and size_of(other) < size_of(one) else one


def _in_megabytes(size: float) -> str:
    return f"{int(-(-size // _MEGABYTE))}Mi"
