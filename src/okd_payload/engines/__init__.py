# SPDX-License-Identifier: Apache-2.0
"""Engines: each turns one build step into one image, and knows nothing of schedules."""
