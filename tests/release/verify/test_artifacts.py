# SPDX-License-Identifier: Apache-2.0
"""Released archives against their checksums, and the checksums against keys."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import StorageError
from okd_payload.release.verify.artifacts import parse_checksums, verify_artifacts
from okd_payload.signing.detached import read_public_keys
from okd_payload.testing.memory_signer import MemorySigner

FILES = {"openshift-client-linux-4.20.0.tar.gz": b"client", "release.txt": b"Name: 4.20.0\n"}


@pytest.fixture(scope="module")
def signer():
    """A key, made once."""
    return MemorySigner()


@pytest.fixture
def folder(tmp_path):
    """Archives and their checksums."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "sha256sum.txt").write_text(sums_of(FILES))
    return tmp_path


def sums_of(files):
    """The checksums as oc writes them."""
    lines = (f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items())
    return "".join(lines)


def keys_of(*signers):
    """Public keys, as the command line reads them."""
    return [key for item in signers for key in read_public_keys(item.public_key, path="k")]


def codes_of(verified):
    """The codes of what was found, with the files."""
    return [(issue.code, issue.file) for issue in verified.issues]


async def test_good_archives_have_no_issues(folder):
    """Without keys only the files are compared."""
    verified = await verify_artifacts(folder, [])
    assert (verified.files, verified.signers, verified.issues) == (2, (), ())


async def test_every_fault_is_told_at_once(folder, signer):
    """A changed, an absent and a foreign file, and no signature."""
    (folder / "release.txt").write_bytes(b"Name: 4.20.1\n")
    (folder / "openshift-client-linux-4.20.0.tar.gz").unlink()
    (folder / "README").write_bytes(b"")
    verified = await verify_artifacts(folder, keys_of(signer))
    assert codes_of(verified) == [
        ("absent-archive", "openshift-client-linux-4.20.0.tar.gz"),
        ("checksum-differs", "release.txt"),
        ("unlisted-file", "README"),
        ("unsigned-checksums", "sha256sum.txt"),
    ]


async def test_a_signature_beside_the_list_is_verified(folder, signer):
    """The signature of one of the keys suffices, and its key is named."""
    content = (folder / "sha256sum.txt").read_bytes()
    (folder / "sha256sum.txt.asc").write_bytes(await signer.sign_detached(content))
    verified = await verify_artifacts(folder, keys_of(MemorySigner("Other"), signer))
    assert (verified.signers, verified.issues) == ((signer.fingerprint,), ())


async def test_a_message_that_repeats_the_list_is_verified(folder, signer):
    """A signed message counts when it says the same, and not when it says something else."""
    content = (folder / "sha256sum.txt").read_bytes()
    message = folder / "sha256sum.txt.gpg"
    message.write_bytes(await signer.sign_message(content))
    assert (await verify_artifacts(folder, keys_of(signer))).issues == ()
    message.write_bytes(await signer.sign_message(b"another text"))
    verified = await verify_artifacts(folder, keys_of(signer))
    assert codes_of(verified) == [("unsigned-checksums", "sha256sum.txt")]
    assert "valid signature of another text" in verified.issues[0].message


@pytest.mark.parametrize("signed", [b"another text", None])
async def test_a_signature_that_does_not_fit_is_refused(folder, signer, signed):
    """A signature of another text, or of a key that nobody trusts, is none."""
    other = MemorySigner("Other")
    author, text = (signer, signed) if signed else (other, (folder / "sha256sum.txt").read_bytes())
    (folder / "sha256sum.txt.asc").write_bytes(await author.sign_detached(text))
    verified = await verify_artifacts(folder, keys_of(signer))
    assert codes_of(verified) == [("unsigned-checksums", "sha256sum.txt")]
    assert "no valid signatures" in verified.issues[0].message


@pytest.mark.parametrize(
    "content",
    ["", "xyz  a\n", f"{'0' * 64}  ../a\n", f"{'0' * 64} a\n", f"{'0' * 64}  a\n{'1' * 64}  a\n"],
)
async def test_a_list_that_cannot_be_read_is_an_issue(folder, content):
    """Nothing is compared with a list that is not one."""
    (folder / "sha256sum.txt").write_text(content)
    verified = await verify_artifacts(folder, [])
    assert codes_of(verified) == [("unusable-checksums", "sha256sum.txt")]


async def test_an_absent_list_is_an_issue_and_an_absent_folder_an_error(tmp_path):
    """A folder without a list is told apart from no folder."""
    verified = await verify_artifacts(tmp_path, [])
    assert codes_of(verified) == [("unusable-checksums", "sha256sum.txt")]
    with pytest.raises(StorageError, match="cannot read"):
        await verify_artifacts(tmp_path / "absent", [])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_refused(content):
    """What is read has only names without folders."""
    try:
        listed = parse_checksums(content)
    except ValueError:
        return
    assert all("/" not in name for name in listed)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True), st.binary()))
def test_what_is_written_is_read_again(files):
    """Each file gets its own checksum."""
    if files:
        expected = {name: hashlib.sha256(text).hexdigest() for name, text in files.items()}
        assert parse_checksums(sums_of(files).encode()) == expected
