# SPDX-License-Identifier: Apache-2.0
"""What is read of the records to be shown: only what is shown, in few questions."""
