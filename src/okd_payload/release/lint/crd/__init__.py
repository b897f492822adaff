# SPDX-License-Identifier: Apache-2.0
"""Custom resource definitions, judged as the API server judges them (apiextensions.k8s.io/v1).

A definition that the API server refuses stops an install at that file, and nobody notices when
the payload is made, because no API server is asked. The rules are those of the validation in
``k8s.io/apiextensions-apiserver``: names and versions, structural schemas, defaults, columns,
conversion. Expressions in CEL are left to the API server.
"""
