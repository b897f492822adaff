# SPDX-License-Identifier: Apache-2.0
"""What a cluster with Tekton does to objects, for tests.

Three parts, each usable alone: ``admission`` says what the webhooks accept and write into objects,
``controllers`` lets runs live as Tekton and a node let them live, and ``replay`` plays the
recording of a real run. All of it imitates Tekton Pipelines 1.15 with its feature flags as
released; what is not imitated stands in the modules that leave it out.
"""
