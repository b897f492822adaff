# SPDX-License-Identifier: Apache-2.0
"""Reading images from mirrors, whatever repository their pull specs name.

Rules come from where administrators already wrote them: the mirror sets of OpenShift clusters
and ``registries.conf`` of podman, skopeo and buildah. ``MirroredRegistries`` opens repositories
that follow them. Mirrors are for reading: nothing is ever written to one, and what is written
somewhere is looked for there and nowhere else. Content is verified by digest as always, and the
certificates of mirrors like those of every other host.

``rules`` says what mirrors mean, ``openshift`` and ``registries_conf`` read them, ``choice``
says which place comes next, and ``repository`` asks. Nothing is imported here: the readers load
parsers that most commands do without.
"""
