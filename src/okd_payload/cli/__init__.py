# SPDX-License-Identifier: Apache-2.0
"""The command line: arguments in, output and exit codes out, nothing decided here."""
