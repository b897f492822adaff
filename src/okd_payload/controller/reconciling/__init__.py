# SPDX-License-Identifier: Apache-2.0
"""From what is known of a stream to what is to be done for it: decided here, done elsewhere."""
