# SPDX-License-Identifier: Apache-2.0
"""Bringing a whole release to other places: registries, layouts, directories that are carried."""
