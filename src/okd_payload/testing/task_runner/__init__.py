# SPDX-License-Identifier: Apache-2.0
"""Runs Tekton's TaskRuns for real on this machine, without Tekton and without a cluster.

``TaskRunner`` runs one TaskRun; ``roots.ImageRoots`` brings the files of images. With ``node`` a
simulated cluster runs its pods so, and then whole Pipelines and Shipwright's BuildRuns are
carried out by what imitates their controllers, with real steps.
"""
