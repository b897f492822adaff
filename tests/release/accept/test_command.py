# SPDX-License-Identifier: Apache-2.0
"""``release accept`` on layouts and folders: a running release with keys, and signed updates."""

from __future__ import annotations

import json

import pytest


def test_a_good_update(make, keys, sign, accept, tmp_path):
    """A signed update with an edge is taken, and every check says so."""
    own = {"0000_90_cluster-update-keys_configmap.yaml": keys(f"file://{tmp_path / 'store'}")}
    new = make("4.19.10", own, previous=["4.19.9"])
    sign(new)
    code, outcomes, issues, printed = accept(new)
    assert code == 0, issues
    assert set(outcomes.values()) == {"passed"}
    assert (printed["running"], printed["wanted"]) == ("4.19.9", "4.19.10")
    assert not issues


def test_an_update_that_forgets_the_keys(make, keys, sign, accept):
    """The cluster takes an update without keys, or with bad ones, and regrets it afterwards."""
    new = make("4.19.10", previous=["4.19.9"])
    sign(new)
    code, _, issues, _ = accept(new)
    assert (code, set(issues)) == (0, {"no-later-keys", "orphaned-object"})
    broken = keys("file:///nowhere").replace("BEGIN PGP", "BEGIN PG")
    new = make("4.19.11", {"0000_90_keys.yaml": broken}, previous=["4.19.9"])
    sign(new)
    code, outcomes, issues, _ = accept(new)
    assert (code, outcomes["objects"]) == (1, "refused")
    assert "will not start" in issues["unusable-update-keys"]["hint"]


def test_text(make, sign, run, running, tmp_path):
    """People see each check on a line, and the verdict at the end."""
    new = make("4.19.10", previous=["4.19.9"])
    sign(new)
    code, out, _ = run("accept", "--from", running, new, "--content", f"oci:{tmp_path / 'images'}")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["CHECK", "OUTCOME", "FOUND"]
    assert [line.split()[0] for line in lines[1:-1]] == [
        *("digest", "signature", "retrieval", "payload", "edge"),
        *("version", "architecture", "objects", "images"),
    ]
    assert lines[-1] == "a cluster on 4.19.9 takes 4.19.10"


def test_an_unsigned_update(make, accept):
    """Without a signature the cluster refuses in its words, and force overrides that."""
    new = make("4.19.10", previous=["4.19.9"])
    code, outcomes, issues, printed = accept(new)
    assert (code, outcomes["signature"]) == (1, "refused")
    digest = printed["image"].partition("@")[2]
    assert issues["unverified-update"]["message"] == (
        "ImageVerificationFailed: The update cannot be verified: "
        f"unable to verify {digest} against keyrings: verifier-public-key-test"
    )
    code, outcomes, _, _ = accept(new, "--force")
    assert (code, outcomes["signature"]) == (0, "forced")


def test_stores_beside_those_of_the_payload(make, sign, accept, tmp_path):
    """A signature may be in another store, or in a ConfigMap of the cluster."""
    new = make("4.19.10", previous=["4.19.9"])
    sign(new, "elsewhere")
    assert accept(new)[0] == 1
    assert accept(new, "--signature-store", tmp_path / "elsewhere")[0] == 0
    sign(new)
    only = ("--signature-stores-only", "--signature-store")
    assert accept(new, *only, tmp_path / "empty")[0] == 1


def test_config_maps_of_the_cluster(make, run, signer, accept, tmp_path):
    """A file of ConfigMaps stands for those in the cluster."""
    new = make("4.19.10", previous=["4.19.9"])
    key, maps = tmp_path / "key.asc", tmp_path / "maps.yaml"
    key.write_bytes(signer.secret_key)
    code, _, told = run(
        *("sign", new, "--key", key, "--identity", "quay.test/okd/release"),
        *("--to-config-map", maps),
    )
    assert code == 0, told
    assert accept(new, "--signature-store", maps)[0] == 0


def test_a_running_release_without_keys(make, accept):
    """Nothing can be verified from there, and the hint says what to do."""
    old, new = make("4.19.8"), make("4.19.9", previous=["4.19.8"])
    code, _, issues, printed = accept(new, old=old)
    assert code == 1
    signature = next(check for check in printed["checks"] if check["name"] == "signature")
    assert signature["message"] == "The update cannot be verified: verification is not possible"
    assert "cluster-update-keys" in issues["no-update-keys"]["hint"]


