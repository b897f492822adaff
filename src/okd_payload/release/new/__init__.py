# SPDX-License-Identifier: Apache-2.0
"""Making releases: choosing images, reading operators, assembling, storing."""
