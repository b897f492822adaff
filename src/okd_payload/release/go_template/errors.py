# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a template."""

from __future__ import annotations

from okd_payload.errors import InputError


class TemplateError(InputError):
    """A template that Go cannot parse, or cannot execute; the message is Go's."""
