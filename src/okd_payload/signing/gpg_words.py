# SPDX-License-Identifier: Apache-2.0
"""What the gpg command says, understood: lists of keys, and why it did not sign.

Of its output only the parts made for programs are read: ``--with-colons`` (GnuPG's DETAILS,
"Format of the colon listings") and the status lines. Numbers of errors are libgpg-error's, whose
low 16 bits say what happened and whose high bits say to whom.
"""

from __future__ import annotations

import re

import msgspec

_STATUS_FAILURE = re.compile(r"^\[GNUPG:\] FAILURE \S+ ([0-9]+)", re.MULTILINE)
_SAID = re.compile(r"^gpg: (.+)$", re.MULTILINE)
_CODE_MASK = 0xFFFF

_PINENTRY_HINT = (
    "nobody could be asked for the passphrase: unlock the key in the agent first "
    "(`gpg --sign` once in a terminal), or name a file with --passphrase-file"
)
_CARD_HINT = "put the card in and look whether `gpg --card-status` shows it"
_HINTS = {
    11: "the passphrase is wrong; it comes from --passphrase-file, OKD_PAYLOAD_PASSPHRASE or you",
    17: "`gpg --list-secret-keys` shows the keys that there are; GNUPGHOME says where they lie",
    54: "the key is expired, revoked or not made for signing: `gpg --list-secret-keys` shows it",
    62: _PINENTRY_HINT,
    77: "gpg-agent does not run: `gpgconf --launch gpg-agent` starts it",
    78: "gpg-agent has a problem: its log, or `gpgconf --kill gpg-agent`, may help",
    85: "install a pinentry program, or name a file with --passphrase-file",
    86: _PINENTRY_HINT,
    87: "the PIN is wrong; a card counts wrong ones and then locks itself",
    99: "nothing was signed; run the same command again",
    108: _CARD_HINT,
    110: _CARD_HINT,
    112: _CARD_HINT,
    119: "install scdaemon, gpg's program for cards",
    120: _CARD_HINT,
    130: "the card has locked itself after wrong PINs: `gpg --card-edit` unblocks it",
    153: "renew the key with `gpg --quick-set-expire`, or take another one",
    198: "nothing was signed; run the same command again",
    32870: _PINENTRY_HINT,
}


class SecretKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of ``gpg --list-secret-keys``."""

    fingerprint: str
    validity: str
    """One letter of GnuPG's: ``e`` expired, ``r`` revoked, ``d`` disabled, others for trust."""
    may_sign: bool
    """Whether it, or one of its sub-keys, can sign now: gpg counts the time in."""
    user_id: str = ""

    @property
    def problem(self) -> str:
        """Why it cannot sign; empty when it can."""
        named = {"e": "it has expired", "r": "it is revoked", "i": "it is invalid"}
        if self.validity in named:
            return named[self.validity]
        return "" if self.may_sign else "neither it nor a sub-key may sign now"


def read_secret_keys(listing: str) -> list[SecretKey]:
    """The keys of a listing with colons."""
    keys: list[SecretKey] = []
    open_record = ""
    for line in listing.splitlines():
        fields = line.split(":")
        kind = fields[0]
        if kind == "sec" and len(fields) > 11:
            capabilities = fields[11]
            usable = "S" in capabilities and "D" not in capabilities
            keys.append(SecretKey(fingerprint="", validity=fields[1], may_sign=usable))
        elif keys and len(fields) > 9 and kind == "fpr" and open_record == "sec":
            keys[-1] = msgspec.structs.replace(keys[-1], fingerprint=fields[9])
        elif keys and len(fields) > 9 and kind == "uid" and not keys[-1].user_id:
            keys[-1] = msgspec.structs.replace(keys[-1], user_id=fields[9])
        open_record = kind
    return [key for key in keys if key.fingerprint]


def explain_failure(errors: str) -> tuple[str, str]:
    """Why gpg failed, in its own words, and what to do about it; the latter may be empty."""
    codes = [int(code) & _CODE_MASK for code in _STATUS_FAILURE.findall(errors)]
    said = _SAID.findall(errors)
    reason = said[-1] if said else "it does not say why"
    return reason, next((_HINTS[code] for code in reversed(codes) if code in _HINTS), "")
