# SPDX-License-Identifier: Apache-2.0
"""The images that a stream's releases are made of: read where they are, compared with before."""
