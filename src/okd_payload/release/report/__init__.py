# SPDX-License-Identifier: Apache-2.0
"""Showing releases and their differences, in the layouts that people and scripts know."""
