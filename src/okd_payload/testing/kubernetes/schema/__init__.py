# SPDX-License-Identifier: Apache-2.0
"""What is known of a kind of objects: its fields, their types, bounds and defaults.

A ``Schema`` is compiled once from a definition of custom resources, from the OpenAPI
definitions of a server, or from the table of built-in kinds that comes with the simulator.
"""

from okd_payload.testing.kubernetes.schema.node import ListType, Node
from okd_payload.testing.kubernetes.schema.schema import Schema

__all__ = ["ListType", "Node", "Schema"]
