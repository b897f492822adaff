# SPDX-License-Identifier: Apache-2.0
"""What a cluster lacks for building streams on it, before anything is built there.

Looking and judging are apart: modules that look give structs of what they saw, modules that judge
turn them into issues, all at once. What may not be looked at is an issue too, a small one:
ordinary users see little of a cluster, and build on it all the same. Nothing is changed, except by
the probe, which runs one pod and removes it.
"""
