# SPDX-License-Identifier: Apache-2.0
"""What all engines on clusters share: how the tool runs in a pod, and how pods are marked.

A pod runs the tool's own image, and the code that builds a component there is the code that
builds it on a laptop. So an engine of a cluster decides only what asks for the pod and what
follows it; what is in the pod, which rights it has and what its end means stands here once.
"""
