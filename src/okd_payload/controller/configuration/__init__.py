# SPDX-License-Identifier: Apache-2.0
"""What the owner of a release stream writes: versioned files, read strictly and all at once."""
