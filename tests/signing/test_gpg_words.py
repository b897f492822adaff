# SPDX-License-Identifier: Apache-2.0
"""What is understood of gpg's output, recorded from GnuPG 2.2.40."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.signing.gpg_words import SecretKey, explain_failure, read_secret_keys

LISTING = """\
sec:u:2048:1:D5CDD4CFFB0D5DF6:1795713733:::u:::cSC:::+:::23::0:
fpr:::::::::2846E371230562B46E0A57ABD5CDD4CFFB0D5DF6:
grp:::::::::E8BBE916E5797DE3455EA97B3F9BE98DF7E0CF16:
uid:u::::1795713733::E2B9CDED95C7E0CF365D363439600B9AB1574D5F::S <s@example.com>::::::::::0:
uid:u::::1795713733::E2B9CDED95C7E0CF365D363439600B9AB1574D5F::T <t@example.com>::::::::::0:
ssb:u:2048:1:BF4C3D74840D9D4C:1795713733::::::s:::+:::23:
fpr:::::::::E56E7ECB77623FBD2999C1A8BF4C3D74840D9D4C:
sec:e:2048:1:A7BA8CF2938219CC:1704067200:1704153600::u:::sc:::+:::23::0:
fpr:::::::::0C07FD86B16ACD652F9BC1D1A7BA8CF2938219CC:
sec:u:2048:1:E402AE7C8E521BBA:1795713733:::u:::cC:::+:::23::0:
fpr:::::::::2B8FB6E586761F61FDC745FCE402AE7C8E521BBA:
"""


def test_keys_are_read_with_their_first_name():
    """The fingerprint is that of the primary key, not of the sub-key below it."""
    first, expired, certifying = read_secret_keys(LISTING)
    assert first == SecretKey(
        fingerprint="2846E371230562B46E0A57ABD5CDD4CFFB0D5DF6",
        validity="u",
        may_sign=True,
        user_id="S <s@example.com>",
    )
    assert first.problem == ""
    assert expired.problem == "it has expired"
    assert certifying.problem == "neither it nor a sub-key may sign now"


@pytest.mark.parametrize(
    ("code", "reason", "advice"),
    [
        (17, "No secret key", "--list-secret-keys"),
        (67108949, "No pinentry", "install a pinentry"),
        (83918950, "Inappropriate ioctl for device", "nobody could be asked"),
        (67108976, "Card not present", "--card-status"),
        (100663426, "PIN blocked", "unblocks"),
        (67108875, "Bad passphrase", "--passphrase-file"),
        (83886179, "Operation cancelled", "run the same command again"),
    ],
)
def test_failures_have_a_reason_and_advice(code, reason, advice):
    """The low bits of the number say what happened, whoever it happened to."""
    errors = (
        f"[GNUPG:] BEGIN_SIGNING H10\n[GNUPG:] FAILURE sign {code}\ngpg: signing failed: {reason}\n"
    )
    said, hint = explain_failure(errors)
    assert said == f"signing failed: {reason}"
    assert advice in hint


@given(st.text())
def test_any_listing_gives_whole_keys(text):
    """Whatever is printed, each key that comes out has a fingerprint."""
    assert all(key.fingerprint for key in read_secret_keys(text + "\n" + LISTING))
    assert isinstance(explain_failure(text), tuple)
