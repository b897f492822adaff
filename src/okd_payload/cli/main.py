# SPDX-License-Identifier: Apache-2.0
"""The command ``okd-payload``."""


def main() -> None:
    """Run the command line."""
