# SPDX-License-Identifier: Apache-2.0
"""OpenPGP (RFC 4880) as clusters read it: keys, signed messages, and nothing that is encrypted.

A cluster verifies releases with Go's ``golang.org/x/crypto/openpgp``, a library that nobody
changes any more and that differs from every other one in what it accepts. This package gives
the same answers, in the same words, for any input:

* ``streams``, ``inflation``, ``bunzip``, ``armour``: bytes, out of what they are wrapped in;
* ``packets``, ``signatures``, ``keys``: packets as values;
* ``arithmetic``: whether numbers are a signature, for weak hashes and short keys as well;
* ``keyring``: which keys a ring has, and which of them may sign;
* ``message``: what a signed message says and who signed it; ``outline``: what it is made of.

Whatever bytes come, only ``OpenPgpError`` leaves this package, and depth and size are bounded.
It decrypts nothing, and never makes a signature.
"""
