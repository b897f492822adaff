# SPDX-License-Identifier: Apache-2.0
"""Text in quotes as Go's ``%q`` writes it, which is how the cluster names things in messages."""

from __future__ import annotations

_SHORT = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    '"': r"\"",
    "\\": r"\\",
}
_LARGEST_SHORT = 0xFFFF


def quote(text: str) -> str:
    """``text`` in double quotes, with everything escaped that does not print."""
    return f'"{"".join(map(_escape, text))}"'


def quote_character(character: str) -> str:
    """One character as Go's ``%q`` or ``%#U`` shows it, without the quotes around it."""
    return r"\'" if character == "'" else '"' if character == '"' else _escape(character)


def _escape(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    number = ord(character)
    if number < ord(" ") or number == 0x7F:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= _LARGEST_SHORT else f"\\U{number:08x}"
