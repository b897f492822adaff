# SPDX-License-Identifier: Apache-2.0
"""Update graphs over HTTP: the Cincinnati protocol, and ``/graph`` as clusters know it."""
