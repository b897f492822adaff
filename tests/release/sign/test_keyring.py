# SPDX-License-Identifier: Apache-2.0
"""Key rings: what is written, what clusters make of it, and how keys are rotated."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import CipherSuite, Tsk

from okd_payload.errors import InvalidDocument, OkdPayloadError
from okd_payload.release.sign.certificates import split_keys
from okd_payload.release.sign.check_keyring import check_key_ring
from okd_payload.release.sign.keyring import (
    KeyRingManifest,
    encode_key_ring,
    make_config_map,
    read_key_ring_manifest,
)
from okd_payload.signing.configuration import load_configuration
from okd_payload.testing.memory_signer import MemorySigner

NOW = datetime(2100, 1, 1, tzinfo=UTC)
STORE = "https://signatures.example.com/releases"


@pytest.fixture(scope="session")
def other():
    """Another RSA key."""
    return MemorySigner("Other")


@pytest.fixture(scope="session")
def modern():
    """A key that clusters cannot read."""
    return MemorySigner("Modern", suite=CipherSuite.Cv25519)


def keys_of(*signers):
    """Public keys as they are put into rings."""
    return [key for item in signers for key in split_keys(item.public_key, path="k")]


def ring_of(*signers):
    """A ring with one entry and one store."""
    return KeyRingManifest(stores={"release": STORE}).with_keys("release", keys_of(*signers))


def codes_of(ring):
    """The codes of what is wrong."""
    return [issue.code for issue in check_key_ring(ring, now=NOW)]


def test_clusters_load_all_keys_of_an_entry(signer, other):
    """Two keys are armoured once, because clusters read one block only."""
    ring = ring_of(signer, other)
    assert codes_of(ring) == []
    loaded = load_configuration(make_config_map(ring))
    (entry,) = loaded.rings.values()
    assert [item.primary.fingerprint for item in entry.certificates] == [
        signer.fingerprint,
        other.fingerprint,
    ]
    assert loaded.stores == {"store-release": STORE}


def test_the_text_is_what_is_read_again(signer, other, tmp_path):
    """What is written is YAML with the same keys, and stays the same when written again."""
    text = encode_key_ring(ring_of(signer, other).with_store("mirror", "https://m.test/?a=b#c: d"))
    path = tmp_path / "keyring.yaml"
    path.write_bytes(text)
    assert encode_key_ring(read_key_ring_manifest(path)) == text
    value = yaml.safe_load(text)
    assert value["metadata"]["name"] == "release-verification"
    assert value["metadata"]["annotations"] == {
        "include.release.openshift.io/hypershift": "true",
        "include.release.openshift.io/ibm-cloud-managed": "true",
        "include.release.openshift.io/self-managed-high-availability": "true",
        "include.release.openshift.io/single-node-developer": "true",
        "release.openshift.io/verification-config-map": "",
    }
    assert value["data"]["store-mirror"] == "https://m.test/?a=b#c: d"
    assert value["data"]["verifier-public-key-release"].count("-----BEGIN PGP") == 1


def test_what_the_project_ships_can_be_added_to(shared_data, signer, tmp_path):
    """The rings of the CI and of the product keep all their keys when a key is added."""
    for name in ("shipped-ci-okd", "shipped-ocp"):
        path = shared_data / "signature-vectors" / "configmaps" / f"{name}.yaml"
        shipped = read_key_ring_manifest(path)
        (entry,) = shipped.entries
        ring = shipped.with_keys(entry, keys_of(signer))
        issues = check_key_ring(ring, now=datetime(2026, 1, 1, tzinfo=UTC))
        assert not any(issue.blocks for issue in issues)
        loaded = load_configuration(make_config_map(ring)).rings[f"verifier-public-key-{entry}"]
        before = [key.fingerprint for key in shipped.entries[entry]]
        found = [item.primary.fingerprint for item in loaded.certificates]
        assert found == [*before, signer.fingerprint]


def test_an_unreadable_key_is_told_with_the_key_it_takes_along(signer, other, modern):
    """Ed25519 behind an RSA key costs that one, too; before it, only itself."""
    issues = check_key_ring(ring_of(signer, other, modern), now=NOW)
    assert [issue.code for issue in issues] == ["unreadable-key", "lost-key"]
    assert modern.fingerprint in issues[0].message
    assert "public key type: 22" in issues[0].message
    assert f"the key {other.fingerprint}" in issues[1].message
    assert "is good, and clusters lose it" in issues[1].message
    assert codes_of(ring_of(modern, signer)) == ["unreadable-key"]
    assert codes_of(ring_of(modern)) == ["unreadable-key"]


def test_a_ring_without_stores_or_keys_cannot_be_used(signer):
    """Clusters do not start with one that lacks either."""
    assert codes_of(KeyRingManifest().with_keys("a", keys_of(signer))) == ["unusable-key-ring"]
    assert codes_of(KeyRingManifest(stores={"a": STORE})) == ["unusable-key-ring"]
    assert codes_of(ring_of(signer).with_store("b", "ftp://x")) == ["unusable-key-ring"]


def test_an_expired_key_is_a_warning(signer):
    """Clusters do not look at the end of a key, and people's programs do."""
    whole = Tsk.from_bytes(signer.secret_key)
    end = datetime.now(UTC) + timedelta(days=1)
    changed = whole.extract_certificate().set_expiration(end, whole.certifier())
    ring = KeyRingManifest(stores={"a": STORE}).with_keys("a", split_keys(bytes(changed), path="k"))
    (issue,) = check_key_ring(ring, now=NOW)
    assert (issue.code, issue.blocks) == ("expired-ring-key", False)
    assert codes_of_at(ring, datetime.now(UTC)) == []


