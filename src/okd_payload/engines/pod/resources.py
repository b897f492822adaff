# SPDX-License-Identifier: Apache-2.0
"""How much a pod gets: what its component says, defaults for the rest, more after it ran out.

Requests and limits are always both set: a pod without them is the first to be evicted and may
starve its neighbours. A limit is never below its request.
"""

from __future__ import annotations

from okd_payload.catalog.component import Resources
from okd_payload.engines.pod.objects import Quantities, Requirements
from okd_payload.engines.quantities import size_of

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


def _larger(one: str, other: str) -> str:
    return other if size_of(other) > size_of(one) else one


def _smaller(one: str, other: str) -> str:
    return other if other and size_of(other) < size_of(one) else one


def _in_megabytes(size: float) -> str:
    return f"{int(-(-size // _MEGABYTE))}Mi"