def test_keys_for_another_profile(make, sign, accept):
    """A ConfigMap that is not for the profile is no ConfigMap."""
    new = make("4.19.10", previous=["4.19.9"])
    sign(new)
    assert "no-update-keys" in accept(new, "--profile", "hypershift")[2]


def test_edges(make, sign, accept, tmp_path):
    """Without an edge an update is not on offer; it may be asked for explicitly."""
    new = make("4.19.11")
    sign(new)
    code, outcomes, issues, _ = accept(new)
    assert (code, outcomes["edge"]) == (1, "refused")
    assert '"4.19.11": when image is empty' in issues["no-update-edge"]["message"]
    code, outcomes, issues, _ = accept(new, "--allow-explicit-upgrade")
    assert (code, outcomes["edge"]) == (0, "noted")
    assert "ClusterVersionRecommendedUpdate" in issues["no-update-edge"]["message"]
    graph = tmp_path / "graph.json"
    nodes = [{"version": "4.19.9"}, {"version": "4.19.11"}]
    graph.write_text(json.dumps({"nodes": nodes, "edges": [[0, 1]]}))
    assert accept(new, "--graph", graph)[1]["edge"] == "passed"


def test_versions(make, sign, accept):
    """A cluster goes neither back nor too far, unless it is forced."""
    older, far = make("4.19.1", previous=["4.19.9"]), make("4.21.0", previous=["4.19.9"])
    sign(older)
    sign(far)
    code, _, issues, printed = accept(older)
    assert (code, "older-update" in issues) == (1, True)
    version = next(check for check in printed["checks"] if check["name"] == "version")
    assert version["reason"] == "UpgradePreconditionCheckFailed"
    code, outcomes, issues, _ = accept(far)
    assert (code, outcomes["version"]) == (1, "refused")
    assert "(4.21 > 4.(19+1))" in issues["distant-update"]["message"]
    code, _, _, printed = accept(far, "--force")
    version = next(check for check in printed["checks"] if check["name"] == "version")
    assert (code, version["outcome"]) == (0, "forced")
    assert version["message"].startswith("Forced through blocking failures: Precondition")


def test_manifests_that_cannot_be_loaded(make, sign, accept, config_map):
    """One bad document refuses the whole update, and what follows is left undone."""
    twice = config_map("t")
    new = make("4.19.10", {"b.yaml": f"{twice}---\n{twice}"}, previous=["4.19.9"])
    sign(new)
    code, outcomes, issues, printed = accept(new)
    assert (code, outcomes["payload"], outcomes["edge"]) == (1, "refused", "not-done")
    message = issues["unloadable-update"]["message"]
    assert message.startswith("UpdatePayloadIntegrity: Error loading manifests from /etc/cvo/")
    assert 'duplicate resource: (Group: "" Kind: "ConfigMap"' in message
    assert printed["wanted"] == ""


def test_the_operators_own_manifests(make, sign, accept, config_map):
    """What of them cannot be rendered is left aside with a warning."""
    own = {"0000_00_cvo_1.yaml": config_map("own", "note: {{ .Nope }}")}
    new = make("4.19.10", previous=["4.19.9"], own=own)
    sign(new)
    code, outcomes, issues, _ = accept(new)
    assert (code, outcomes["payload"]) == (0, "noted")
    assert "Skipping manifest 0000_00_cvo_1.yaml" in issues["loaded-with-warning"]["message"]


def test_a_base_without_a_shell(make, sign, accept, programs):
    """A cluster could not copy the manifests out of the image."""
    new = make("4.19.10", previous=["4.19.9"], programs=programs[2:])
    sign(new)
    code, outcomes, issues, _ = accept(new)
    assert (code, outcomes["retrieval"]) == (1, "refused")
    assert issues["unretrievable-update"]["message"] == (
        "UpdatePayloadRetrievalFailed: "
        "Unable to download and prepare the update: the image has no sh, rm"
    )


def test_a_store_that_is_away_is_told_once(make, accept):
    """Nine numbers that a store did not give out are one cause, with the first of them."""
    new = make("4.19.10", previous=["4.19.9"])
    _, _, issues, _ = accept(new, "--signature-store", "http://127.0.0.1:9/signatures")
    hint = issues["unverified-update"]["hint"]
    assert hint.count("127.0.0.1:9/signatures/") == 1
    assert "/signature-1: " in hint


