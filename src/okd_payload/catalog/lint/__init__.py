# SPDX-License-Identifier: Apache-2.0
"""Checks of whole catalogs: definitions, overlays, pipelines and configurations, as they are."""
