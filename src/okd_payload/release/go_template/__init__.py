# SPDX-License-Identifier: Apache-2.0
"""Go's ``text/template``, as far as manifests of the cluster-version operator use it.

The operator renders its own manifests with it and skips those that it cannot render, so that
which templates fail, and with which words, is part of what a cluster does with a payload. Values
are texts, numbers, booleans, maps of texts, and one struct; everything else of Go is absent.
"""
