# SPDX-License-Identifier: Apache-2.0
"""Catalogs in our own form: stream and component files, written and edited."""
