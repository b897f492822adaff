# SPDX-License-Identifier: Apache-2.0
"""Where the process begins: of the installed command, and of ``python -m okd_payload``.

Until the command line is there to say that it was interrupted, an interrupt ends the process as it
ends any other, and not with the traceback of an import.
"""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line of this process; the exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else our parent ignores it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from okd_payload.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
