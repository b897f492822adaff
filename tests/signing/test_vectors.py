# SPDX-License-Identifier: Apache-2.0
"""The recorded verdicts of the cluster's own verifier, held against ours.

Verdict, message, causes and requests are equal in every case; there is no list of exceptions.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from okd_payload.clock import SystemClock
from okd_payload.errors import RegistryUnavailable
from okd_payload.oci.documents import DocumentAnswer
from okd_payload.oci.registry import RegistryClient, RegistrySettings
from okd_payload.release.objects import read_objects
from okd_payload.signing.config_map import decode_config_map
from okd_payload.signing.configuration import UnusableConfiguration, find_configuration
from okd_payload.signing.digests import digest_of
from okd_payload.signing.stores import CombinedStore, ConfigMapStore, open_stores
from okd_payload.signing.verification import verify_digest
from okd_payload.testing.document_server import Answer, DocumentServer
from okd_payload.testing.memory_documents import MemoryDocuments

_ROOT = Path(__file__).resolve().parents[3] / "shared" / "data" / "signature-vectors"
_CASES = sorted(_ROOT.glob("cases/*/case.json"))
_STORE = "https://signatures.example.com"


def _name(path):
    return path.parent.name


def _read_config_maps(paths):
    objects = [item for path in paths for item in read_objects(path.read_bytes()).objects]
    found = [decode_config_map(item.value) for item in objects]
    return [item for item in found if item is not None]


def _moved(config_map, old, new):
    """``config_map`` with its stores elsewhere than recorded."""
    data = {key: text.replace(old, new) for key, text in config_map.data.items()}
    return msgspec.structs.replace(config_map, data=data)


def _documents(case, folder):
    """What the web servers of a case have, by address."""
    documents = {}
    for address, name in case["stores"].items():
        for path in (folder / name).glob("*/*"):
            url = f"{address}/{path.parent.name}/{path.name}"
            documents[url] = path.read_bytes()
            status = case.get("responses", {}).get(path.name)
            if status == -1:
                documents[url] = RegistryUnavailable("connection refused")
            elif status is not None:
                documents[url] = DocumentAnswer(status)
    for name, status in case.get("responses", {}).items():
        for address in case["stores"]:
            url = f"{address}/{case['digest'].replace(':', '=')}/{name}"
            documents.setdefault(url, DocumentAnswer(status))
    return documents


async def _verify(case, folder, asker, *, move=("", "")):
    """The verdict of a case, or the error of its configuration; ``move`` moves its stores."""
    maps = _read_config_maps([_ROOT / name for name in case["configmaps"]])
    try:
        configuration = find_configuration([_moved(item, *move) for item in maps])
    except UnusableConfiguration as error:
        return error
    before = None
    if "cluster_configmaps" in case:
        before = ConfigMapStore(
            _read_config_maps([folder / name for name in case["cluster_configmaps"]])
        )
    store = CombinedStore([])
    if configuration is not None:
        store = open_stores(configuration, asker, before=before)
    digest = digest_of(case["reference"]) if "reference" in case else case["digest"]
    return await verify_digest(digest, configuration, store, clock=SystemClock())


def _told(causes):
    """How often each cause was told; ends of searches are not causes."""
    return Counter(cause for cause in causes if not cause.endswith("no more signatures to check"))


def _assert_equal(case, outcome, *, verdict=""):
    expected = verdict or case["verdict"]
    if isinstance(outcome, UnusableConfiguration):
        assert (expected, case["error"]) == ("load-error", str(outcome))
        return
    assert outcome.accepted == (expected == "accept"), (outcome.message, outcome.causes)
    if expected == "reject":
        # Which of several entries comes first is left to chance in a cluster.
        assert sorted(outcome.message) == sorted(case["error"])
        assert _told(outcome.causes) == _told(case.get("causes", []))


@pytest.mark.parametrize("path", _CASES, ids=_name)
async def test_verdict(path):
    """We accept, reject and fail to load what the cluster does, with its words and requests."""
    case = json.loads(path.read_text())
    documents = MemoryDocuments(_documents(case, path.parent))
    _assert_equal(case, await _verify(case, path.parent, documents))
    if "requests" in case:
        assert documents.requests == case["requests"]


@pytest.mark.parametrize(
    "path", [path for path in _CASES if "store--" in path.parent.name], ids=_name
)
async def test_verdict_over_http(path):
    """A real web server makes no difference, whatever status it answers with."""
    case = json.loads(path.read_text())
    if -1 in case.get("responses", {}).values():
        pytest.skip("one server cannot refuse single connections")
    with DocumentServer() as server:
        for url, found in _documents(case, path.parent).items():
            answer = found if isinstance(found, bytes) else Answer(status=found.status)
            server.documents[url.removeprefix(_STORE)] = answer
        async with RegistryClient(RegistrySettings()) as client:
            outcome = await _verify(case, path.parent, client, move=(_STORE, server.url))
        recorded = json.loads(json.dumps(case).replace(_STORE, server.url))
        _assert_equal(recorded, outcome)
        if "requests" in case:
            assert [f"{server.url}{target}" for target in server.requests] == recorded["requests"]


@pytest.mark.parametrize("path", _CASES, ids=_name)
async def test_verdict_from_a_folder(path):
    """The same signatures in a folder give the same verdict, but where the recording differs."""
    case = json.loads(path.read_text())
    address = f"{_STORE}/releases"
    if set(case["stores"]) != {address} or case["verdict"] == "load-error":
        pytest.skip("no single store that a folder could stand for")
    if "responses" in case:
        pytest.skip("folders have no status")
    if "double-slash" in case["name"]:
        pytest.skip("the address in the ConfigMap is spelled otherwise")
    move = (address, f"file://{path.parent / case['stores'][address]}")
    outcome = await _verify(case, path.parent, MemoryDocuments(), move=move)
    expected = case.get("file_store_verdict", case["verdict"])
    assert outcome.accepted == (expected == "accept"), outcome.causes


@pytest.mark.parametrize("path", _CASES, ids=_name)
def test_rings_as_loaded(path):
    """Fingerprints, user ids and sub-keys are those that the cluster had in its rings."""
    case = json.loads(path.read_text())
    if "keys" not in case:
        pytest.skip("nothing was loaded")
    maps = _read_config_maps([_ROOT / name for name in case["configmaps"]])
    configuration = find_configuration(maps)
    assert configuration is not None
    loaded = {
        entry: [
            {
                "fingerprint": item.primary.fingerprint,
                "identities": sorted(item.identities),
                "subkeys": [subkey.key.fingerprint for subkey in item.subkeys],
            }
            for item in ring.certificates
        ]
        for entry, ring in configuration.rings.items()
    }
    assert loaded == {
        entry: [
            {**item, "identities": sorted(item["identities"]), "subkeys": item.get("subkeys", [])}
            for item in items
        ]
        for entry, items in case["keys"].items()
    }
