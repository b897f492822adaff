# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes cluster in this process: objects, rules and watches, with HTTP and without.

``SimulatedCluster`` is the cluster. ``MemoryCluster`` is the way to it that asks for no network,
``KubernetesServer`` (in ``server``) an API server on a loopback port, with the faults of real
ones. No pod runs here: what a kubelet or Tekton's controller would do, controllers do that are
appended to ``SimulatedCluster.controllers``.
"""

from okd_payload.testing.kubernetes.documents import JsonObject
from okd_payload.testing.kubernetes.memory_cluster import MemoryCluster
from okd_payload.testing.kubernetes.simulated_cluster import Controller, SimulatedCluster
from okd_payload.testing.kubernetes.statuses import Refusal

__all__ = ["Controller", "JsonObject", "MemoryCluster", "Refusal", "SimulatedCluster"]
