# SPDX-License-Identifier: Apache-2.0
"""Cron expressions as people write them: five fields, or a name for what is often wanted.

``?`` is any value, as OpenShift's configurations may write it for days: it is read by Go's
``robfig/cron``, for which it is another ``*``.
"""

from __future__ import annotations

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def expand_cron(text: str) -> str:
    """The five fields that ``text`` stands for, or what stands there instead of such."""
    return _NAMED.get(text) or " ".join("*" if field == "?" else field for field in text.split())
