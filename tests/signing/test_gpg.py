# SPDX-License-Identifier: Apache-2.0
"""Signing with the real gpg: each side accepts what the other made, and failures are explained."""

from __future__ import annotations

import pytest
from pysequoia import Cert, Sig, verify
from pysequoia.packet import PacketPile, Tag

from okd_payload.errors import InputError, SigningError
from okd_payload.signing.gpg import open_gpg_key
from okd_payload.signing.key_file import read_secret_key
from okd_payload.testing.gnupg_home import gnupg_home
from okd_payload.testing.memory_signer import MemorySigner

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def home():
    """A home with keys of several kinds."""
    with gnupg_home() as found:
        yield found


@pytest.fixture
def gpg(home, monkeypatch):
    """The same, as what the signer finds."""
    monkeypatch.setenv("GNUPGHOME", str(home.folder))
    monkeypatch.delenv("GPG_TTY", raising=False)
    return home


@pytest.fixture(scope="module")
def fingerprint(home):
    """An RSA key without passphrase."""
    return home.make_key("Plain <plain@example.com>")


async def test_we_accept_what_gpg_signed(gpg, fingerprint):
    """A message of gpg is what clusters read: one-pass, content, signature; and it verifies."""
    signer = await open_gpg_key(fingerprint)
    message = await signer.sign_message(b"claim")
    packets = list(PacketPile.from_bytes(message))
    assert [packet.tag for packet in packets] == [Tag.OnePassSig, Tag.Literal, Tag.Signature]
    assert not packets[1].literal_filename
    verified = verify(message, store=lambda _: [Cert.from_bytes(signer.public_key)])
    assert verified.bytes == b"claim"
    detached = Sig.from_bytes(await signer.sign_detached(b"sums"))
    store = lambda _: [Cert.from_bytes(signer.public_key)]  # noqa: E731 - as pysequoia wants it
    assert len(verify(b"sums", store=store, signature=detached).valid_sigs) == 1


async def test_gpg_accepts_what_we_signed(gpg):
    """What a key file signed here, gpg verifies, in both forms."""
    signer = MemorySigner("Ours <ours@example.com>")
    gpg.run("--import", content=signer.public_key)
    assert gpg.read_message(await signer.sign_message(b"claim")) == b"claim"
    gpg.verify(await signer.sign_detached(b"sums"), b"sums")


@pytest.mark.parametrize("given", ["plain@example.com", "{}!", "0x{}"])
async def test_a_key_may_be_named_as_gpg_names_it(gpg, fingerprint, given):
    """Names, ids and fingerprints mean the same key."""
    signer = await open_gpg_key(given.format(fingerprint))
    assert signer.fingerprint == fingerprint
    assert gpg.read_message(await signer.sign_message(b"x")) == b"x"


async def test_the_configuration_of_gpg_changes_nothing(gpg, fingerprint):
    """A second signer, a notation or armour in gpg.conf do not spoil the message."""
    other = gpg.make_key("Second <second@example.com>")
    configuration = gpg.folder / "gpg.conf"
    configuration.write_text(
        f"armor\nlocal-user {other}\nsig-notation !a@example.com=b\ntextmode\nthrow-keyids\n"
    )
    try:
        message = await (await open_gpg_key(fingerprint)).sign_message(b"x\n")
    finally:
        configuration.unlink()
    tags = [packet.tag for packet in PacketPile.from_bytes(message)]
    assert tags.count(Tag.Signature) == 1
    assert b"a@example.com" not in message


async def test_a_passphrase_is_handed_over(gpg):
    """A locked key signs with its passphrase, and says so with a wrong one or none."""
    locked = gpg.make_key("Locked <locked@example.com>", passphrase="geheim")
    gpg.forget_passphrases()
    signer = await open_gpg_key(locked, passphrase="geheim")
    assert gpg.read_message(await signer.sign_message(b"x")) == b"x"


async def test_a_wrong_passphrase_is_told(gpg):
    """A wrong passphrase, and the lack of somebody to ask, are two different failures."""
    locked = gpg.make_key("Closed <closed@example.com>", passphrase="geheim")
    gpg.forget_passphrases()
    wrong = await open_gpg_key(locked, passphrase="geraten")
    with pytest.raises(SigningError, match="Bad passphrase") as caught:
        await wrong.sign_message(b"x")
    assert "--passphrase-file" in caught.value.hint
    nobody = await open_gpg_key(locked)
    with pytest.raises(SigningError, match=f"does not sign with {locked}") as caught:
        await nobody.sign_message(b"x")
    assert "nobody could be asked" in caught.value.hint or "pinentry" in caught.value.hint


async def test_keys_that_cannot_sign_are_refused(gpg):
    """An expired, a revoked and a certifying key, an unknown one and a doubtful name."""
    expired = gpg.make_key("Expired <expired@example.com>", expires="1d", now="20240101T000000")
    with pytest.raises(SigningError, match="it has expired"):
        await open_gpg_key(expired)
    certifying = gpg.make_key("Certifier <certifier@example.com>", usage="cert")
    with pytest.raises(SigningError, match="neither it nor a sub-key may sign now"):
        await open_gpg_key(certifying)
    with pytest.raises(InputError, match=r"no secret key 'nobody@example\.com'"):
        await open_gpg_key("nobody@example.com")
    with pytest.raises(InputError, match="means several keys"):
        await open_gpg_key("example.com")


async def test_a_revoked_key_is_refused(gpg):
    """A revoked key is told from an expired one."""
    revoked = gpg.make_key("Revoked <revoked@example.com>")
    certificate = gpg.folder / "openpgp-revocs.d" / f"{revoked}.rev"
    gpg.run("--import", content=certificate.read_bytes().replace(b":-----", b"-----"))
    with pytest.raises(SigningError, match="it is revoked"):
        await open_gpg_key(revoked)


async def test_a_name_like_an_option_is_a_name(gpg):
    """What the user gives is never taken for an option of gpg."""
    with pytest.raises(InputError, match="no secret key '--version'"):
        await open_gpg_key("--version")


async def test_key_files_of_gpg_sign_here(gpg):
    """What gpg exports, locked, signs in this process with its passphrase and not without."""
    locked = gpg.make_key("Exported <exported@example.com>", passphrase="geheim")
    content = gpg.run(
        *("--pinentry-mode", "loopback", "--passphrase", "geheim"),
        *("--armor", "--export-secret-keys", locked),
    )
    signer = read_secret_key(content, path="key.asc", passphrase=lambda _: "geheim")
    assert signer.fingerprint == locked
    assert gpg.read_message(await signer.sign_message(b"x")) == b"x"
    with pytest.raises(SigningError, match=r"the key in key\.asc is locked"):
        read_secret_key(content, path="key.asc")
    with pytest.raises(SigningError, match="is wrong"):
        read_secret_key(content, path="key.asc", passphrase=lambda _: "geraten")
