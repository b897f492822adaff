# SPDX-License-Identifier: Apache-2.0
"""Publishing what was accepted: when its gates are open, in order, recorded, and undone by record.

What stands where is read from the log of publications alone (``standing``), what is to be done
is decided from that (``gates``, ``deciding``), and carried out by one publisher for each kind.
"""
