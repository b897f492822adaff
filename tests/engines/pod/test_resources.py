# SPDX-License-Identifier: Apache-2.0
"""What pods ask for and may use: always both, and always in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.component import Resources
from okd_payload.engines.pod.resources import requirements_of
from okd_payload.engines.quantities import size_of

QUANTITIES = st.just("") | st.builds(
    "{}{}".format, st.integers(1, 900), st.sampled_from(["", "m", "k", "Mi", "G", "Gi"])
)


@given(
    st.builds(
        Resources,
        cpu_request=QUANTITIES,
        cpu_limit=QUANTITIES,
        memory_request=QUANTITIES,
        memory_limit=QUANTITIES,
    ),
    st.integers(0, 3),
)
def test_requests_and_limits_are_set(resources: Resources, enlarged: int):
    """Whatever a component says, no request is empty or above its limit."""
    asked = requirements_of(resources, enlarged=enlarged)
    stated = (resources.memory_request, resources.memory_limit)
    assert size_of(asked.requests.memory) <= size_of(asked.limits.memory)
    if not (resources.cpu_request and resources.cpu_limit):
        assert size_of(asked.requests.cpu) <= size_of(asked.limits.cpu)
    if not enlarged and stated[1]:
        assert asked.limits.memory == stated[1]


def test_memory_doubles_each_time_it_ran_out():
    """Twice for one failure, four times for two; processors stay."""
    resources = Resources(memory_request="2Gi", memory_limit="3Gi", cpu_limit="2")
    asked = requirements_of(resources, enlarged=2)
    assert (asked.requests.memory, asked.limits.memory) == ("8192Mi", "12288Mi")
    assert asked.limits.cpu == "2"