def test_objects(make, sign, accept, config_map):
    """Deletions that can never happen, new capabilities and orphans are told."""
    manifests = {
        "a.yaml": config_map("a", "capability.openshift.io/name: Console"),
        "bad.yaml": config_map("bad", 'release.openshift.io/delete: "yes"'),
    }
    new = make("4.19.10", manifests, previous=["4.19.9"])
    sign(new)
    code, outcomes, issues, _ = accept(new, "--baseline-capability-set", "None")
    assert (code, outcomes["objects"]) == (1, "refused")
    assert "release.openshift.io/delete" in issues["failing-object"]["message"]
    assert "Console" in issues["enabled-capability"]["message"]


def test_missing_images(make, sign, accept, tmp_path):
    """Each image has to be where its pull spec says, unless nobody asks."""
    new = make("4.19.10", previous=["4.19.9"])
    sign(new)
    code, outcomes, issues, _ = accept(new, "--content", f"oci:{tmp_path / 'releases'}")
    assert (code, outcomes["images"]) == (1, "refused")
    assert "missing-image" in issues
    assert accept(new, "--skip-images")[1]["images"] == "not-done"


def test_multi(make, sign, accept):
    """A cluster does not change version and architectures at once."""
    multi = {"release.openshift.io/architecture": "multi"}
    new = make("4.19.10", previous=["4.19.9"], metadata=multi)
    sign(new)
    code, outcomes, issues, _ = accept(new)
    assert (code, outcomes["architecture"]) == (1, "refused")
    assert "keep-manifest-list" in issues["other-architecture"]["hint"]


def test_folders(make, run, accept, tmp_path):
    """Of a folder, what needs an image is left undone, and the rest is checked."""
    new = make("4.19.10", previous=["4.19.9"])
    assert run("extract", new, "--to", tmp_path / "folder")[0] == 0
    code, outcomes, _, _ = accept(tmp_path / "folder")
    assert code == 0
    assert outcomes["digest"] == outcomes["signature"] == outcomes["retrieval"] == "not-done"


def test_unpacked_payloads(make, run, accept, tmp_path):
    """A folder with both folders of a payload is loaded with the operator's own part."""
    new = make("4.19.10", previous=["4.19.9"])
    root = tmp_path / "unpacked"
    assert run("extract", new, "--to", root / "release-manifests")[0] == 0
    code, _, issues, _ = accept(root)
    assert code == 1
    assert issues["unloadable-update"]["message"].endswith("/manifests: no such file or directory")
    (root / "manifests").mkdir()
    assert accept(root)[0] == 0


def test_a_running_release_that_is_none(make, run, tmp_path):
    """From what no cluster could run nothing can be updated."""
    broken = make("4.19.9", own={"a.yaml": "- x"})
    code, _, told = run("accept", "--from", broken, broken)
    assert code == 1
    assert "no cluster runs" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--feature-set", "Tech"), "unknown feature set"),
        (("--baseline-capability-set", "v4"), "unknown capability set"),
        (("--signature-stores-only",), "--signature-store"),
    ],
)
def test_wrong_usage(run, arguments, words):
    """What cannot be meant is refused before anything is read."""
    code, _, told = run("accept", "--from", "a", "b", *arguments)
    assert code == 2
    assert words in told


def test_an_update_that_is_not_there(make, accept, tmp_path):
    """A cluster could not fetch it, and what is in it nobody knows."""
    make("4.19.10")
    code, outcomes, issues, _ = accept(f"oci:{tmp_path / 'releases'}:4.19.99")
    assert (code, outcomes["retrieval"], outcomes["payload"]) == (1, "refused", "not-done")
    message = issues["unretrievable-update"]["message"]
    assert message.startswith("UpdatePayloadRetrievalFailed: Unable to download and prepare")


def test_keys_that_cannot_be_used(make, keys, accept):
    """With such keys no operator starts, so that nothing runs that could be updated."""
    broken = keys("file:///nowhere").replace("BEGIN PGP", "BEGIN PG")
    old = make("4.19.8", {"0000_90_keys.yaml": broken})
    new = make("4.19.9", previous=["4.19.8"])
    code, outcomes, issues, _ = accept(new, "--force", old=old)
    assert (code, outcomes["signature"]) == (1, "refused")
    assert "must be a GPG public key" in issues["unusable-update-keys"]["message"]
