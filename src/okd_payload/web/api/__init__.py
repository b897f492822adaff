# SPDX-License-Identifier: Apache-2.0
"""The versioned interface for programs, ``/api/v2``: read everything, and do what a role permits.

Names are in camelCase, moments in RFC 3339, and what is not known is left out. Additions break
nobody; what would break somebody gets a new number in the path.
"""
