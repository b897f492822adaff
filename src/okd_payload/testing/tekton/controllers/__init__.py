# SPDX-License-Identifier: Apache-2.0
"""Tekton's controllers and a node, in a simulated cluster.

    async with EventClock() as clock:
        cluster = SimulatedCluster(clock=clock)
        add_tekton(cluster)
        cluster.controllers += [TaskRuns(), PipelineRuns(), Node(decide)]
        async with MemoryCluster(cluster=cluster) as client:
            ...

``decide`` says how each pod goes (``outcomes``), and may really do the work.
"""