def codes_of_at(ring, now):
    """The codes of what is wrong at a time."""
    return [issue.code for issue in check_key_ring(ring, now=now)]


def test_a_revoked_key_alone_satisfies_nothing(signer, other):
    """A revoked key is a warning, and an entry with nothing else an error."""
    whole = Tsk.from_bytes(signer.secret_key)
    certificate = whole.extract_certificate()
    revocation = bytes(certificate.revoke(whole.certifier()))
    from pysequoia import Cert
    from pysequoia.packet import PacketPile

    packets = list(PacketPile.from_bytes(bytes(certificate)))
    packets.insert(1, next(iter(PacketPile.from_bytes(revocation))))
    revoked = split_keys(bytes(Cert.from_packets(packets)), path="k")
    alone = KeyRingManifest(stores={"a": STORE}).with_keys("a", revoked)
    assert codes_of(alone) == ["revoked-ring-key", "unsatisfiable-entry"]
    assert codes_of(alone.with_keys("a", keys_of(other))) == ["revoked-ring-key"]


def test_a_renewed_key_replaces_the_old_copy(signer):
    """With two copies clusters would go on taking the one that is not revoked."""
    ring = ring_of(signer).with_keys("release", keys_of(signer))
    assert len(ring.entries["release"]) == 1


def test_a_removed_key_is_gone_with_its_entry(signer, other):
    """Fingerprints may have blanks, as people print them; unknown ones are told."""
    ring = ring_of(signer, other)
    spaced = " ".join(signer.fingerprint[place : place + 4] for place in range(0, 40, 4))
    left = ring.without_key(spaced)
    assert [key.fingerprint for key in left.entries["release"]] == [other.fingerprint]
    assert left.without_key(other.fingerprint).entries == {}
    with pytest.raises(OkdPayloadError, match="unknown key"):
        left.without_key(signer.fingerprint)


def test_secret_keys_are_refused(signer):
    """What is in a release everybody can read."""
    with pytest.raises(InvalidDocument, match="a secret key, and releases are public"):
        split_keys(signer.secret_key, path="key.asc")


@given(st.binary(max_size=200))
def test_foreign_bytes_are_no_keys(content):
    """No bytes make anything but keys or an error of ours."""
    with pytest.raises(InvalidDocument):
        split_keys(content, path="k")


def test_the_command_writes_adds_and_removes(run, signer, other, tmp_path):
    """A first ring, the next key beside it, and the old key taken away: three releases."""
    old, new = tmp_path / "old.asc", tmp_path / "new.asc"
    old.write_bytes(signer.public_key)
    new.write_bytes(other.public_key)
    first = tmp_path / "first.yaml"
    code, out, _ = run("keyring", "--key", old, "--store", STORE, "--to", first)
    assert (code, out) == (0, "")
    code, out, _ = run("keyring", "--add-to", first, "--key", new)
    assert code == 0
    second = tmp_path / "second.yaml"
    second.write_text(out)
    code, out, _ = run("keyring", "--add-to", second, "-o", "json")
    assert code == 0
    printed = json.loads(out)
    assert [key["fingerprint"] for key in printed["entries"][0]["keys"]] == [
        signer.fingerprint,
        other.fingerprint,
    ]
    assert printed["entries"][0]["keys"][1]["identities"] == ["Other"]
    assert printed["stores"] == {"release": STORE}
    code, out, _ = run("keyring", "--add-to", second, "--remove", signer.fingerprint)
    assert code == 0
    second.write_text(out)
    assert [key.fingerprint for key in read_key_ring_manifest(second).entries["release"]] == [
        other.fingerprint
    ]


def test_the_command_does_not_write_what_clusters_cannot_use(run, modern, tmp_path):
    """An error leaves no file; the entry and the store may have names of their own."""
    path, target = tmp_path / "key.asc", tmp_path / "keyring.yaml"
    path.write_bytes(modern.public_key)
    arguments = ("keyring", "--key", f"team={path}", "--store", f"main={STORE}", "--to", target)
    code, _, err = run(*arguments)
    assert code == 1
    assert "team: the key" in err
    assert "[unreadable-key]" in err
    assert not target.exists()
    assert run("keyring", "--store", STORE)[0] == 2
