# SPDX-License-Identifier: Apache-2.0
"""The command ``okd-payload release sign``, on a layout directory."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from pysequoia import Cert, CipherSuite, verify

from okd_payload.clock import SystemClock
from okd_payload.oci.digest import hex_of
from okd_payload.oci.reference import parse_reference
from okd_payload.release.new.publish import write_folder
from okd_payload.release.sign.sign import ReleaseDigest
from okd_payload.release.verify.signatures import open_signatures, verify_signatures
from okd_payload.release.verify.trust import read_trust
from okd_payload.testing.document_server import DocumentServer
from okd_payload.testing.gnupg_home import gnupg_home
from okd_payload.testing.memory_documents import MemoryDocuments
from okd_payload.testing.memory_signer import MemorySigner

IDENTITY = ("--identity", "quay.test/okd/scos-release")


def claim_in(message, signer):
    """What a verified message claims."""
    return json.loads(verify(message, store=lambda _: [Cert.from_bytes(signer.public_key)]).bytes)


def test_a_release_is_signed_into_a_store(run, released, signer, key_file, tmp_path):
    """The file has the name that clusters ask for, and its claim is that of the release."""
    place, digest = released
    arguments = ("sign", place, "--key", key_file, *IDENTITY, "--to-store", tmp_path / "store")
    code, out, _ = run(*arguments, "--timestamp", "1700000000", "--creator", "us")
    assert code == 0
    file = tmp_path / "store" / f"sha256={hex_of(digest)}" / "signature-1"
    claim = claim_in(file.read_bytes(), signer)
    assert claim["critical"]["image"]["docker-manifest-digest"] == digest
    assert claim["critical"]["identity"]["docker-reference"] == (
        f"quay.test/okd/scos-release@{digest}"
    )
    assert claim["optional"] == {"creator": "us", "timestamp": 1700000000}
    assert f"quay.test/okd/scos-release@{digest}" in out
    assert f"key {signer.fingerprint}" in out
    assert "signature-1 added" in out
    code, out, _ = run(*arguments)
    assert code == 0
    assert "signature-1 was there already" in out
    assert len(list(file.parent.iterdir())) == 1


def test_everything_is_printed_as_a_document(run, released, signer, key_file, tmp_path):
    """Programs learn what was signed, by which key, and where it is."""
    place, digest = released
    code, out, _ = run(
        *("sign", place, "--key", key_file, *IDENTITY, "-o", "json"),
        *("--to-store", tmp_path / "one", "--to-store", tmp_path / "two"),
    )
    assert code == 0
    assert json.loads(out) == [
        {
            "release": place,
            "digest": digest,
            "platform": "",
            "reference": f"quay.test/okd/scos-release@{digest}",
            "key": signer.fingerprint,
            "places": [
                {"store": str(tmp_path / name), "number": 1, "added": True}
                for name in ("one", "two")
            ],
        }
    ]


def test_the_time_may_come_from_the_environment(
    run, released, signer, key_file, tmp_path, monkeypatch
):
    """Builds that fix their time fix that of the claim."""
    place, _ = released
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    code, _, _ = run(
        *("sign", place, "--key", key_file, *IDENTITY, "--signature", tmp_path / "signature-1")
    )
    assert code == 0
    claim = claim_in((tmp_path / "signature-1").read_bytes(), signer)
    assert claim["optional"]["timestamp"] == 1600000000


def test_a_config_map_has_what_the_store_has(run, released, key_file, tmp_path):
    """A signature that the store had before is the one in the ConfigMap."""
    place, digest = released
    store = ("--to-store", tmp_path / "store")
    assert run("sign", place, "--key", key_file, *IDENTITY, *store)[0] == 0
    target = tmp_path / "signatures.json"
    code, _, _ = run("sign", place, "--key", key_file, *IDENTITY, *store, "--to-config-map", target)
    assert code == 0
    data = json.loads(target.read_text())["binaryData"][f"sha256-{hex_of(digest)}-1"]
    file = tmp_path / "store" / f"sha256={hex_of(digest)}" / "signature-1"
    assert base64.b64decode(data) == file.read_bytes()


def test_a_store_on_the_web_is_written_and_read(run, released, key_file, tmp_path):
    """The token comes from a file, and is shown to nobody; reading needs none."""
    place, digest = released
    token = tmp_path / "token"
    token.write_text("secret\n")
    with DocumentServer() as server:
        server.writable, server.token = True, "secret"
        arguments = ("sign", place, "--key", key_file, *IDENTITY, "--to-store", f"{server.url}/s")
        code, _, err = run(*arguments)
        assert code == 1
        assert "401 Unauthorized" in err
        code, out, err = run(*arguments, "--store-token-file", token)
        assert code == 0
        assert "secret" not in out + err
        assert f"/s/sha256={hex_of(digest)}/signature-1" in server.documents
        assert "was there already" in run(*arguments)[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no key was named"),
        (("--key", "{key}"), "nothing says what it is called"),
        (("--key", "{key}", "--to-store", "s3://bucket"), "s3:// is no place for signatures"),
    ],
)
def test_what_is_missing_is_told(run, released, key_file, tmp_path, arguments, message):
    """A key, an identity and a place are needed, and nothing is written without."""
    place, _ = released
    given = [argument.format(key=key_file) for argument in arguments]
    if "s3://bucket" in given:
        given += IDENTITY
    else:
        given += ["--to-store", str(tmp_path / "store")]
    code, _, err = run("sign", place, *given)
    assert code == 2
    assert message in err
    assert not (tmp_path / "store").exists()


def test_a_place_is_needed(run, released, key_file):
    """A signature that goes nowhere is a mistake."""
    code, _, err = run("sign", released[0], "--key", key_file, *IDENTITY)
    assert code == 2
    assert "nothing says where the signatures shall be put" in err


def test_a_folder_has_no_digest(run, world, tmp_path, key_file):
    """Files of a payload are no image that a cluster could ask for."""

    async def make():
        await world.add_base()
        write_folder(await world.payload(), tmp_path / "folder")

    asyncio.run(make())
    code, _, err = run(
        *("sign", tmp_path / "folder", "--key", key_file, *IDENTITY, "--to-store", tmp_path / "s")
    )
    assert code == 2
    assert "only an image has a digest" in err


def test_an_unfit_key_signs_nothing(run, released, tmp_path):
    """An Ed25519 key is refused with its reason."""
    path = tmp_path / "ed25519.asc"
    path.write_bytes(MemorySigner(suite=CipherSuite.Cv25519).secret_key)
    code, _, err = run(
        *("sign", released[0], "--key", path, *IDENTITY, "--to-store", tmp_path / "store")
    )
    assert code == 1
    assert "clusters cannot verify" in err
    assert not (tmp_path / "store").exists()


@pytest.fixture
def gpg(monkeypatch):
    """The real gpg with a home of its own."""
    with gnupg_home() as home:
        monkeypatch.setenv("GNUPGHOME", str(home.folder))
        yield home


@pytest.mark.integration
def test_gpg_and_a_key_file_sign_side_by_side(run, released, gpg, signer, key_file, tmp_path):
    """Each key makes a signature of its own, and gpg verifies both."""
    place, digest = released
    fingerprint = gpg.make_key("Agent <agent@example.com>", passphrase="geheim")
    gpg.run("--import", content=signer.public_key)
    secret = tmp_path / "passphrase"
    secret.write_text("geheim\n")
    code, out, _ = run(
        *("sign", place, "--key", key_file, "--key-id", "agent@example.com", *IDENTITY),
        *("--passphrase-file", secret, "--to-store", tmp_path / "store", "-o", "json"),
    )
    assert code == 0
    assert [item["key"] for item in json.loads(out)] == [signer.fingerprint, fingerprint]
    folder = tmp_path / "store" / f"sha256={hex_of(digest)}"
    for name in ("signature-1", "signature-2"):
        claim = json.loads(gpg.read_message((folder / name).read_bytes()))
        assert claim["critical"]["image"]["docker-manifest-digest"] == digest


@pytest.mark.integration
def test_what_gpg_signed_satisfies_our_verifier(run, released, gpg, tmp_path):
    """The key ring of gpg's key and the signature of gpg fit together, by the cluster's rules."""
    place, digest = released
    fingerprint = gpg.make_key("Agent <agent@example.com>", algorithm="rsa2048")
    public, ring = tmp_path / "public.asc", tmp_path / "keyring.yaml"
    public.write_bytes(gpg.run("--armor", "--export", fingerprint))
    store = tmp_path / "store"
    assert run("sign", place, "--key-id", fingerprint, *IDENTITY, "--to-store", store)[0] == 0
    assert run("keyring", "--key", public, "--store", store.as_uri(), "--to", ring)[0] == 0
    trust = read_trust([], [ring])
    stores = open_signatures([], list(trust.configuration.stores.values()), MemoryDocuments())
    found = asyncio.run(
        verify_signatures(
            [ReleaseDigest(digest=digest)],
            trust,
            stores,
            clock=SystemClock(),
            published=parse_reference("quay.test/okd/scos-release"),
        )
    )
    assert found.issues == ()
    assert found.digests[0].keys == (fingerprint,)


@pytest.mark.integration
def test_an_ed25519_key_of_gpg_signs_nothing(run, released, gpg, tmp_path):
    """What gpg makes by default nowadays keeps clusters from starting, and is refused."""
    fingerprint = gpg.make_key("Modern <modern@example.com>", algorithm="ed25519")
    code, _, err = run(
        *("sign", released[0], "--key-id", fingerprint, *IDENTITY),
        *("--to-store", tmp_path / "store"),
    )
    assert code == 1
    assert f"clusters cannot verify what the key {fingerprint} signs" in err
    assert "public key type: 22" in err


@pytest.mark.integration
@pytest.mark.parametrize("way", ["file", "environment"])
def test_a_locked_key_gets_its_passphrase(run, released, gpg, tmp_path, monkeypatch, way):
    """A passphrase comes from a file or the environment, and its lack is told."""
    place, _ = released
    path = tmp_path / "locked.asc"
    fingerprint = gpg.make_key("Locked <locked@example.com>", passphrase="geheim")
    unlock = ("--pinentry-mode", "loopback", "--passphrase", "geheim")
    path.write_bytes(gpg.run(*unlock, "--export-secret-keys", fingerprint))
    arguments = ["sign", place, "--key", path, *IDENTITY, "--to-store", tmp_path / "store"]
    code, _, err = run(*arguments)
    assert code == 1
    assert f"the key in {path} is locked" in err
    if way == "file":
        secret = tmp_path / "passphrase"
        secret.write_text("geheim\n")
        arguments += ["--passphrase-file", secret]
    else:
        monkeypatch.setenv("OKD_PAYLOAD_PASSPHRASE", "geheim")
    code, out, err = run(*arguments)
    assert code == 0
    assert "geheim" not in out + err
