# SPDX-License-Identifier: Apache-2.0
"""In-memory twins of every seam, for our tests and for everybody's."""
