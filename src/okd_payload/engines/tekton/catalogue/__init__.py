# SPDX-License-Identifier: Apache-2.0
"""Publishing Tasks and Pipelines for others: as a catalogue in git, and as a bundle in a registry.

The layout and the metadata are those that Artifact Hub, Tekton Hub and Tekton's resolvers read;
where each rule comes from stands beside it.
"""
