# SPDX-License-Identifier: Apache-2.0
"""Runs Tekton's TaskRuns for real on this machine, without Tekton and without a cluster.

``runner.TaskRunner`` runs one TaskRun; ``roots.ImageRoots`` brings the files of its images.
``local_cluster.LocalCluster`` is a simulated cluster whose steps are run so: whole Pipelines and
Shipwright's BuildRuns are carried out by what imitates their controllers, with real steps. How
to use them, and what they refuse, stands in ``docs/reference/task-runner.md``.
"""
