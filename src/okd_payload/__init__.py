# SPDX-License-Identifier: Apache-2.0
"""Build, check, sign, publish and follow OKD release payloads, anywhere."""

__version__ = "0.1.0"
