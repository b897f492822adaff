# SPDX-License-Identifier: Apache-2.0
"""What a release must stand: which runs to start, what they say together, and who runs them."""
