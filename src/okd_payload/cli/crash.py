# SPDX-License-Identifier: Apache-2.0
"""Writing down what nobody foresaw, so that a report can be complete.

The file holds the traceback and the versions, never the environment, which has secrets.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback

from okd_payload import __version__
from okd_payload.cli.settings import Settings


def record_crash(error: BaseException, settings: Settings) -> str:
    """Write the traceback of ``error`` below the state folder; the path, or the text itself.

    The text is returned when the folder cannot be written, which may be the very reason.
    """
    trace = "".join(traceback.format_exception(error))
    text = f"okd-payload {__version__}, Python {platform.python_version()}, {sys.platform}\n{trace}"
    folder = settings.locations.state / "crashes"
    path = folder / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        return f"this:\n{text}"
    return str(path)
