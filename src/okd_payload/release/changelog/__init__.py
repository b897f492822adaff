# SPDX-License-Identifier: Apache-2.0
"""What changed between two releases, in the words of those who changed it."""
