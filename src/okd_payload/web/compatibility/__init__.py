# SPDX-License-Identifier: Apache-2.0
"""The interface of OpenShift's release controller, for scripts that know it.

Shapes, addresses and words of errors are its; what it does by accident is not kept. Which route
is the same, better or refused stands in ``docs/reference/old-interface.md``.
"""
