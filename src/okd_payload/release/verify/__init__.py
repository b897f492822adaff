# SPDX-License-Identifier: Apache-2.0
"""Whether a release is what its publisher meant, and wholly where users will look for it."""
