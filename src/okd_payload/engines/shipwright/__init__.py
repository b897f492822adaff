# SPDX-License-Identifier: Apache-2.0
"""Building with Shipwright: on any Kubernetes with its API, in pods that run the tool.

``strategy`` is how Shipwright runs the tool, ``engine`` builds the steps of a plan with it, and
``rendering`` writes strategy and Builds for those who start builds themselves.
"""
