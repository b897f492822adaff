# SPDX-License-Identifier: Apache-2.0
"""Snapshots: all that building a stream takes and that is in no git and no registry.

A pod has neither the stream's folder nor the checkouts of this machine. They travel as one OCI
artifact by digest, in the repository that the images go to: the frozen plan with its lock, the
files of the stream, and the content of folders that components are built from. Who has the
digest builds exactly what was planned, wherever and whenever.
"""
