# SPDX-License-Identifier: Apache-2.0
"""The machine that we run on: what it has, what it lacks, and the commands that mend it."""
