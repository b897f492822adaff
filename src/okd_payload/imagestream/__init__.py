# SPDX-License-Identifier: Apache-2.0
"""Image streams: tags that point at digests, whatever holds them.

``model`` is the value that the rest of the program uses; ``repository`` reads it from the tags
of a repository. ``openshift`` is the ImageStream object of OpenShift in files. Such files are
read and written as the Go programs of the field do it: ``go_yaml`` and ``go_json`` on top of
``go_values``, for every room that shares files with them.
"""
