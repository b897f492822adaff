# SPDX-License-Identifier: Apache-2.0
"""Taking things out of a release: manifests, command-line tools, sources.

``folder`` is how anything is written; ``payload`` and ``selection`` choose manifests;
``install_config`` says what cluster an install-config would make. ``targets`` is the table of
tools, ``tools`` makes their archives with ``markers``, ``mach_o`` and ``packing``;
``checksums`` proves what was written. ``components`` checks out what images were built from.
"""
