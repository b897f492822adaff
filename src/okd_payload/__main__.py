# SPDX-License-Identifier: Apache-2.0
"""Lets ``python -m okd_payload`` stand in for the installed command."""

import sys

from okd_payload.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
