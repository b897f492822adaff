# SPDX-License-Identifier: Apache-2.0
"""Release images: choosing their content, assembling, reading and checking them."""
