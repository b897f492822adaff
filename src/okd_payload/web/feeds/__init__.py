# SPDX-License-Identifier: Apache-2.0
"""Atom feeds: what became of the releases of a stream, for readers of feeds."""
