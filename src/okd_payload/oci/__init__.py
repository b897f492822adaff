# SPDX-License-Identifier: Apache-2.0
"""Images, and where they are kept: a small library that knows nothing of OKD.

``reference``, ``digest``, ``media_types``, ``manifest`` and ``config`` are the data model.
``repository`` is the seam; ``layout`` (an OCI image layout directory) and ``registry`` (the
distribution API) implement it. ``layers`` reads and writes layer archives, ``transfer``
copies images between any two repositories.
"""
