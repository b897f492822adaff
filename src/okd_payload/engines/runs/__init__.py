# SPDX-License-Identifier: Apache-2.0
"""Runs on a cluster: what there is, following one, ending it, and clearing it away.

A run is what shares a label, whoever drives it: a program on somebody's machine, or a
coordinator in the cluster. Nothing else remembers it.
"""
